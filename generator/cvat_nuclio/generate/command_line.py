"""What a command line asks for: bundles that are there or functions that become new ones, and the options of each."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from ..errors import UserError
from . import names, option_file
from .bundle_options import key_of, option_fields
from .description import Description
from .option_kinds import Move, as_map, kind_of
from .probe_modules import READY

FUNCTION = ("function-module", "function-file")


@attrs.frozen
class Target:
    """One bundle to write: its folder, and the function where it is named anew."""

    folder: Path
    function: Mapping[str, str]
    """`function_file` or `function_module`; empty for a bundle that is there."""

    @property
    def is_new(self) -> bool:
        """Whether the command line has all options."""
        return bool(self.function)


def targets(words: Sequence[str], output: Path | None, given: Mapping[str, object]) -> list[Target]:
    """The bundles of a command line. `given` are its other options. Raises UserError."""
    named = {key: str(given[key]) for key in ("function_file", "function_module") if given.get(key)}
    if named and not words:
        return [_beside(named, output)]
    if not words:
        raise UserError("name the function, or a bundle to regenerate", remedy="generate func.py, or generate DIR")
    found = [_target(word, output) for word in words]
    functions = [target for target in found if target.is_new]
    if named and functions:
        raise UserError("the function is named twice", why=f"{words[0]}, and {_flag(named)}", remedy="give one of them")
    if output is not None and (len(words) > 1 or not functions):
        raise UserError("--output names one new bundle, DIR one that is there", remedy="give one of them")
    return found


def _flag(named: Mapping[str, str]) -> str:
    key, value = next(iter(named.items()))
    return f"--{key.replace('_', '-')} {value}"


def _target(word: str, output: Path | None) -> Target:
    path = Path(word)
    if path.suffix == ".py" and not path.is_dir():
        return _beside({"function_file": word}, output)
    if not path.exists() and "." in word and all(part.isidentifier() for part in word.split(".")):
        return _beside({"function_module": word}, output)
    if not path.exists():
        raise UserError(
            f"there is no {word}", remedy="a function's file (func.py) or module (package.module), or a bundle's folder"
        )
    if not (path / option_file.NAME).is_file() and (path / "func.py").is_file():
        raise UserError(
            f"{word} is no bundle yet",
            why=f"it has no {option_file.NAME}",
            remedy=f"cvat-nuclio generate {path / 'func.py'}",
        )
    return Target(path, {})


def _beside(function: Mapping[str, str], output: Path | None) -> Target:
    """A new bundle: in `output`, else in a folder of the function's own name, beside its file or in the current one."""
    if output is not None:
        return Target(output, function)
    file, module = function.get("function_file"), function.get("function_module", "")
    folder = Path(file).with_suffix("") if file else Path(module.rpartition(".")[2])
    if folder.exists() and not (folder / option_file.NAME).is_file() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(
            f"{folder} is there, and is no bundle", why="the new bundle would go there", remedy="another: --output DIR"
        )
    return Target(folder, function)


def merge(folder: Path, given: Mapping[str, Any], *, new: bool, force: bool) -> dict[str, Any]:
    """The options of a bundle, as its file holds them. Raises UserError.

    `given` are the command line's, named as argparse does; other names than options' are left out. `new`: they are all
    that the bundle has. A new bundle in the place of one with other options needs `force`.
    """
    own = _own(given, folder)
    if not new:
        return _changed(option_file.read(folder), own)
    old = option_file.read(folder) if (folder / option_file.NAME).is_file() else {}
    options = _new(folder, own, str(old.get("name") or ""))
    if force or not old:
        return options
    _check_same(folder, old, options)
    return old


def settled(options: dict[str, Any], bundle: Description, *, new: bool) -> Mapping[str, Any]:
    """The options to keep: a new bundle's working directory only where loading the function depends on it, and where
    a tracker's states live if that was chosen."""
    if bundle.answers.state:
        options["state"] = bundle.answers.state
    if bundle.weights:
        options["weights"] = {one.file: one.text for one in bundle.weights}
    if bundle.image.digests:
        options["digests"] = dict(bundle.image.digests)
    if new and not _depends_on_directory(bundle):
        options.pop("working-directory", None)
    return options


def _depends_on_directory(bundle: Description) -> bool:
    function = bundle.function
    source = function.file.parent if function.file else None
    own = [module for module in bundle.probe.local if not module.name.startswith(READY)]
    modules = any(source is None or not module.file.is_relative_to(source) for module in own)
    texts = function.function_parameters.values()
    values = [text.removeprefix("str:") for text in texts if text.startswith("str:") and text != "str:"]
    return modules or any(os.path.exists(function.directory / value) for value in values)  # noqa: PTH110 - takes any text


def _own(given: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """What the command line gives, with paths that start in the bundle's folder, and maps as maps."""
    kinds = {field.name: kind_of(field) for _, field in option_fields()}
    own: dict[str, Any] = {}
    for name in (name for name in given if name in kinds):
        kind, value = kinds[name], given[name]
        if kind.move is not None:
            value = _moved(value, kind.move, folder)
        own[key_of(name)] = _map(name, value) if kind.is_map else value
    return own


def _moved(value: str | Sequence[str], move: Move, folder: Path) -> str | list[str]:
    return move(value, folder) if isinstance(value, str) else [move(text, folder) for text in value]


def _map(field: str, value: Any) -> dict[str, str]:
    try:
        return dict(as_map(value))
    except ValueError as error:
        raise UserError(f"--{key_of(field).removesuffix('s')}: {error}") from error


def _new(folder: Path, options: dict[str, Any], name: str) -> dict[str, Any]:
    """`name` is the id that the bundle has, if there is one: where none is chosen it stays."""
    directory = Path(os.path.relpath(Path.cwd(), folder)).as_posix()
    if directory != ".":
        options.setdefault("working-directory", directory)
    name = options.pop("name", None) or name or names.default_name(folder, options.get("function-module"))
    head: dict[str, Any] = {key: options.pop(key) for key in FUNCTION if key in options}
    return {**head, "name": name, **options}


def _check_same(folder: Path, old: Mapping[str, Any], options: Mapping[str, Any]) -> None:
    for key in sorted({*old, *options} - {"working-directory"}):
        if old.get(key) != options.get(key):
            raise UserError(
                f"{folder / option_file.NAME} has other options",
                why=f"{key}: {old.get(key, 'not set')} there, {options.get(key, 'not given')} here",
                remedy=f"change it with `cvat-nuclio generate {folder} --OPTION ...`, or replace it with --force",
            )


def _changed(old: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """A map's names that are given again change, and the others stay."""
    if set(FUNCTION) & set(given):
        for key in FUNCTION:
            old.pop(key, None)
    if given.get("pin-digests") is not None:
        old.pop("digests", None)  # asked for again
    for key, value in given.items():
        if isinstance(value, dict) and isinstance(old.get(key), dict):
            old[key].update(value)
        else:
            old[key] = value
    return old
