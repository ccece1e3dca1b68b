"""From the paths that a user names to the files that the rules look at."""

import ast
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..errors import UserError
from .bundle import Bundle, Function
from .near import near
from .source import PythonFile, argument, module_file
from .versions import Settings

_YAML = (".yaml", ".yml", ".json")
# `aa_runtime` is the runtime that bundles carry; the others hold copies of foreign code.
_SKIPPED = {"aa_runtime", "node_modules", "__pycache__", "site-packages", "venv"}
# Nuclio cannot carry a configuration that is larger; other programs' data are.
_LARGEST = 1_000_000
# What a configuration has at its top, and what people put there.
_TOP = ("apiVersion", "metadata", "spec", "handler", "runtime", "triggers", "annotations")


class Targets:
    """What is checked: `bundles`, and in `python` the AA functions with the modules of their own that they import."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.bundles: list[Bundle] = []
        self.python: list[PythonFile] = []
        self.seen: set[Path] = set()

    @property
    def functions(self) -> list[Function]:
        """The AA functions."""
        return [file for file in self.python if isinstance(file, Function)]

    def add(self, file: Path, *, named: bool, bundle: bool) -> None:
        """Adds a file if it is one to check. Raises OSError."""
        if file.resolve() in self.seen:
            return
        if file.suffix in _YAML and (named or _may_be_config(file)):
            found = Bundle(file, self.settings, named=bundle)
            if named or not _foreign(found):
                self.seen.add(file.resolve())
                self.bundles.append(found)
                self._add_loaded(found)
        elif file.suffix == ".py" and (named or _may_be_function(file)):
            self._add_function(Function(file))
        elif named and file.suffix not in _YAML:
            raise UserError(f"{file} is neither YAML nor Python", remedy="name a function.yaml or a .py file")

    def _add_loaded(self, bundle: Bundle) -> None:
        """The AA functions that a bundle loads by their file: `FunctionSource(file="func.py")`."""
        for module in list(bundle.modules.values()):
            for call, name in module.calls:
                source = _file_name(argument(call, "file"), module) if name.endswith("FunctionSource") else None
                if source and (file := bundle.folder / source).is_file() and file.resolve() not in self.seen:
                    self._add_function(Function(file, _literal(argument(call, "parameters"), file.parent)))

    def _add_function(self, function: Function) -> None:
        self.seen.add(function.file.resolve())
        self.python.append(function)
        queue = list(function.imported)
        while queue:
            name = queue.pop()
            file = module_file(function.file.parent, name)
            if file and file.resolve() not in self.seen and name.split(".")[0] not in _SKIPPED:
                self.seen.add(file.resolve())
                function.modules[name] = PythonFile(file)
                self.python.append(function.modules[name])
                queue += function.modules[name].imported


def discover(paths: Sequence[Path], settings: Settings) -> Targets:
    """Bundles, configuration files and AA functions under the paths; a file that is named is always looked at.

    Raises:
        UserError: nothing at a path, or nothing to check under it.
    """
    targets = Targets(settings)
    for path in paths:
        before = len(targets.seen)
        try:
            if path.is_dir():
                for file in _walk(path):
                    targets.add(file, named=False, bundle=file.parent in (path, path / "nuclio"))
            elif path.is_file():
                targets.add(path, named=True, bundle=True)
            else:
                raise UserError(f"no such file or folder: {path}")
        except OSError as error:
            raise UserError(f"cannot read {error.filename or path}", why=error.strerror or str(error)) from None
        if len(targets.seen) == before and path.resolve() not in targets.seen:
            remedy = "name a bundle, a function.yaml or an auto-annotation function"
            raise UserError(
                f"nothing to check in {path}", why="no function.yaml and no AA function in it", remedy=remedy
            )
    return targets


def _walk(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in _SKIPPED and not name.startswith("."))
        # Reading what is no file, such as a pipe, would wait for ever.
        yield from (path for path in (Path(parent, name) for name in sorted(files)) if path.is_file())


def _file_name(node: ast.expr | None, module: PythonFile) -> str | None:
    """The file beside the module: `"func.py"`, `Path(__file__).with_name("func.py")` or `HERE / "func.py"`."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "with_name":
        node = node.args[0] if node.args else None
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        node = node.right
    return module.string(node)


def _literal(node: ast.expr | None, folder: Path) -> dict[str, object] | None:
    """The parameters that a bundle gives to its function, where they are written out."""
    if not isinstance(node, ast.Dict):
        return None
    pairs = zip(node.keys, node.values, strict=True)
    try:
        return {ast.literal_eval(key): _value(value, folder) for key, value in pairs if key}
    except ValueError:
        return None


def _value(node: ast.expr, folder: Path) -> object:
    """A literal, or `str(HERE / "…")`: a file of the bundle."""
    path = node.args[0] if isinstance(node, ast.Call) and ast.unparse(node).startswith("str(HERE / ") else None
    return str(folder / ast.literal_eval(path.right)) if isinstance(path, ast.BinOp) else ast.literal_eval(node)


def _may_be_config(file: Path) -> bool:
    """By its name, or because it says what a configuration of Nuclio's says."""
    if file.stem == "function" or file.stem.startswith(("function-", "function_")):
        return True
    if file.stat().st_size > _LARGEST:
        return False
    data = file.read_bytes()
    return all(word in data for word in (b"metadata", b"spec", b"handler", b"runtime", b"triggers"))


def _foreign(bundle: Bundle) -> bool:
    """Whether a function.yaml of a tree belongs to another program: Kubernetes, MLRun, Helm's templates."""
    if bundle.reading.refused:
        return b"{{" in bundle.data
    data = bundle.places.root.data
    if not isinstance(data, dict):
        return False
    # Another program's function.yaml has nothing like these.
    if data and not any(near(str(key), _TOP, 0.85) for key in data):
        return True
    version, kind = (str(data[key].value.data) if key in data else "" for key in ("apiVersion", "kind"))
    if version:
        return not version.startswith("nuclio.io/")
    return bool(kind) and kind not in ("NuclioFunction", "Function")


def _may_be_function(file: Path) -> bool:
    """Whether a Python file of a tree is written against cvat-sdk's protocol, as far as it can be read."""
    data = file.read_bytes()
    mentions = b"cvat_sdk.auto_annotation" in data or b"auto_annotation as" in data or b"ReIDFunctionSpec" in data
    # A module that is private by its name is there for the functions beside it.
    if not mentions or file.name.startswith(("test_", "_")):
        return False
    module = PythonFile(file)
    return module.error is not None or bool({"spec", "create"} & set(module.names)) or _has_spec(module)


def _has_spec(module: PythonFile) -> bool:
    """Whether a class holds the spec: the commonest mistake is to forget `create = TheClass`."""
    classes = [node for node in module.tree.body if isinstance(node, ast.ClassDef)]
    return any("FunctionSpec(" in ast.unparse(node) for node in classes)
