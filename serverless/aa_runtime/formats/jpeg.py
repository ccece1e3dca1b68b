"""JPEG: each scan of a progressive file, even an empty one, goes over all pixels; segments are read in Python."""

import re
from typing import Final

from aa_runtime.formats.limits import at_most

#: libjpeg writes ten, mozjpeg some fifteen.
SCANS: Final = 32
#: A profile, a depth map or a long XMP takes one for each 64 KB.
SEGMENTS: Final = 512
#: Bytes between segments, which readers skip one by one.
JUNK: Final = 2**16

_MARKER: Final = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_END, _SCAN, _ALONE = 0xD9, 0xDA, (0x01, 0xD8)


def check(data: bytes) -> None:
    """TooCostly for too many scans or segments. What follows the end of the first picture is not looked at."""
    position, segments, scans, junk = 2, 0, 0, 0
    while found := _MARKER.search(data, position):
        if not scans:
            junk += found.start() - position
        marker, position = found[0][1], found.end()
        if marker == _END:
            return
        segments += 1
        scans += marker == _SCAN
        at_most(scans, SCANS, "scans of a JPEG")
        at_most(segments, SEGMENTS, "segments of a JPEG")
        at_most(junk, JUNK, "bytes between the segments of a JPEG")
        if marker not in _ALONE:
            position += int.from_bytes(data[position : position + 2], "big")
