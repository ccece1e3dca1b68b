"""Go's `time.ParseDuration` and `Duration.String`, in seconds."""

import re

_UNITS = {"ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_PART = re.compile(r"([0-9]*)(?:\.([0-9]*))?")
_UNIT = re.compile(r"[^0-9.]+")
_LIMIT = 2**63


class BadDuration(ValueError):
    """Not a Go duration; the message is Go's."""


def nanoseconds(text: str) -> int:
    """The length of a duration such as `1m30s`, `1.5s`, `-2h` or `0`.

    Raises:
        BadDuration: no unit (`30`), an unknown one (`1d`, `30S`, `30 s`), or no number.
    """
    sign, rest = (-1, text[1:]) if text[:1] == "-" else (1, text.removeprefix("+"))
    if rest == "0":
        return 0
    if not rest:
        raise BadDuration(f'time: invalid duration "{text}"')
    total = 0
    while rest:
        length, rest = _part(text, rest)
        total += length
    if total > _LIMIT - (sign > 0):
        raise BadDuration(f'time: invalid duration "{text}"')
    return sign * total


def _part(text: str, rest: str) -> tuple[int, str]:
    number = _PART.match(rest)
    whole, fraction = (number[1], number[2] or "") if number else ("", "")
    rest = rest[number.end() :] if number else rest
    if not whole and not fraction:
        raise BadDuration(f'time: invalid duration "{text}"')
    unit = _UNIT.match(rest)
    if not unit:
        raise BadDuration(f'time: missing unit in duration "{text}"')
    if unit[0] not in _UNITS:
        raise BadDuration(f'time: unknown unit "{unit[0]}" in duration "{text}"')
    scale = _UNITS[unit[0]]
    part = int(whole or 0) * scale + int(fraction or 0) * scale // 10 ** len(fraction)
    return part, rest[unit.end() :]


def seconds(text: str) -> float:
    """`nanoseconds` as seconds."""
    return nanoseconds(text) / 1e9


def text_of(length: int) -> str:
    """Nanoseconds as Go prints a duration: `1m30s`, `500ms`, `1h0m0s`, `0s`."""
    sign, length = ("-", -length) if length < 0 else ("", length)
    if length == 0:
        return "0s"
    for unit, scale in (("ns", 1), ("µs", 10**3), ("ms", 10**6)):
        if length < (scale * 1000 if unit != "ms" else 10**9):
            return sign + _decimal(length, scale) + unit
    minutes, rest = divmod(length, 60 * 10**9)
    hours, minutes = divmod(minutes, 60)
    text = _decimal(rest, 10**9) + "s"
    if hours or minutes:
        text = f"{minutes}m{text}"
    return sign + (f"{hours}h{text}" if hours else text)


def _decimal(value: int, scale: int) -> str:
    whole, rest = divmod(value, scale)
    fraction = str(rest).rjust(len(str(scale)) - 1, "0").rstrip("0") if rest else ""
    return f"{whole}.{fraction}" if fraction else str(whole)
