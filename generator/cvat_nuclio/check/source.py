"""Python files as the rules see them: read by `ast`, never imported."""

import ast
import functools
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..nuclio.model import Place

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
# The runtime that bundles carry is checked by its own tests.
RUNTIME = "aa_runtime"


class PythonFile:
    """One file. `error` is set, and `tree` empty, when it is no Python."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.data = file.read_bytes()
        self.error: SyntaxError | None = None
        self.tree = self._parse()

    def _parse(self) -> ast.Module:
        try:
            return ast.parse(self.data, str(self.file))
        except SyntaxError as error:
            self.error = error
        except (ValueError, RecursionError, MemoryError) as error:
            self.error = SyntaxError(str(error) or "nested too deeply")
        return ast.Module([], [])

    @property
    def text(self) -> str:
        """The file's text, as far as it is UTF-8."""
        return self.data.decode("utf-8", "replace")

    @functools.cached_property
    def nodes(self) -> list[ast.AST]:
        """All nodes of the file: a dozen rules look through them, and walking costs more than looking."""
        return list(ast.walk(self.tree))

    @functools.cached_property
    def calls(self) -> list[tuple[ast.Call, str]]:
        """All calls, with the full name of what is called."""
        return [(node, self.full_name(node.func)) for node in self.nodes if isinstance(node, ast.Call)]

    @functools.cached_property
    def names(self) -> dict[str, ast.AST]:
        """What the module defines at its top level, by name; `*` for a star import."""
        found: dict[str, ast.AST] = {}
        for node in top_level(self.tree):
            for name in _defined(node):
                found[name] = node
        return found

    @functools.cached_property
    def imports(self) -> dict[str, str]:
        """Local names of imported things and their full names: `{"np": "numpy", "load": "torch.load"}`."""
        found: dict[str, str] = {}
        for node in self.nodes:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    first = alias.name.split(".")[0]
                    found[alias.asname or first] = alias.name if alias.asname else first
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                for alias in node.names:
                    found[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        return found

    @functools.cached_property
    def imported(self) -> list[str]:
        """Full names of all modules that the file may import."""
        return list(imported_modules(self.nodes))

    @functools.cached_property
    def constants(self) -> dict[str, str]:
        """Strings that the module gives a name at its top level, once."""
        found: dict[str, list[ast.expr | None]] = {}
        for name, value in assignments(self.nodes):
            found.setdefault(name, []).append(value)
        once = {name: values[0] for name, values in found.items() if len(values) == 1 and name in self.names}
        texts = {name: value.value for name, value in once.items() if isinstance(value, ast.Constant)}
        return {name: text for name, text in texts.items() if isinstance(text, str)}

    def string(self, node: ast.AST | None) -> str | None:
        """The text of a literal, of a constant's name, or of a path made of them; None when it is none of these."""
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) else None
        if isinstance(node, ast.Name):
            return self.constants.get(node.id)
        if isinstance(node, ast.Call) and node.args and self.full_name(node.func) in _PATHS:
            parts = [self.string(argument) for argument in node.args]
            return "/".join(part for part in parts if part) if None not in parts else None
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            left, right = self.string(node.left), self.string(node.right)
            return f"{left}/{right}" if left is not None and right is not None else None
        return None

    def full_name(self, node: ast.AST) -> str:
        """The dotted name of a called thing, imports resolved: `torch.hub.load`; empty when it is no plain name."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        parts.append(self.imports.get(node.id, node.id))
        return ".".join(reversed(parts))

    def function(self, name: str) -> FunctionNode | None:
        """A function defined at the top level."""
        node = self.names.get(name)
        return node if isinstance(node, FunctionNode) else None


_PATHS = {"os.path.join", "pathlib.Path", "pathlib.PurePath", "str", "os.fspath"}


def module_file(folder: Path, module: str) -> Path | None:
    """The file of a module inside a folder."""
    stem = folder.joinpath(*module.split("."))
    for candidate in (stem / "__init__.py", stem.with_name(stem.name + ".py")):
        if candidate.is_file():
            return candidate
    return None


def imported_modules(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Full names of the modules that import statements among the nodes name."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def top_level(tree: ast.Module) -> Iterator[ast.stmt]:
    """The statements that run at import, those inside `if`, `try` and `with` included."""
    queue: list[ast.stmt] = list(tree.body)
    while queue:
        node = queue.pop(0)
        yield node
        for field in ("body", "orelse", "finalbody"):
            if not isinstance(node, (FunctionNode, ast.ClassDef)):
                queue += getattr(node, field, [])
        for handler in getattr(node, "handlers", []):
            queue += handler.body


@functools.lru_cache(maxsize=1024)
def at_import(tree: ast.Module) -> list[ast.Call]:
    """The calls that run when the module is imported: not in functions, lambdas, or under `if __name__ == ...`."""
    found: list[ast.Call] = []
    for statement in tree.body:
        if isinstance(statement, ast.If) and "__name__" in ast.dump(statement.test):
            continue
        found += (node for node in _eager(statement) if isinstance(node, ast.Call))
    return found


def _eager(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, FunctionNode):
        children: list[ast.AST] = [*node.decorator_list, *node.args.defaults]
    elif isinstance(node, ast.Lambda):
        return
    else:
        yield node
        children = list(ast.iter_child_nodes(node))
    for child in children:
        yield from _eager(child)


@functools.lru_cache(maxsize=1024)
def own_nodes(function: FunctionNode | None) -> list[ast.AST]:
    """The nodes of a function without those of functions inside it; none where there is no function."""
    found: list[ast.AST] = list(function.body) if function else []
    for node in found:  # grows as it goes
        if not isinstance(node, (FunctionNode, ast.Lambda, ast.ClassDef)):
            found += ast.iter_child_nodes(node)
    return found


def certain(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """What runs whenever the nodes do, as far as one sees: no branches, no handlers of `try`, no functions inside."""
    queue = list(nodes)
    for node in queue:  # grows as it goes
        yield node
        if isinstance(node, (ast.If, ast.IfExp)):
            queue.append(node.test)
        elif isinstance(node, ast.BoolOp):
            queue.append(node.values[0])
        elif isinstance(node, ast.Try):
            queue += node.body
        elif not isinstance(node, (FunctionNode, ast.Lambda, ast.ClassDef)):
            queue += ast.iter_child_nodes(node)


def assignments(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, ast.expr | None]]:
    """The names that nodes give a value, with the value; None where it is only a part of one (`a, b = pair`)."""
    for node in nodes:
        if isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)) and node.value:
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                for name in ast.walk(target):
                    if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store):
                        yield name.id, node.value if name is target else None


def resolved(function: FunctionNode, node: ast.expr | None) -> ast.expr | None:
    """The one value that a function gives a name, or None; what is no name is itself."""
    if not isinstance(node, ast.Name):
        return node
    values = [value for name, value in assignments(own_nodes(function)) if name == node.id]
    return values[0] if len(values) == 1 else None


def argument(call: ast.Call, name: str, position: int | None = None) -> ast.expr | None:
    """What a call gives a parameter by its name, or at its place."""
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    return call.args[position] if position is not None and len(call.args) > position else None


def is_value(node: ast.AST | None, value: object) -> bool:
    """Whether a node is this very constant."""
    return isinstance(node, ast.Constant) and node.value == value and type(node.value) is type(value)


def place(node: ast.AST) -> Place:
    """Line and column, both from 1."""
    return getattr(node, "lineno", 1), getattr(node, "col_offset", 0) + 1


def _defined(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, (FunctionNode, ast.ClassDef)):
        yield node.name
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        yield from (alias.asname or alias.name.split(".")[0] for alias in node.names)
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        yield node.target.id
    else:
        yield from (name for name, _ in assignments([node]))
