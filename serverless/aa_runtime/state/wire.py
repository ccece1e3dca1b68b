"""The lowest layer: a flat row of values ↔ bytes (MessagePack).

A state is written in prefix order as one flat row of None, bool, int, float, str, bytes and tags. Nothing is
nested in MessagePack itself, so that no length in a stranger's bytes makes the C code recurse or allocate
more than those bytes account for; nesting is the reader's, which counts it.
"""

from itertools import islice
from typing import Any, Final

import msgpack

from aa_runtime.state import tags
from aa_runtime.state.faults import DecodeError
from aa_runtime.state.tags import Tag

#: Values in a row, and items in packed runs. A list of 4 million floats takes 128 MiB once decoded.
MAX_VALUES: Final = 2**22
#: Levels of containers; keeps the reader and the writer far from Python's recursion limit.
MAX_DEPTH: Final = 100

SCALARS: Final = frozenset({type(None), bool, int, float, str, bytes})
_ROW_TYPES: Final = SCALARS | {Tag}
_BIG_INTEGER: Final = 64


def pack(row: list[Any]) -> bytes:
    """The bytes of a row of scalars and the marks of tags."""
    packed: bytes = msgpack.packb(
        row, default=_default, strict_types=True, unicode_errors="surrogatepass", buf_size=8192
    )
    # The array's own header says nothing that the end of the bytes doesn't.
    return packed[1 if len(row) < 16 else 3 if len(row) < 2**16 else 5 :]


def unpack(data: bytes) -> list[Any]:
    """The row of scalars and `Tag`s in `data`. DecodeError for anything else."""
    unpacker = msgpack.Unpacker(
        max_buffer_size=max(len(data), 1),
        max_array_len=0,
        max_map_len=0,
        ext_hook=_extension,
        unicode_errors="surrogatepass",
    )
    try:
        unpacker.feed(data)
        row = list(islice(unpacker, MAX_VALUES))
    except Exception as fault:  # msgpack raises its own, ValueError and UnicodeDecodeError
        raise DecodeError("damaged") from fault
    if unpacker.tell() != len(data) or not _ROW_TYPES.issuperset(map(type, row)):
        raise DecodeError("damaged")
    return row


def _default(value: object) -> msgpack.ExtType:
    # Called for integers beyond 64 bits only: everything else in a row is a scalar or an ExtType.
    if type(value) is not int:
        raise TypeError(f"{type(value).__name__} in a row")
    size = value.bit_length() // 8 + 1
    return msgpack.ExtType(_BIG_INTEGER, value.to_bytes(size, "little", signed=True))


def _extension(code: int, data: bytes) -> object:
    if code == _BIG_INTEGER:
        return int.from_bytes(data, "little", signed=True)
    tag = tags.BY_CODE.get(code)
    if tag is None or data:
        raise DecodeError("damaged")
    return tag
