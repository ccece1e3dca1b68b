"""`cvat-nuclio track`: a clip followed from end to end, and stored as CVAT's tracks.

What a user asks for is here, where nothing slow is imported: the defaults are read for every command's help.
"""

from typing import NamedTuple

TOLERANCE = 1.0
DETECT_EVERY = 10


class Options(NamedTuple):
    """`tolerance` is in pixels. `detect_every` frames a detector looks for new objects, 0 on the first frame alone.

    `keep_shapes`: shapes that a track began with stay beside it. `polygons`: of masks.
    """

    shapes: tuple[int, ...] = ()
    tolerance: float = TOLERANCE
    backward: bool = False
    detect_every: int = 0
    keep_shapes: bool = False
    polygons: bool = False
