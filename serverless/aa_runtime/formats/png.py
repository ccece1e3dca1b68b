"""PNG: chunks are read in Python, and packed text unfolds up to a thousandfold."""

import struct
from typing import Final

from aa_runtime.formats.limits import at_most

#: libpng writes pixels in chunks of 8 KiB; a chunk takes some five microseconds.
CHUNKS: Final = 1024
BYTES_A_CHUNK: Final = 1024
#: Each unfolds to 1 MiB at most (`PIL.PngImagePlugin.MAX_TEXT_CHUNK`). Pillow's own limit for all of them leaves out
#: profiles, text without a keyword and text that is not UTF-8.
PACKED_CHUNKS: Final = 32


def check(data: bytes) -> None:
    """TooCostly for too many chunks."""
    position, chunks, packed, name = 8, 0, 0, b""
    most = CHUNKS + len(data) // BYTES_A_CHUNK
    while name != b"IEND" and position + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, position)
        position += 12 + length
        chunks += 1
        packed += name in (b"zTXt", b"iTXt", b"iCCP")
        at_most(chunks, most, "chunks of a PNG")
        at_most(packed, PACKED_CHUNKS, "packed texts and profiles of a PNG")
