"""Kinds of options: what `cvat-nuclio.yaml` may hold for one, how it is checked, what the file's schema says of it.

An option is one field of `bundle_options`, and one line of the command line.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from ..errors import UserError
from .texts import quantity as quantity_form

#: Raises UserError for a text; the first argument names the option.
TextCheck = Callable[[str, str], object]
#: Raises UserError for a whole value that has the right type.
ValueCheck = Callable[[Any], object]
#: A text of the command line, whose paths start in the current folder → as the file of a bundle's folder holds it.
Move = Callable[[str, Path], str]

#: Nuclio keeps numbers in 32 bits.
LARGEST = 2**31 - 1
_UNITS = {"": 1, "k": 1000, "m": 1000**2, "g": 1000**3, "ki": 2**10, "mi": 2**20, "gi": 2**30}
_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?) *([kmg]i?|)b?", re.IGNORECASE)


@attrs.frozen(kw_only=True)
class Kind:
    """What is known of an option beside its name and its default."""

    schema: Mapping[str, Any]
    """JSON Schema of its value in the file."""
    check: TextCheck | None = None
    """For each text in it; a map's names are texts too."""
    move: Move | None = None
    """For each text of the command line."""
    is_map: bool = False


def kind_of(field: "attrs.Attribute[Any]") -> Kind:
    """The kind of a field that one of the functions below made."""
    kind: Kind = field.metadata["kind"]
    return kind


def flag_of(field: str) -> str:
    """`event_timeout` → `--event-timeout`."""
    return "--" + field.replace("_", "-")


def text(
    check: TextCheck | None = None, *, default: str | None = None, also: ValueCheck | None = None,
    move: Move | None = None,
) -> Any:  # fmt: skip
    """One text. `check` is not asked about an empty one, `also` is."""
    schema = {"type": _types(["string"], default)}
    return _field(Kind(schema=schema, check=check, move=move), also, default=default, validator=_is(str, default))


def texts(check: TextCheck, *, move: Move | None = None) -> Any:
    """A list of texts; a lone text is a list of one."""
    schema = {"type": ["array", "string"], "items": {"type": ["string", "number"]}}
    return _field(Kind(schema=schema, check=check, move=move), factory=tuple, converter=as_list)


def mapping(check: TextCheck, *, also: ValueCheck | None = None, move: Move | None = None) -> Any:
    """Texts by name. On the command line, and in a list, `NAME=VALUE`."""
    schema = {
        "type": ["object", "array", "string"],
        "additionalProperties": {"type": ["string", "number", "boolean"]},
        "items": {"type": "string", "pattern": "^[^=]+="},
        "pattern": "^[^=]+=",
    }
    kind = Kind(schema=schema, check=check, move=move, is_map=True)
    return _field(kind, also, factory=dict, converter=as_map)


def choice(*allowed: str, default: str | None = None) -> Any:
    """One of some words. A number in the file stands for its digits."""

    def check(instance: object, attribute: "attrs.Attribute[Any]", value: str | None) -> None:
        if value not in allowed and (value is not None or default is not None):
            flag = flag_of(attribute.name)
            raise UserError(f"{flag} {value} is not known", remedy=f"{flag} {' or '.join(allowed)}")

    values = [*allowed, *(int(word) for word in allowed if word.isdigit()), *([] if default else [None])]
    return _field(Kind(schema={"enum": values}), default=default, validator=check, converter=_OPTIONAL_TEXT)


def number(least: int, *, default: int | None = None, most: int = LARGEST) -> Any:
    """A whole number from `least` to `most`."""

    def check(instance: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
        if (value, default) != (None, None) and (type(value) is not int or not least <= value <= most):
            given = str(value)[:40]
            raise UserError(f"{flag_of(attribute.name)} {given} is not a whole number from {least} {words}")

    words = "on" if most == LARGEST else f"to {most}"
    schema = {"type": _types(["integer"], default), "minimum": least, "maximum": most}
    return _field(Kind(schema=schema), default=default, validator=check)


def switch(*, default: bool | None = None) -> Any:
    """True or false; None: the generator decides."""
    return _field(Kind(schema={"type": _types(["boolean"], default)}), default=default, validator=_is(bool, default))


def size() -> Any:
    """Bytes, as `parse_size` reads them."""
    return _figure(parse_size)


def quantity() -> Any:
    """What Kubernetes calls a quantity: `2`, `500m`, `4Gi`."""
    return _figure(quantity_form, pattern=f"^({quantity_form.pattern})$")


def _figure(check: TextCheck, **schema: str) -> Any:
    """A text that people write as a number too; an empty one is refused."""

    def ask(instance: object, attribute: "attrs.Attribute[Any]", value: str | None) -> None:
        if value is not None:
            check(flag_of(attribute.name), value)

    kind = Kind(schema={"type": ["string", "number", "null"], **schema})
    return _field(kind, default=None, validator=ask, converter=_OPTIONAL_TEXT)


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
        return {str(key): str(item).lower() if isinstance(item, bool) else str(item) for key, item in value.items()}
    pairs = [item.partition("=") for item in as_list(value)]
    if bad := [name for name, equals, _ in pairs if not (name and equals)]:
        raise ValueError(f"{bad[0]!r} is not NAME=VALUE")
    return {name: text for name, _, text in pairs}


_OPTIONAL_TEXT = attrs.converters.optional(str)


def _field(kind: Kind, also: ValueCheck | None = None, *, validator: Any = None, **more: Any) -> Any:
    def check(instance: object, attribute: "attrs.Attribute[Any]", value: Any) -> None:
        if kind.check is not None:
            for given in _texts_in(value):
                if given:
                    kind.check(flag_of(attribute.name), given)
        if also is not None and value is not None:
            also(value)

    validators = [validator, check] if validator else [check]
    return attrs.field(validator=validators, metadata={"kind": kind}, **more)


def _texts_in(value: str | Sequence[str] | Mapping[str, str] | None) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [*value, *(value.values() if isinstance(value, Mapping) else ())] if value else []


def _types(names: list[str], default: object) -> list[str]:
    """JSON's names of types; null stands for a default of None."""
    return [*names, "null"] if default is None else names


def _is(wanted: type, default: object) -> Callable[[object, "attrs.Attribute[Any]", object], None]:
    words, remedy = ("not text", "put it in quotes") if wanted is str else ("neither true nor false", "")

    def check(instance: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
        if (value, default) != (None, None) and not isinstance(value, wanted):
            raise UserError(f"{attribute.name.replace('_', '-')}: {value!r} is {words}", remedy=remedy)

    return check
