"""BMP: run lengths are decoded in Python, run by run, and the rest of a line pixel by pixel."""

import struct
from typing import Final

from aa_runtime.formats.limits import SLOW_PIXELS, at_most

_RUN_LENGTHS: Final = (1, 2)
#: Without a pixel saved: a run of two bytes for each, and as much again for ends of lines.
BYTES_A_PIXEL: Final = 4
_EXTRA_BYTES: Final = 2**16


def check(data: bytes) -> None:
    """TooCostly for too many pixels in run lengths, or for runs that no pixel needs."""
    (header_size,) = struct.unpack_from("<I", data, 14)
    if header_size < 40:
        return
    width, height, _, compression = struct.unpack_from("<iiII", data, 18)
    if compression not in _RUN_LENGTHS:
        return
    pixels = abs(width * height)
    at_most(pixels, SLOW_PIXELS, "pixels of a BMP in run lengths")
    at_most(len(data), BYTES_A_PIXEL * pixels + _EXTRA_BYTES, f"bytes of a BMP of {pixels} pixels in run lengths")
