"""Go's ways of writing a number."""

import math
import struct


def shortest(value: float) -> str:
    """`strconv.FormatFloat(value, 'g', -1, 32)`: how a number becomes a string, with the seven digits of a float32.

    1.10 is "1.1", 123456789.0 is "1.2345679e+08".
    """
    single = _float32(value)
    if math.isnan(single):
        return "NaN"
    if math.isinf(single):
        return "+Inf" if single > 0 else "-Inf"
    if single == 0:
        return "-0" if math.copysign(1, single) < 0 else "0"
    digits, exponent = next(_scientific(single, n) for n in range(9) if _same(single, n))
    sign = "-" if single < 0 else ""
    # strconv decides between the two forms as if the precision were six.
    if exponent < -4 or exponent >= 6:
        fraction = "." + digits[1:] if len(digits) > 1 else ""
        return f"{sign}{digits[0]}{fraction}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"
    if exponent < 0:
        return f"{sign}0.{'0' * (-exponent - 1)}{digits}"
    whole, fraction = digits[: exponent + 1].ljust(exponent + 1, "0"), digits[exponent + 1 :]
    return f"{sign}{whole}.{fraction}" if fraction else sign + whole


def _float32(value: float) -> float:
    try:
        return float(struct.unpack("f", struct.pack("f", value))[0])
    except OverflowError:
        return math.copysign(math.inf, value)


def _same(single: float, precision: int) -> bool:
    return _float32(float(f"{single:.{precision}e}")) == single


def _scientific(single: float, precision: int) -> tuple[str, int]:
    mantissa, exponent = f"{abs(single):.{precision}e}".split("e")
    digits = mantissa.replace(".", "").rstrip("0")
    return digits or "0", int(exponent)


def scalar_text(value: bool | int | float) -> str:
    """A boolean or a number as nuctl makes a string of it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else shortest(value)


def json_number(value: int | float) -> str:
    """A number as Go's JSON writes it."""
    if isinstance(value, int):
        return str(value)
    if value == int(value) and abs(value) < 1e21:
        return str(int(value))
    text = repr(value)
    if 1e-6 <= abs(value) < 1e21:
        return f"{value:f}".rstrip("0") if "e" in text else text
    return text.replace("e-0", "e-")
