"""Kubernetes quantities (`4Gi`, `500m`, `0.5`): what is accepted and how it is written back."""

import re
from fractions import Fraction

REGEX_ERROR = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
SUFFIX_ERROR = "unable to parse quantity's suffix"
_SHAPE = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)")
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_NANO = Fraction(1, 10**9)


class BadQuantity(ValueError):
    """Not a quantity; the message is Kubernetes's."""


def parse(text: str) -> tuple[Fraction, str]:
    """The value and the family of its suffix: `decimal`, `binary` or `exponent`."""
    match = _SHAPE.fullmatch(text)
    if not match or not (match[2] or match[3]):
        raise BadQuantity(REGEX_ERROR)
    number = Fraction(int((match[2] or "") + (match[3] or "")), 10 ** len(match[3] or ""))
    scale, family = _suffix(match[4])
    value = number * scale
    # Kubernetes keeps nothing below a nano and rounds away from zero.
    value = -(-value // _NANO) * _NANO
    return (-value if match[1] == "-" else value), family


def _suffix(suffix: str) -> tuple[Fraction, str]:
    if suffix in _DECIMAL:
        return Fraction(10) ** _DECIMAL[suffix], "decimal"
    if suffix in _BINARY:
        return Fraction(1024 ** _BINARY[suffix]), "binary"
    if re.fullmatch(r"[eE][-+]?[0-9]+", suffix):
        return Fraction(10) ** int(suffix[1:]), "exponent"
    raise BadQuantity(SUFFIX_ERROR)


def canonical(text: str) -> str:
    """As Nuclio writes it back: `0.5` is `500m`, `1.5Gi` is `1536Mi`, `1024Mi` is `1Gi`."""
    value, family = parse(text)
    if value == 0:
        return "0"
    if family == "binary" and (abs(value) < 1024 or value.denominator != 1):
        family = "decimal"
    if family == "binary":
        number, power = int(value), 0
        while number % 1024 == 0 and power < 6:
            number, power = number // 1024, power + 1
        return f"{number}{ {v: k for k, v in _BINARY.items()}.get(power, '') }"
    exponent = 0
    while value.denominator != 1:
        value, exponent = value * 1000, exponent - 3
    number = int(value)
    while number % 1000 == 0 and exponent < 18:
        number, exponent = number // 1000, exponent + 3
    if family == "exponent":
        return f"{number}e{exponent}" if exponent else str(number)
    return f"{number}{ {v: k for k, v in _DECIMAL.items()}[exponent] }"
