"""Attribute values as the strings that CVAT keeps.

CVAT's server drops a value silently that it does not like (the task's default is stored instead), fails the
whole job for a value that is no string, and for a text of more than 4096 characters.
"""

import math
from collections.abc import Callable
from typing import Any, Final, NamedTuple, SupportsFloat

from cvat_sdk.attributes import attribute_value_validator

from aa_runtime.errors import FunctionError

MAX_TEXT: Final = 4096


class Attribute(NamedTuple):
    """One attribute of a label or sublabel of the spec."""

    name: str
    input_type: str
    is_suitable: Callable[[str], bool]

    @classmethod
    def from_spec(cls, spec: Any) -> "Attribute":
        """Of an `AttributeRequest`."""
        is_suitable = attribute_value_validator(spec)
        return cls(name=spec.name, input_type=spec.input_type.value, is_suitable=is_suitable)

    def written(self, value: object, spec_id: int) -> str:
        """The value as CVAT wants it: numbers as whole digits, checkboxes as `true` or `false`.

        FunctionError, in the words of cvat-sdk's driver, for a value outside what the spec allows.
        """
        text = _WRITERS.get(self.input_type, _as_text)(value)
        if not self.is_suitable(text):
            raise FunctionError(
                f"function output attribute value ({str(value)[:80]!r})"
                f" that is unsuitable for its attribute ({spec_id})"
            )
        return text


def write_attributes(annotation: Any, known: dict[int, Attribute]) -> list[dict[str, str]]:
    """`[{name, value}]` of an annotation's attributes, by the label's attributes `known` by id."""
    written: dict[int, dict[str, str]] = {}
    for value in annotation.get("attributes") or ():
        attribute = known.get(value.spec_id)
        if attribute is None:
            raise FunctionError(f"function output attribute with unknown ID ({value.spec_id})")
        if value.spec_id in written:
            raise FunctionError("function output shape with multiple attributes with same ID")
        written[value.spec_id] = {
            "name": attribute.name,
            "value": attribute.written(value.value, value.spec_id),
        }
    return list(written.values())


def _plain(value: object) -> object:
    """numpy's and torch's scalars as Python's."""
    item = getattr(value, "item", None)
    return item() if callable(item) and not isinstance(value, (str, bytes)) else value


def _as_text(value: object) -> str:
    value = _plain(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    # PostgreSQL refuses NUL, UTF-8 refuses lone surrogates; either would fail the whole job.
    text = str(value).replace("\0", "").encode("utf-8", "replace").decode("utf-8")
    return text[:MAX_TEXT]


def _as_number(value: object) -> str:
    value = _plain(value)
    try:
        number = float(value) if isinstance(value, (str, SupportsFloat)) else math.nan
    except (ValueError, OverflowError):
        return _as_text(value)
    whole = math.isfinite(number) and number.is_integer() and abs(number) < 2**53
    return str(int(number)) if whole else _as_text(value)


def _as_checkbox(value: object) -> str:
    text = _as_text(value).strip().lower()
    return {"1": "true", "0": "false"}.get(text, text)


_WRITERS: Final[dict[str, Callable[[object], str]]] = {"number": _as_number, "checkbox": _as_checkbox}
