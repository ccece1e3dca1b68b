"""How Nuclio's YAML library (go-yaml v2, YAML 1.1) resolves plain scalars."""

import base64
import binascii
import math
import re

_CONSTANTS: dict[str, bool | float | None] = {
    **dict.fromkeys(["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"], True),
    **dict.fromkeys(["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"], False),
    **dict.fromkeys(["", "~", "null", "Null", "NULL"], None),
    **dict.fromkeys([".nan", ".NaN", ".NAN"], math.nan),
    **dict.fromkeys([".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"], math.inf),
    **dict.fromkeys(["-.inf", "-.Inf", "-.INF"], -math.inf),
}
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INTEGER = re.compile(r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))")
_TAG = "tag:yaml.org,2002:"
_RESOLVABLE = {_TAG + name for name in ("str", "bool", "int", "float", "null", "timestamp")}
INT64_MIN, INT64_MAX, UINT64_MAX = -(2**63), 2**63 - 1, 2**64 - 1

Scalar = str | int | float | bool | None


class BadScalar(ValueError):
    """An explicit tag that the text does not fit; the message is go-yaml's."""


def resolve(text: str) -> Scalar:
    """The value of a plain, untagged scalar: yes is true, 010 is 8, 1_000 is 1000, 12:30 and dates are strings."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] not in "+-.0123456789":
        return text
    plain = text if text[0] == "." else text.replace("_", "")
    if (number := _integer(plain)) is not None:
        return number
    if _FLOAT.fullmatch(plain):
        value = float(plain)
        return text if math.isinf(value) else value
    return text


def _integer(plain: str) -> int | None:
    match = _INTEGER.fullmatch(plain)
    if not match:
        return None
    sign, hexadecimal, binary, octal, decimal = match.groups()
    bases = ((hexadecimal, 16), (binary, 2), (octal, 8), (decimal, 10))
    value = next(int(digits, base) for digits, base in bases if digits is not None)
    value = -value if sign == "-" else value
    # strconv.ParseUint, the second try, takes no sign.
    return value if INT64_MIN <= value <= (INT64_MAX if sign else UINT64_MAX) else None


def tagged(text: str, tag: str) -> Scalar:
    """The value of a scalar with an explicit tag; an unknown tag leaves a string."""
    if tag == _TAG + "binary":
        return _binary(text)
    if tag not in _RESOLVABLE or tag == _TAG + "str":
        return text
    value = resolve(text)
    name = {bool: "bool", int: "int", float: "float", str: "str", type(None): "null"}[type(value)]
    wanted = tag.removeprefix(_TAG)
    if wanted == "float" and name == "int":
        return float(value)  # type: ignore[arg-type]
    if wanted not in (name, "timestamp"):
        raise BadScalar(f"cannot decode !!{name} `{text}` as a !!{wanted}")
    return value


def _binary(text: str) -> str:
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode("utf-8", "replace")
    except binascii.Error:
        raise BadScalar("!!binary value contains invalid base64 data") from None
