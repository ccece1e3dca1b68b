"""The lowest layer: tags and scalars ↔ bytes.

A state is written in prefix order as two flat rows: its tags, a byte each, and its scalars (None, bool, int,
float, str, bytes) in MessagePack. Nothing is nested in MessagePack itself, so that no length in a stranger's bytes
makes the C code recurse or allocate more than those bytes account for; nesting is the reader's, which counts it.
"""

import struct
from itertools import islice
from typing import Any, Final

import msgpack

from aa_runtime.state import tags
from aa_runtime.state.budget import WEIGHTS, Cost
from aa_runtime.state.faults import DecodeError, EncodeError

SCALARS: Final = frozenset({type(None), bool, int, float, str, bytes})
_DAMAGED: Final = "damaged"
#: How many tags follow, how many scalars follow them.
_COUNTS: Final = struct.Struct("<II")


def pack(tag_row: bytes | bytearray, scalars: list[Any]) -> bytes:
    """The bytes of both rows. EncodeError for an integer beyond 64 bits."""
    # Twice as fast as `packb`, which takes its options through a dict.
    packer = msgpack.Packer(strict_types=True, unicode_errors="surrogatepass", buf_size=8192)
    try:
        packed: bytes = packer.pack(scalars)
    except OverflowError:
        raise EncodeError("an integer of more than 64 bits has no encoding") from None
    # The array's own header is left out: the count says the same.
    header = 1 if len(scalars) < 16 else 3 if len(scalars) < 2**16 else 5
    return b"".join((_COUNTS.pack(len(tag_row), len(scalars)), tag_row, packed[header:]))


def cost_of(data: bytes) -> Cost:
    """What decoding the rows takes, by their tags and by the count of scalars to which `unpack` holds them."""
    count, scalars = _counts(data)
    tag_row = data[_COUNTS.size : _COUNTS.size + count]
    nodes = count - tag_row.count(tags.SCALAR)
    for tag, weight in WEIGHTS.items():
        nodes += (weight - 1) * (tag_row.count(tag) + tag_row.count(tag | tags.FLAT))
    return Cost(count + scalars, nodes)


def unpack(data: bytes) -> tuple[bytes, list[Any]]:
    """Both rows. DecodeError for anything else than scalars, and for more or fewer than the rows say."""
    count, scalars = _counts(data)
    start = _COUNTS.size + count
    unpacker = msgpack.Unpacker(
        max_buffer_size=len(data), max_array_len=0, max_map_len=0, max_ext_len=0, unicode_errors="surrogatepass"
    )
    try:
        unpacker.feed(memoryview(data)[start:])
        row = list(islice(unpacker, scalars))
    except Exception as fault:  # msgpack raises its own, ValueError and UnicodeDecodeError
        raise DecodeError(_DAMAGED) from fault
    if len(row) != scalars or unpacker.tell() != len(data) - start or not SCALARS.issuperset(map(type, row)):
        raise DecodeError(_DAMAGED)
    return data[_COUNTS.size : start], row


def _counts(data: bytes) -> tuple[int, int]:
    if len(data) < _COUNTS.size:
        raise DecodeError(_DAMAGED)
    count, scalars = _COUNTS.unpack_from(data)
    if _COUNTS.size + count + scalars > len(data):  # a scalar takes a byte at least
        raise DecodeError(_DAMAGED)
    return count, scalars
