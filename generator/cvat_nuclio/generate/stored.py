"""The options in `cvat-nuclio.yaml` and those on the command line, put together."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import UserError
from . import names, option_file
from .description import Description
from .values import as_map

#: Options that hold `NAME=VALUE`: given again, a name's value changes and the others stay.
MAPS = ("function-parameters", "gpu-parameters", "env", "node-selector")
FUNCTION = ("function-module", "function-file")


def merge(folder: Path, given: Mapping[str, Any], *, new: bool, force: bool) -> dict[str, Any]:
    """The options of a bundle. `new`: the command line has them all. Raises UserError.

    A new bundle in the place of one with other options needs `force`.
    """
    if not new:
        return _changed(option_file.read(folder), given)
    options = _new(folder, given)
    if force or not (folder / option_file.NAME).is_file():
        return options
    old = option_file.read(folder)
    _check_same(folder, old, options)
    return old


def settled(options: Mapping[str, Any], bundle: Description, *, new: bool) -> Mapping[str, Any]:
    """The options to keep: a new bundle's working directory only where loading the function depends on it."""
    if not new or "working-directory" not in options or _depends_on_directory(bundle):
        return options
    kept = dict(options)
    del kept["working-directory"]
    return kept


def _depends_on_directory(bundle: Description) -> bool:
    options = bundle.options
    directory = options.path(options.working_directory)
    source = options.file.parent if options.file else None
    modules = any(source is None or not module.file.is_relative_to(source) for module in bundle.probe.local)
    texts = options.function_parameters.values()
    values = [text.removeprefix("str:") for text in texts if text.startswith("str:") and text != "str:"]
    return modules or any(os.path.exists(directory / value) for value in values)  # noqa: PTH110 - takes any text


def _new(folder: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    options = {key: _tidy(key, value) for key, value in given.items()}
    directory = Path(os.path.relpath(Path.cwd(), folder)).as_posix()
    if directory != ".":
        options.setdefault("working-directory", directory)
    name = options.pop("name", None) or names.default_name(folder, given.get("function-module"))
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
    if set(FUNCTION) & set(given):
        for key in FUNCTION:
            old.pop(key, None)
    for key, value in given.items():
        new = _tidy(key, value)
        if key in MAPS and isinstance(old.get(key), dict):
            old[key].update(new)
        else:
            old[key] = new
    return old


def _tidy(key: str, value: Any) -> Any:
    if key not in MAPS:
        return value
    try:
        return dict(as_map(value))
    except ValueError as error:
        raise UserError(f"--{key.removesuffix('s')}: {error}") from error
