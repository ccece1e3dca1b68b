"""Lists of numbers ↔ bytes."""

import struct
from collections.abc import Sequence
from typing import Any, Final

from aa_runtime.state.faults import DecodeError

_SIZES: Final = {"B": 1, "h": 2, "i": 4, "q": 8, "f": 4, "d": 8}


def pack_numbers(items: Sequence[Any], kind: type) -> tuple[str, bytes] | None:
    """Typecode of `struct` and bytes of numbers that are all of one `kind`, in the fewest bytes that lose
    nothing; None where there is no such way."""
    if kind is int:
        return _pack_integers(items)
    return pack_floats(items) if kind is float else None


def pack_floats(items: Sequence[float]) -> tuple[str, bytes]:
    """As `pack_numbers`."""
    # Features often come from float32 tensors; the first item tells most of those that do not.
    for count in (1, len(items)):
        try:
            single = struct.pack(f"<{count}f", *items[:count])
        except (OverflowError, struct.error):
            break
        if struct.unpack(f"<{count}f", single) != tuple(items[:count]):
            break
    else:
        return "f", single
    return "d", struct.pack(f"<{len(items)}d", *items)


def unpack_numbers(code: str, data: bytes) -> list[Any]:
    """The numbers. DecodeError when the bytes are not a whole count of them."""
    size = _SIZES[code]
    if len(data) % size:
        raise DecodeError("damaged")
    return list(data) if code == "B" else list(struct.unpack(f"<{len(data) // size}{code}", data))


def _pack_integers(items: Sequence[int]) -> tuple[str, bytes] | None:
    try:
        return "B", bytes(items)
    except ValueError:
        pass
    for code in "hiq":
        try:
            return code, struct.pack(f"<{len(items)}{code}", *items)
        except struct.error:
            continue
    return None
