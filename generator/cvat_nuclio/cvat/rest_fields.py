"""Django REST framework's fields: how CVAT's serializers read one JSON value, and in which words they refuse it.

Each reader takes a value and returns what the field makes of it. It raises `Refused` for what the field refuses, and
Python's own exceptions where the framework lets them pass (the caller then gets a 500).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .rest_errors import REST_VALIDATION, CvatError

Reader = Callable[[Any], Any]

_LONGEST_NUMBER = 1000
_TRUE = ("t", "y", "yes", "true", "on", "1")
_FALSE = ("f", "n", "no", "false", "off", "0")


class Detail:
    """One refusal, printed as the framework prints it."""

    def __init__(self, text: str, code: object = "invalid") -> None:
        self.text, self.code = text, code

    def __repr__(self) -> str:
        return f"ErrorDetail(string={self.text!r}, code={self.code!r})"


class Refused(Exception):
    """A value is refused. `detail`: a list of `Detail`, or refusals by key, index or position."""

    def __init__(self, detail: Any) -> None:
        super().__init__(str(detail))
        self.detail = detail

    @classmethod
    def for_(cls, text: str, code: object = "invalid") -> "Refused":
        return cls([Detail(text, code)])

    def as_error(self) -> CvatError:
        """What the caller of the REST API gets."""
        return CvatError(REST_VALIDATION, str(self.detail), 400, detail=plain(self.detail))


def rest_error(text: str, code: object = "invalid") -> CvatError:
    """The framework's ValidationError with one text: a list in the answer, unlike Django's own."""
    return Refused.for_(text, code).as_error()


def plain(detail: Any) -> Any:
    """Refusals in JSON types, as in the body of the REST answer."""
    if isinstance(detail, Detail):
        return detail.text
    if isinstance(detail, dict):
        return {str(key): plain(value) for key, value in detail.items()}
    return [plain(value) for value in detail]


def not_null(value: Any) -> None:
    """Most fields do not take null."""
    if value is None:
        raise Refused.for_("This field may not be null.", "null")


def boolean(value: Any) -> bool:
    """true, false, 0, 1 and the words for them in any case."""
    not_null(value)
    word = value.lower() if isinstance(value, str) else value
    if word in _TRUE or (word == 1 and isinstance(word, int | float)):
        return True
    if word in _FALSE or (word == 0 and isinstance(word, int | float)):
        return False
    raise Refused.for_("Must be a valid boolean.")


def number(minimum: float | None = None, maximum: float | None = None) -> Reader:
    """What Python's `float` takes, booleans and "nan" among it."""

    def read(value: Any) -> float:
        not_null(value)
        _check_length(value)
        try:
            found = float(value)
        except (TypeError, ValueError):
            raise Refused.for_("A valid number is required.") from None
        _check_range(found, minimum, maximum)
        return found

    return read


def integer(minimum: int | None = None) -> Reader:
    """Whole numbers, also as 2.0 or "3"."""

    def read(value: Any) -> int:
        not_null(value)
        _check_length(value)
        try:
            found = int(re.sub(r"\.0*\s*$", "", str(value)))
        except (TypeError, ValueError):
            raise Refused.for_("A valid integer is required.") from None
        _check_range(found, minimum, None)
        return found

    return read


def _check_length(value: Any) -> None:
    if isinstance(value, str) and len(value) > _LONGEST_NUMBER:
        raise Refused.for_("String value too large.", "max_string_length")


def _check_range(value: float, minimum: float | None, maximum: float | None) -> None:
    # In this form, so that NaN passes as it does there.
    if maximum is not None and value > maximum:
        raise Refused.for_(f"Ensure this value is less than or equal to {maximum}.", "max_value")
    if minimum is not None and value < minimum:
        raise Refused.for_(f"Ensure this value is greater than or equal to {minimum}.", "min_value")


def text(longest: int | None = None, *, blank: bool = False) -> Reader:
    """Text without the spaces around it; numbers become text."""

    def read(value: Any) -> str:
        not_null(value)
        if not str(value).strip():
            if not blank:
                raise Refused.for_("This field may not be blank.", "blank")
            return ""
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise Refused.for_("Not a valid string.")
        found = str(value).strip()
        refusals = list(_characters(found, longest))
        if refusals:
            raise Refused(refusals)
        return found

    return read


def _characters(found: str, longest: int | None) -> Sequence[Detail]:
    details = []
    if longest is not None and len(found) > longest:
        details.append(Detail(f"Ensure this field has no more than {longest} characters.", "max_length"))
    if "\0" in found:
        details.append(Detail("Null characters are not allowed.", "null_characters_not_allowed"))
    surrogate = next((character for character in found if 0xD800 <= ord(character) <= 0xDFFF), None)
    if surrogate:
        message = f"Surrogate characters are not allowed: U+{ord(surrogate):X}."
        details.append(Detail(message, "surrogate_characters_not_allowed"))
    return details


def choice(choices: Sequence[str]) -> Reader:

    def read(value: Any) -> str:
        not_null(value)
        if str(value) not in choices:
            raise Refused.for_(f'"{value}" is not a valid choice.', "invalid_choice")
        return str(value)

    return read


def array(read_item: Reader, length: int) -> Reader:

    def read(value: Any) -> list[Any]:
        not_null(value)
        if isinstance(value, str | Mapping) or not hasattr(value, "__iter__"):
            raise Refused.for_(f'Expected a list of items but got type "{type(value).__name__}".', "not_a_list")
        found = _each(enumerate(value), read_item)
        if len(found) < length:
            raise Refused.for_(f"Ensure this field has at least {length} elements.", "min_length")
        if len(found) > length:
            raise Refused.for_(f"Ensure this field has no more than {length} elements.", "max_length")
        return list(found.values())

    return read


def dictionary(read_item: Reader) -> Reader:
    """An object whose values are all read alike."""

    def read(value: Any) -> dict[str, Any]:
        not_null(value)
        if not isinstance(value, dict):
            message = f'Expected a dictionary of items but got type "{type(value).__name__}".'
            raise Refused.for_(message, "not_a_dict")
        return _each(value.items(), read_item)

    return read


def record(readers: Mapping[str, Reader], required: Sequence[str] = ()) -> Reader:
    """An object with these fields; others are left out."""

    def read(value: Any) -> dict[str, Any]:
        not_null(value)
        if not isinstance(value, Mapping):
            message = f"Invalid data. Expected a dictionary, but got {type(value).__name__}."
            raise Refused({"non_field_errors": [Detail(message)]})
        missing = {name: [Detail("This field is required.", "required")] for name in required if name not in value}
        found, refused = _sorted_out(((name, value[name]) for name in readers if name in value), readers.get)
        if missing or refused:
            raise Refused({name: (missing | refused)[name] for name in readers if name in missing or name in refused})
        return found

    return read


def many(read_item: Reader) -> Reader:
    """A list of objects. Its refusals are a list too: one for each item, {} where the item is good."""

    def read(value: Any) -> list[Any]:
        found, refused = _sorted_out(enumerate(value), lambda _: read_item)
        if refused:
            raise Refused([refused.get(index, {}) for index in range(len(value))])
        return list(found.values())

    return read


def _each(items: Any, read_item: Reader) -> dict[Any, Any]:
    found, refused = _sorted_out(items, lambda _: read_item)
    if refused:
        raise Refused(refused)
    return found


def _sorted_out(items: Any, reader_of: Callable[[Any], Any]) -> tuple[dict[Any, Any], dict[Any, Any]]:
    """What the readers make of the items, and what they refuse, by key."""
    found, refused = {}, {}
    for key, item in items:
        try:
            found[key] = reader_of(key)(item)
        except Refused as refusal:
            refused[key] = refusal.detail
    return found, refused
