"""GIF: what comes before the first picture is read in Python, block by block."""

from typing import Final

from aa_runtime.formats.limits import at_most

#: Comments and application data come in blocks of up to 255 bytes, and XMP, read as such blocks, in some of 60.
BLOCKS: Final = 2**16


def check(data: bytes) -> None:
    """TooCostly for too many blocks before the first picture."""
    position, blocks = 13, 0
    if data[10] & 0x80:
        position += 3 << (data[10] & 7) + 1
    while data[position] not in b",;":
        at_most(blocks := blocks + 1, BLOCKS, "blocks of a GIF")
        if data[position] != ord("!"):
            position += 1
            continue
        position += 2
        while size := data[position]:
            at_most(blocks := blocks + 1, BLOCKS, "blocks of a GIF")
            position += 1 + size
        position += 1
