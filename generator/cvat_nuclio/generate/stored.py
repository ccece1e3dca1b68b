"""The options in `cvat-nuclio.yaml` and those on the command line, put together."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import UserError
from . import names, option_file
from .bundle_options import key_of, option_fields
from .description import Description
from .option_kinds import Move, kind_of
from .values import as_map

FUNCTION = ("function-module", "function-file")
#: Found wherever cvat-nuclio is.
READY = "cvat_functions"


def merge(folder: Path, given: Mapping[str, Any], *, new: bool, force: bool) -> dict[str, Any]:
    """The options of a bundle, as its file holds them. Raises UserError.

    `given` are the command line's, named as argparse does; other names than options' are left out. `new`: they are all
    that the bundle has. A new bundle in the place of one with other options needs `force`.
    """
    own = _own(given, folder)
    if not new:
        return _changed(option_file.read(folder), own)
    options = _new(folder, own)
    if force or not (folder / option_file.NAME).is_file():
        return options
    old = option_file.read(folder)
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
    if not new or "working-directory" not in options or _depends_on_directory(bundle):
        return options
    kept = dict(options)
    del kept["working-directory"]
    return kept


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


def _new(folder: Path, options: dict[str, Any]) -> dict[str, Any]:
    directory = Path(os.path.relpath(Path.cwd(), folder)).as_posix()
    if directory != ".":
        options.setdefault("working-directory", directory)
    name = options.pop("name", None) or names.default_name(folder, options.get("function-module"))
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
