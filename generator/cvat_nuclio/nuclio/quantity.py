"""Kubernetes quantities (`4Gi`, `500m`, `0.5`): what is accepted and how it is written back."""

import re

REGEX_ERROR = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
SUFFIX_ERROR = "unable to parse quantity's suffix"
_SHAPE = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)")
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
NANO = 10**9


class BadQuantity(ValueError):
    """Not a quantity; the message is Kubernetes's."""


def parse(text: str) -> tuple[int, str]:
    """The value in billionths, and the family of its suffix: `decimal`, `binary` or `exponent`."""
    match = _SHAPE.fullmatch(text)
    if not match or not (match[2] or match[3]):
        raise BadQuantity(REGEX_ERROR)
    digits, decimals = int((match[2] or "") + (match[3] or "")), len(match[3] or "")
    factor, power, family = _suffix(match[4])
    power += 9 - decimals
    # Kubernetes keeps nothing below a billionth and rounds away from zero.
    scaled = digits * factor * 10**power if power >= 0 else -(-digits * factor // 10**-power)
    return (-scaled if match[1] == "-" else scaled), family


def _suffix(suffix: str) -> tuple[int, int, str]:
    """A factor, a power of ten beside it, and the family."""
    if suffix in _DECIMAL:
        return 1, _DECIMAL[suffix], "decimal"
    if suffix in _BINARY:
        return 1024 ** _BINARY[suffix], 0, "binary"
    if re.fullmatch(r"[eE][-+]?[0-9]+", suffix) and abs(int(suffix[1:])) < 100:
        return 1, int(suffix[1:]), "exponent"
    raise BadQuantity(SUFFIX_ERROR)


def canonical(text: str) -> str:
    """As Nuclio writes it back: `0.5` is `500m`, `1.5Gi` is `1536Mi`, `1024Mi` is `1Gi`."""
    value, family = parse(text)
    if value == 0:
        return "0"
    if family == "binary" and abs(value) >= 1024 * NANO and value % NANO == 0:
        number, power = value // NANO, 0
        while number % 1024 == 0 and power < 6:
            number, power = number // 1024, power + 1
        return str(number) + next((suffix for suffix, p in _BINARY.items() if p == power), "")
    exponent = -9
    while value % 1000 == 0 and exponent < 18:
        value, exponent = value // 1000, exponent + 3
    if family == "exponent":
        return f"{value}e{exponent}" if exponent else str(value)
    return str(value) + next(suffix for suffix, p in _DECIMAL.items() if p == exponent)
