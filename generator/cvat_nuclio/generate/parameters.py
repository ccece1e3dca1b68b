"""The values that a function's `create` gets: cvat-cli's `TYPE:VALUE`, and `file:PATH`, which goes into the bundle."""

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import attrs
from attrs.converters import to_bool

from ..errors import UserError
from .bundle_options import FunctionOptions
from .probe import Probe

FILE = "file:"
#: cvat-cli's types.
_TYPES: Mapping[str, Callable[[str], object]] = {"int": int, "float": float, "str": str, "bool": to_bool}


@attrs.frozen
class Carried:
    """A file or a folder that goes into the bundle; `create` gets its path there."""

    source: Path
    """Absolute."""
    place: str
    """Below the bundle's folder."""


@attrs.frozen(kw_only=True)
class Parameters:
    """Both forms' values, by name; a `Carried` stands for the path of a file."""

    cpu: Mapping[str, object]
    gpu: Mapping[str, object]
    """What the GPU form gets instead, or beside."""

    @property
    def here(self) -> dict[str, object]:
        """What the function is loaded with on this machine."""
        return {name: str(value.source) if isinstance(value, Carried) else value for name, value in self.cpu.items()}

    @property
    def carried(self) -> Iterator[tuple[str, Carried]]:
        """Each file with its option, as the user wrote it."""
        for flag, values in (("-p", self.cpu), ("--gpu-parameter", self.gpu)):
            for name, value in values.items():
                if isinstance(value, Carried):
                    yield f"{flag} {name}={FILE}{value.source}", value


def parameters(function: FunctionOptions) -> Parameters:
    """Both forms' values. Raises UserError for text of the wrong kind, and for a file that is not there."""
    places: dict[str, Path] = {}
    cpu, gpu = (
        {name: _value(function, flag, name, text, places) for name, text in given.items()}
        for flag, given in (("-p", function.function_parameters), ("--gpu-parameter", function.gpu_parameters))
    )
    return Parameters(cpu=cpu, gpu=gpu)


def _value(function: FunctionOptions, flag: str, name: str, text: str, places: dict[str, Path]) -> object:
    if not text.startswith(FILE):
        return _typed(flag, name, text)
    source = function.path(text.removeprefix(FILE))
    if not source.exists() or source in (Path("/"), function.folder, function.nuclio):
        raise UserError(
            f"{flag} {name}={text}: there is no such file or folder",
            why=f"looked for {source}",
            remedy=f"lay it there, or name another: {flag} {name}={FILE}PATH",
        )
    inside = source.is_relative_to(function.nuclio)
    place = source.relative_to(function.nuclio).as_posix() if inside else source.name
    if places.setdefault(place, source) != source:
        # Two runs of a training often end in files of one name.
        place = f"{name}/{place}"
        places[place] = source
    return Carried(source, place)


def _typed(flag: str, name: str, text: str) -> object:
    """cvat-cli's `TYPE:VALUE`. Raises UserError in cvat-cli's words."""
    kind, colon, value = text.partition(":")
    if not colon:
        raise UserError(f"{flag} {name}={text}: parameter type not specified", remedy=f"{flag} NAME=TYPE:VALUE")
    if kind not in _TYPES:
        raise UserError(
            f"{flag} {name}={text}: unsupported parameter type {kind!r}", remedy=f"one of {', '.join(_TYPES)} and file"
        )
    try:
        return _TYPES[kind](value)
    except ValueError as error:
        raise UserError(f"{flag} {name}={text}: {value!r} is no {kind}", why=str(error)) from error


def check_gpu(values: Parameters, found: Probe) -> None:
    """Raises UserError where the GPU form, which nobody tries here, could not load the function with its values."""
    for name in values.gpu:
        if not found.takes(name):
            taken = ", ".join(found.create or ()) or "none"
            raise UserError(
                f"--gpu-parameter {name}: the function takes no parameter of that name", why=f"its create takes {taken}"
            )


def refuse_parameters(parameters: Sequence[str]) -> None:
    """Raises UserError where there are any, for what is no single function's file."""
    if parameters:
        raise UserError(
            f"-p {parameters[0]} has no function to go to",
            why="parameters go with one function's file; a bundle holds its own",
            remedy=f"cvat-nuclio generate DIR -p {shlex.quote(parameters[0])}",
        )
