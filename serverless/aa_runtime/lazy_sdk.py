"""cvat-sdk's packages, importing what they only pass on when it is asked for.

`import cvat_sdk.auto_annotation` imports the whole client too: every model and call of CVAT's API, HTTP, uploads,
datasets. An AA function needs a dozen classes of it. The rest was three quarters of a worker's start and a third of
its memory, so the five modules that do nothing but `from X import Y` look `Y` up when it is first used, as in PEP 562
and as `lazy import` of PEP 810 will. Names, objects and errors stay the same; a module that ever does more than pass
on names is imported as it always was.

Importing this module is what puts it to work. Modules of cvat-sdk that are there already stay as they are.
"""

import ast
import importlib
import importlib.util
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import Any, Final

import attrs

#: The modules that are looked at; what they import from is not touched.
PASSING_ON: Final = frozenset(
    {
        "cvat_sdk",
        "cvat_sdk.api_client",
        "cvat_sdk.api_client.models",
        "cvat_sdk.auto_annotation",
        "cvat_sdk.models",
    }
)


@attrs.frozen
class Exports:
    """What a module passes on: its names with the module and name behind each, the modules that it takes whole
    (`import *`), and its constants."""

    names: dict[str, tuple[str, str]] = attrs.field(factory=dict)
    whole: list[str] = attrs.field(factory=list)
    constants: dict[str, Any] = attrs.field(factory=dict)

    def find(self, name: str) -> Any:
        """What the module has under `name`; AttributeError when that is nothing."""
        if name in self.names:
            source, original = self.names[name]
            return getattr(importlib.import_module(source), original)
        if not name.startswith("_"):
            for source in self.whole:
                module = importlib.import_module(source)
                if hasattr(module, name):
                    return getattr(module, name)
        raise AttributeError(name)

    def public(self) -> list[str]:
        """The names that `import *` takes."""
        if "__all__" in self.constants:
            return list(self.constants["__all__"])
        taken = [name for source in self.whole for name in _public(importlib.import_module(source))]
        return [name for name in (*self.names, *self.constants, *taken) if not name.startswith("_")]


class Finder:
    """Gives the modules in `PASSING_ON` a loader of their own."""  # no MetaPathFinder: `importlib.abc` takes 5 ms

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in PASSING_ON:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and type(spec.loader) is SourceFileLoader:
            spec.loader = Loader(name, spec.loader.path)
        return spec


class Loader(SourceFileLoader):
    """Loads a module that passes on names, and any other as usual."""

    def exec_module(self, module: ModuleType) -> None:
        """Fills the module's namespace."""
        # The bytes as they are: `get_source` would load `tokenize` to find out that they are UTF-8.
        exports = read_exports(self.get_data(self.path), module.__package__ or "")
        if exports is None:
            super().exec_module(module)
            return
        namespace = vars(module)
        namespace.update(exports.constants)

        def find(name: str) -> Any:
            if name == "__all__":
                return exports.public()
            try:
                namespace[name] = value = exports.find(name)
            except AttributeError:
                return _submodule(module, name)
            return value

        namespace["__getattr__"] = find
        namespace["__dir__"] = lambda: sorted({*namespace, *exports.public()})


def read_exports(source: str | bytes, package: str) -> Exports | None:
    """What a module of this source passes on; None when it does anything else besides."""
    exports = Exports()
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.ImportFrom):
            _add_names(exports, statement, package)
        elif not _add_constant(exports, statement):
            return None
    return exports


def _add_names(exports: Exports, statement: ast.ImportFrom, package: str) -> None:
    module = importlib.util.resolve_name("." * statement.level + (statement.module or ""), package)
    for alias in statement.names:
        if alias.name == "*":
            exports.whole.append(module)
        else:
            exports.names[alias.asname or alias.name] = module, alias.name


def _add_constant(exports: Exports, statement: ast.stmt) -> bool:
    """Whether this is a docstring, or a constant under one name."""
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant)
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        return False
    target = statement.targets[0]
    try:
        value = ast.literal_eval(statement.value)
    except ValueError:
        return False
    if isinstance(target, ast.Name):
        exports.constants[target.id] = value
    return isinstance(target, ast.Name)


def _submodule(module: ModuleType, name: str) -> ModuleType:
    """The package's submodule: importing the rest used to set it as an attribute, and some rely on that."""
    full = f"{module.__name__}.{name}"
    if not name.startswith("_") and hasattr(module, "__path__") and importlib.util.find_spec(full) is not None:
        return importlib.import_module(full)
    raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")


def _public(module: ModuleType) -> list[str]:
    names = getattr(module, "__all__", None)
    return list(names) if names is not None else [name for name in vars(module) if not name.startswith("_")]


sys.meta_path.insert(0, Finder())
