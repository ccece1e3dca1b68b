"""Python files as the rules see them: read by `ast`, never imported."""

import ast
import functools
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .config import Config

Place = tuple[int, int]
FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
# The runtime that bundles carry is checked by its own tests.
RUNTIME = "aa_runtime"


class PythonFile:
    """One file. `config` is the bundle's configuration when the file belongs to one."""

    def __init__(self, file: Path, config: "Config | None" = None, *, is_function: bool = False) -> None:
        self.file = file
        self.config = config
        self.is_function = is_function
        self.error: SyntaxError | None = None
        self.tree = self._parse()

    def _parse(self) -> ast.Module:
        try:
            return ast.parse(self.file.read_bytes(), str(self.file))
        except SyntaxError as error:
            self.error = error
        except ValueError as error:
            self.error = SyntaxError(str(error))
        return ast.Module([], [])

    @functools.cached_property
    def nodes(self) -> list[ast.AST]:
        """All nodes of the file: a dozen rules look through them, and walking costs more than looking."""
        return list(ast.walk(self.tree))

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
                    found[alias.asname or alias.name.split(".")[0]] = (
                        alias.name if alias.asname else alias.name.split(".")[0]
                    )
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                for alias in node.names:
                    found[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        return found

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

    @functools.cached_property
    def handler(self) -> FunctionNode | None:
        """The handler, when this file is the module that `spec.handler` names."""
        if self.config is None or self.config.modules.get(handler_of(self.config)[0]) is not self:
            return None
        return self.function(handler_of(self.config)[1])

    @functools.cached_property
    def started(self) -> set[ast.Call]:
        """The calls, here and in the bundle's other modules, that run when the function starts."""
        from .reach import start_calls

        if self.config is not None:
            return self.config.started
        create = self.function("create")
        return start_calls({self.file.stem: self}, [(self, create)] if create else [])

    @property
    def init_context(self) -> FunctionNode | None:
        """`init_context` beside the handler: Nuclio takes it from the module where the handler is defined."""
        return self.function("init_context") if self.handler else None


def handler_of(config: "Config") -> tuple[str, str]:
    """Module and function of `spec.handler`."""
    module, _, function = str(config.spec.get("handler", "")).rpartition(":")
    return module, function


def module_file(folder: Path, module: str) -> Path | None:
    """The file of a module inside a folder."""
    stem = folder.joinpath(*module.split("."))
    for candidate in (stem / "__init__.py", stem.with_name(stem.name + ".py")):
        if candidate.is_file():
            return candidate
    return None


def modules_of(config: "Config") -> dict[str, PythonFile]:
    """The handler's module and every module of the folder that it imports, directly or not."""
    found: dict[str, PythonFile] = {}
    queue = [handler_of(config)[0]]
    while queue:
        name = queue.pop()
        if not name or name in found or name.split(".")[0] == RUNTIME:
            continue
        file = module_file(config.folder, name)
        if file is None:
            continue
        found[name] = PythonFile(file, config)
        queue += _imported(found[name].nodes)
    return found


def imported_modules(tree: ast.Module) -> Iterator[str]:
    """Full names of all modules that a module may import."""
    return _imported(ast.walk(tree))


def _imported(nodes: Iterable[ast.AST]) -> Iterator[str]:
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


def at_top(tree: ast.Module) -> Iterator[ast.Module]:
    """The unguarded import statements of a module, each as a module of its own; those in `try` and `if` may fail."""
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield ast.Module([node], [])


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
def own_nodes(function: FunctionNode) -> list[ast.AST]:
    """The nodes of a function without those of functions inside it."""
    found: list[ast.AST] = list(function.body)
    for node in found:  # grows as it goes
        if not isinstance(node, (FunctionNode, ast.Lambda, ast.ClassDef)):
            found += ast.iter_child_nodes(node)
    return found


def place(node: ast.AST) -> Place:
    """Line and column, both from 1."""
    return getattr(node, "lineno", 1), getattr(node, "col_offset", 0) + 1


def is_standard(module: str) -> bool:
    """Whether a top-level module belongs to Python."""
    return module in sys.stdlib_module_names


def _defined(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, (FunctionNode, ast.ClassDef)):
        yield node.name
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        yield from (alias.asname or alias.name.split(".")[0] for alias in node.names)
    elif isinstance(node, ast.Assign):
        for target in node.targets:
            yield from (name.id for name in ast.walk(target) if isinstance(name, ast.Name))
    elif isinstance(node, (ast.AnnAssign, ast.AugAssign)) and isinstance(node.target, ast.Name):
        yield node.target.id
