"""JPEG 2000: memory goes by tiles, precincts and code blocks, of which a file may have as many as pixels."""

import struct
from collections.abc import Iterator
from typing import Final

from aa_runtime.formats.limits import at_least, at_most

#: Boxes before the codestream, and within the header box; read in Python.
BOXES: Final = 256
#: Marker segments of one header.
MARKERS: Final = 256
#: Tiles, and one more for each so many pixels. Encoders write tiles of 128 to 1024 pixels a side.
TILES: Final = 64
PIXELS_A_TILE: Final = 64 * 64
#: Parts of tiles, to each tile.
PARTS_A_TILE: Final = 64
LAYERS: Final = 256
#: Changes of the order of packets, to each tile: each goes over all places of a tile. Cinema's files have two.
CHANGES_A_TILE: Final = 4
COMPONENTS: Final = 4
#: Precincts of all resolutions of a tile, and one more for each so many of its pixels. Encoders write sides of 128 and
#: more, halved from each resolution to the next smaller: one for each 2,700 pixels.
PRECINCTS: Final = 64
PIXELS_A_PRECINCT: Final = 1024
#: Pixels of a code block, as a power of two. Encoders write 10 or 12.
CODE_BLOCK: Final = 8

_CODESTREAM, _HEADER_BOX, _SIZE_BOX = b"jp2c", b"jp2h", b"ihdr"
_SIZ, _COD, _COC, _POC, _TILE_PART, _DATA, _END = 0xFF51, 0xFF52, 0xFF53, 0xFF5F, 0xFF90, 0xFF93, 0xFFD9
#: Of those that OpenJPEG does not know it skips two bytes, and takes what follows for the next marker.
_KNOWN: Final = frozenset(
    {*range(0xFF50, 0xFF54), 0xFF55, *range(0xFF57, 0xFF5A), *range(0xFF5C, 0xFF62), 0xFF63}
).union({0xFF64, 0xFF74, 0xFF75, 0xFF77, 0xFF78, _TILE_PART})


def check(data: bytes) -> None:
    """TooCostly for too many boxes, markers, tiles, layers, precincts or code blocks; ValueError for a size that is not
    that of the header."""
    start, size = (0, None) if data[:2] == b"\xff\x4f" else _boxes(data)
    (marker,) = struct.unpack_from(">H", data, start + 2)
    if marker != _SIZ:
        raise ValueError("a codestream without a size")
    _, _, right, bottom, left, top, tile_width, tile_height, tile_left, tile_top, components = struct.unpack_from(
        ">HHIIIIIIIIH", data, start + 4
    )
    pixels = (right - left) * (bottom - top)
    if size is not None and size != (right - left, bottom - top):
        raise ValueError("two different sizes")
    at_most(components, COMPONENTS, "components of a JPEG 2000")
    tiles = -((tile_left - right) // tile_width) * -((tile_top - bottom) // tile_height)
    at_most(tiles, TILES + pixels // PIXELS_A_TILE, "tiles of a JPEG 2000")
    tile = min(tile_width, right), min(tile_height, bottom)
    _check_markers(data, start + 2, tiles, tile)


def _boxes(data: bytes) -> tuple[int, tuple[int, int] | None]:
    """Where the codestream starts, and the size in the header box."""
    size, count = None, 0
    for name, start, end in _walk(data, 0, len(data)):
        at_most(count := count + 1, BOXES, "boxes of a JPEG 2000")
        if name == _CODESTREAM:
            return start, size
        if name == _HEADER_BOX and size is None:
            for inner, inner_start, _ in _walk(data, start, end):
                at_most(count := count + 1, BOXES, "boxes of a JPEG 2000")
                if inner == _SIZE_BOX:
                    height, width = struct.unpack_from(">II", data, inner_start)
                    size = width, height
    raise ValueError("no codestream")


def _walk(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and end of what is in each box."""
    while start + 8 <= end:
        length, name = struct.unpack_from(">I4s", data, start)
        head = 8
        if length == 1:
            (length,), head = struct.unpack_from(">Q", data, start + 8), 16
        last = start + length if length else end  # 0: to the end of the file
        if last < start + head:
            raise ValueError("a box shorter than its head")
        yield name, start + head, last
        start = last


def _check_markers(data: bytes, position: int, tiles: int, tile: tuple[int, int]) -> None:
    """Those of the main header and of each part of a tile."""
    parts, markers, changes, end = 0, 0, 0, len(data)
    while position + 4 <= len(data):
        marker, length = struct.unpack_from(">HH", data, position)
        if marker == _END:
            return
        if marker == _DATA:
            position = end
            continue
        if marker not in _KNOWN:
            raise ValueError(f"a marker {marker:x}")
        if marker == _TILE_PART:
            markers = 0
            at_most(parts := parts + 1, PARTS_A_TILE * tiles, "parts of a JPEG 2000's tiles")
            (size,) = struct.unpack_from(">I", data, position + 6)
            end = position + max(size, 14) if size else len(data)
        at_most(markers := markers + 1, MARKERS, "markers of a JPEG 2000")
        if marker == _COD:
            at_most(struct.unpack_from(">H", data, position + 6)[0], LAYERS, "layers of a JPEG 2000")
            _check_coding(data, position + 9, tile if data[position + 4] & 1 else None)
        if marker == _COC:
            _check_coding(data, position + 6, tile if data[position + 5] & 1 else None)
        if marker == _POC:
            # Of seven bytes, or of nine for more than 256 components.
            changes += (length - 2) // 7
            at_most(changes, CHANGES_A_TILE * tiles, "changes of order of a JPEG 2000")
        position += 2 + max(length, 2)


def _check_coding(data: bytes, position: int, tile: tuple[int, int] | None) -> None:
    """Code blocks, and precincts where the file has its own: then `tile` is a tile's size."""
    levels, width, height = data[position : position + 3]
    at_least(width + 2 + height + 2, CODE_BLOCK, "code blocks of a JPEG 2000")
    if tile is None:
        return
    count = 0
    for level, sides in enumerate(data[position + 5 : position + 6 + levels]):
        across, down = (-(-side >> levels - level) for side in tile)
        count += -(-across >> (sides & 15)) * -(-down >> (sides >> 4))
    at_most(count, PRECINCTS + tile[0] * tile[1] // PIXELS_A_PRECINCT, "precincts of a JPEG 2000")
