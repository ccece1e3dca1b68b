"""What a user asks of `cvat-nuclio track`."""

import attrs

from . import TOLERANCE


@attrs.frozen
class Options:
    """`tolerance` is in pixels. `detect_every` frames a detector looks for new objects, 0 on the first frame alone.

    `keep_shapes`: shapes that a track began with stay beside it. `polygons`: of masks.
    """

    shapes: tuple[int, ...] = ()
    tolerance: float = TOLERANCE
    backward: bool = False
    detect_every: int = 0
    keep_shapes: bool = False
    polygons: bool = False
