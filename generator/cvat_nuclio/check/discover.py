"""From the paths that a user names to the files that the rules look at."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import UserError
from .config import Config
from .settings import Settings
from .source import PythonFile

_YAML = (".yaml", ".yml", ".json")
# `aa_runtime` is the runtime that bundles carry; the others hold copies of foreign code.
_SKIPPED = {"aa_runtime", "node_modules", "__pycache__", "site-packages", "venv"}


@dataclass(slots=True)
class Targets:
    """What is checked."""

    configs: list[Config] = field(default_factory=list)
    functions: list[PythonFile] = field(default_factory=list)


def discover(paths: Sequence[Path], settings: Settings) -> Targets:
    """Bundles, configuration files and AA functions under the paths; a file that is named is always looked at.

    Raises:
        UserError: nothing at a path, or nothing to check under it.
    """
    targets = Targets()
    seen: set[Path] = set()
    for path in paths:
        before = len(seen)
        if path.is_dir():
            for file in _walk(path):
                _add(file, targets, settings, seen, named=False, bundle=file.parent in (path, path / "nuclio"))
        elif path.is_file():
            _add(path, targets, settings, seen, named=True, bundle=True)
        else:
            raise UserError(f"no such file or folder: {path}")
        if len(seen) == before and path.resolve() not in seen:
            remedy = "name a bundle, a function.yaml or an auto-annotation function"
            raise UserError(
                f"nothing to check in {path}", why="no function.yaml and no AA function in it", remedy=remedy
            )
    return targets


def _walk(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in _SKIPPED and not name.startswith("."))
        yield from (Path(parent, name) for name in sorted(files))


def _add(file: Path, targets: Targets, settings: Settings, seen: set[Path], *, named: bool, bundle: bool) -> None:
    stem, suffix = file.stem, file.suffix
    is_config = suffix in _YAML and (named or stem == "function" or stem.startswith("function-"))
    if not is_config and suffix != ".py":
        if named:
            raise UserError(f"{file} is neither YAML nor Python", remedy="name a function.yaml or a .py file")
        return
    if (resolved := file.resolve()) in seen:
        return
    try:
        if is_config:
            config = Config(file, settings, named=bundle)
            if not named and _foreign(config):
                return
            targets.configs.append(config)
        elif named or _looks_like_function(file):
            targets.functions.append(PythonFile(file, is_function=True))
        else:
            return
    except OSError as error:
        raise UserError(f"cannot read {file}", why=error.strerror or str(error)) from None
    seen.add(resolved)


def _foreign(config: Config) -> bool:
    """Whether a function.yaml of a tree belongs to another program: Kubernetes, MLRun, Helm's templates."""
    if config.built.refused:
        return b"{{" in config.data
    data = config.node.data
    if not isinstance(data, dict):
        return False
    version, kind = (str(data[key].value.data) if key in data else "" for key in ("apiVersion", "kind"))
    if version:
        return not version.startswith("nuclio.io/")
    return bool(kind) and kind not in ("NuclioFunction", "Function")


def _looks_like_function(file: Path) -> bool:
    data = file.read_bytes()
    mentions = b"cvat_sdk.auto_annotation" in data or b"auto_annotation as" in data or b"ReIDFunctionSpec" in data
    if not mentions or file.name.startswith("test_"):
        return False
    module = PythonFile(file)
    return module.error is None and ("spec" in module.names or "create" in module.names)
