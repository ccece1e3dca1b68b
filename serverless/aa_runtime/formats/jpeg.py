"""JPEG: each scan of a progressive file, even an empty one, goes over all pixels; segments are read in Python."""

import re
from collections import Counter
from typing import Final

from aa_runtime.formats.limits import at_most

#: libjpeg writes ten, mozjpeg some fifteen.
SCANS: Final = 32
#: A profile, a depth map or a long XMP takes one for each 64 KB.
SEGMENTS: Final = 512
#: Bytes between segments, which readers skip one by one.
JUNK: Final = 2**16
#: Of one kind, of those that are read value by value: tables of four quantizers, Photoshop's resources.
SLOW_SEGMENTS: Final = 32
#: Programs write one; Pillow joins more, and makes each fraction in them a Python object.
EXIF_SEGMENTS: Final = 4

_MARKER: Final = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_END, _START, _SCAN, _EXIF = 0xD9, 0xD8, 0xDA, 0xE1
_SLOW: Final = {0xDB: "quantizers", 0xED: "resources of Photoshop"}
#: From here on a marker has a length. Of those below libjpeg skips the marker alone, and reads on in what follows.
_FIRST_OF_LENGTH: Final = 0xC0


def check(data: bytes) -> None:
    """TooCostly for too many scans or segments. What follows the end of the first picture is not looked at."""
    position, segments, scans, junk = 2, 0, 0, 0
    kinds: Counter[int] = Counter()
    while found := _MARKER.search(data, position):
        if not scans:
            junk += found.start() - position
        marker, position = found[0][1], found.end()
        # An end before any scan is that of tables alone, after which libjpeg goes on with the next picture.
        if marker == _END and scans:
            return
        segments += 1
        scans += marker == _SCAN
        kinds[marker] += marker != _EXIF or data[position + 2 : position + 8] == b"Exif\0\0"
        at_most(scans, SCANS, "scans of a JPEG")
        at_most(segments, SEGMENTS, "segments of a JPEG")
        at_most(junk, JUNK, "bytes between the segments of a JPEG")
        at_most(kinds[_EXIF], EXIF_SEGMENTS, "pieces of a JPEG's EXIF")
        if marker in _SLOW:
            at_most(kinds[marker], SLOW_SEGMENTS, f"segments of a JPEG with {_SLOW[marker]}")
        if marker >= _FIRST_OF_LENGTH and marker not in (_START, _END):
            position += int.from_bytes(data[position : position + 2], "big")
