"""Which calls run when a function starts: at import, in `init_context`, and in what these call without a condition."""

import ast
from collections.abc import Iterable, Mapping

from .source import FunctionNode, PythonFile, at_import, certain

Step = tuple[PythonFile, list[ast.stmt], ast.ClassDef | None]


def start_calls(modules: Mapping[str, PythonFile], roots: Iterable[tuple[PythonFile, FunctionNode]]) -> set[ast.Call]:
    """The calls that certainly run, as far as names tell. Branches count only when they ask whether a file exists."""
    found: set[ast.Call] = set()
    queue: list[Step] = [(module, node.body, None) for module, node in roots]
    seen: set[int] = set()
    for module in modules.values():
        for call in at_import(module.tree):
            found.add(call)
            queue += _called(call, module, modules, None)
    while queue:
        module, body, owner = queue.pop()
        if id(body) in seen:
            continue
        seen.add(id(body))
        for node in certain(body):
            if isinstance(node, ast.Call):
                found.add(node)
                queue += _called(node, module, modules, owner)
            elif isinstance(node, ast.If) and any(word in ast.unparse(node.test) for word in ("exist", "is_file")):
                queue.append((module, node.body, owner))
    return found


def _called(
    call: ast.Call, module: PythonFile, modules: Mapping[str, PythonFile], owner: ast.ClassDef | None
) -> list[Step]:
    """The bodies that a call runs, where they are in the bundle."""
    name = module.full_name(call.func)
    if name.startswith("self.") and owner:
        method = _method(owner, name.removeprefix("self."))
        return [(module, method.body, owner)] if method else []
    if name in module.names and name not in module.imports:
        return _body(module.names[name], module)
    parts = name.split(".")
    for size in range(len(parts) - 1, 0, -1):
        other = modules.get(".".join(parts[:size]))
        if other and size == len(parts) - 1 and parts[size] in other.names:
            return _body(other.names[parts[size]], other)
    return []


def _body(node: ast.AST, module: PythonFile) -> list[Step]:
    if isinstance(node, FunctionNode):
        return [(module, node.body, None)]
    if isinstance(node, ast.ClassDef):
        init = _method(node, "__init__")
        return [(module, init.body, node)] if init else []
    return []


def _method(node: ast.ClassDef, name: str) -> FunctionNode | None:
    return next((item for item in node.body if isinstance(item, FunctionNode) and item.name == name), None)
