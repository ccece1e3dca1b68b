"""What a user asks of `cvat-nuclio track`."""

from dataclasses import dataclass

from . import TOLERANCE


# No attrs class: the command line reads the defaults at its start.
@dataclass(frozen=True, slots=True)
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
