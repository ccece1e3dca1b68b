"""The lowest layer: tags and scalars ↔ bytes (MessagePack).

A state is written in prefix order as two flat rows: its tags, a byte each, and its scalars (None, bool, int,
float, str, bytes). Nothing is nested in MessagePack itself, so that no length in a stranger's bytes makes the
C code recurse or allocate more than those bytes account for; nesting is the reader's, which counts it.
"""

from itertools import islice
from typing import Any, Final

import msgpack

from aa_runtime.state.faults import DecodeError

#: Tags and scalars of a state, and items in packed runs. A list of 4 million floats takes 128 MiB once decoded.
MAX_VALUES: Final = 2**22
#: Levels of containers; keeps the reader and the writer far from Python's recursion limit.
MAX_DEPTH: Final = 100

SCALARS: Final = frozenset({type(None), bool, int, float, str, bytes})
_BIG_INTEGER: Final = 64
_DAMAGED: Final = "damaged"


def pack(tags: bytes | bytearray, scalars: list[Any]) -> bytes:
    """The bytes of both rows."""
    row = [bytes(tags), *scalars]
    # Twice as fast as `packb`, which takes its options through a dict.
    packer = msgpack.Packer(default=_default, strict_types=True, unicode_errors="surrogatepass", buf_size=8192)
    packed: bytes = packer.pack(row)
    # The array's own header says nothing that the end of the bytes doesn't.
    return packed[1 if len(row) < 16 else 3 if len(row) < 2**16 else 5 :]


def unpack(data: bytes) -> tuple[bytes, list[Any]]:
    """Both rows. DecodeError for anything else than scalars."""
    unpacker = msgpack.Unpacker(
        max_buffer_size=len(data) or 1,
        max_array_len=0,
        max_map_len=0,
        ext_hook=_extension,
        unicode_errors="surrogatepass",
    )
    try:
        unpacker.feed(data)
        row = list(islice(unpacker, MAX_VALUES))
    except Exception as fault:  # msgpack raises its own, ValueError and UnicodeDecodeError
        raise DecodeError(_DAMAGED) from fault
    if not row or unpacker.tell() != len(data) or not SCALARS.issuperset(map(type, row)):
        raise DecodeError(_DAMAGED)
    tags = row.pop(0)
    if type(tags) is not bytes or len(tags) > MAX_VALUES:
        raise DecodeError(_DAMAGED)
    return tags, row


def _default(value: object) -> msgpack.ExtType:
    # Called for integers beyond 64 bits only: everything else in a row is a scalar.
    if type(value) is not int:
        raise TypeError(f"{type(value).__name__} among scalars")
    size = value.bit_length() // 8 + 1
    return msgpack.ExtType(_BIG_INTEGER, value.to_bytes(size, "little", signed=True))


def _extension(code: int, data: bytes) -> int:
    if code != _BIG_INTEGER:
        raise DecodeError(_DAMAGED)
    return int.from_bytes(data, "little", signed=True)
