"""Values of options: cvat-cli's `-p`, sizes, maps, lists."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs.converters import to_bool

from ..errors import UserError

_UNITS = {"": 1, "k": 1000, "m": 1000**2, "g": 1000**3, "ki": 2**10, "mi": 2**20, "gi": 2**30}
_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?) *([kmg]i?|)b?", re.IGNORECASE)


def parse_parameter(flag: str, name: str, text: str) -> object:
    """cvat-cli's `TYPE:VALUE`. Raises UserError in cvat-cli's words."""
    kind, colon, value = str(text).partition(":")
    if not colon:
        raise UserError(f"{flag} {name}={text}: parameter type not specified", remedy=f"{flag} NAME=TYPE:VALUE")
    converters: dict[str, Callable[[str], object]] = {"int": int, "float": float, "str": str, "bool": to_bool}
    if kind not in converters:
        raise UserError(
            f"{flag} {name}={text}: unsupported parameter type {kind!r}",
            remedy=f"one of {', '.join(converters)} and file",
        )
    try:
        return converters[kind](value)
    except ValueError as error:
        raise UserError(f"{flag} {name}={text}: {value!r} is no {kind}", why=str(error)) from error


def parse_size(flag: str, text: str) -> int:
    """Bytes: `33554432`, `32Mi`, `32MiB`, `64M`. Raises UserError."""
    found = _SIZE.fullmatch(text.strip())
    size = int(float(found[1]) * _UNITS[found[2].lower()]) if found else 0
    if size < 1:
        raise UserError(f"{flag} {text} is no size", remedy="bytes, or with a unit: 32Mi")
    return size


def as_list(value: Any) -> Sequence[str]:
    """A list of texts; one text stands for a list of one."""
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, Sequence):
        raise TypeError(f"{value!r} is not a list")
    return tuple(str(item) for item in value)


def as_map(value: Any) -> Mapping[str, str]:
    """Texts by name; a list of `NAME=VALUE` will do. A bool becomes `true` or `false`, as YAML means it."""
    if isinstance(value, Mapping):
        return {str(key): _text(item) for key, item in value.items()}
    pairs = [item.partition("=") for item in as_list(value)]
    if bad := [name for name, equals, _ in pairs if not (name and equals)]:
        raise ValueError(f"{bad[0]!r} is not NAME=VALUE")
    return {name: text for name, _, text in pairs}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
