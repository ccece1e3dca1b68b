"""PBM, PGM, PPM: text, and values on a scale that is no byte's, are decoded in Python."""

import re
from typing import Final

from aa_runtime.formats.limits import SLOW_PIXELS, at_most

#: Pillow reads the header byte by byte, however long its comments are.
HEADER_BYTES: Final = 2**14
#: Each comment among pixels that are text copies up to 1 MiB.
COMMENTS: Final = 256

_GAP: Final = rb"(?:[ \t\n\x0b\x0c\r]|#[^\r\n]*[\r\n])+"
_HEADER: Final = re.compile(rb"(P[1-6f])" + _GAP + rb"(\d{1,10})" + _GAP + rb"(\d{1,10})(?:" + _GAP + rb"([-+.\w]+))?")
_FAST: Final = {b"P4": None, b"Pf": None, b"P5": (b"255", b"65535"), b"P6": (b"255",)}


def check(data: bytes) -> None:
    """TooCostly for too many pixels of the slow kinds; ValueError for a header without end."""
    found = _HEADER.match(data[:HEADER_BYTES])
    if found is None:
        raise ValueError(f"no PPM header in the first {HEADER_BYTES} bytes")
    kind, width, height, scale = found.groups()
    fast = _FAST.get(kind, ())
    if fast is None or scale in fast:
        return
    at_most(int(width) * int(height), SLOW_PIXELS, "pixels of a PPM that is text or on a scale other than 255")
    if kind in (b"P1", b"P2", b"P3"):
        at_most(data.count(b"#"), COMMENTS, "comments of a PPM")
