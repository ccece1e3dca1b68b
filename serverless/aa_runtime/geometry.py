"""Points of shapes: finite, inside the image, in CVAT's order; what has no extent left is refused.

Coordinates are continuous pixels: an image of width W spans 0..W. CVAT's server stores whatever it gets, and
its UI then cannot open the job, so everything is put right here. CVAT's own UI clamps the same shapes to the
image, and like this module leaves alone those that cannot be clamped: cuboids and ellipses (and rotated
rectangles, see `rectangle`).
"""

import math
from collections.abc import Callable, Sequence
from typing import Final

from aa_runtime import contract
from aa_runtime.errors import FunctionError
from aa_runtime.paths import EPSILON, Point, clip, flat, is_line, pairs, without_repeats

Size = tuple[int, int]

#: A shape that cannot be clipped may reach this many image sizes beyond the image. A stored coordinate of
#: 1e300 made a CVAT export run out of memory.
FAR: Final = 8

NOT_FINITE: Final = "not finite"
OUTSIDE: Final = "outside the image"
NO_EXTENT: Final = "without extent"


class Dropped(Exception):
    """The shape cannot be kept; the text says why, in few words that the log counts."""


def repair(shape_type: str, points: Sequence[float], rotation: float, size: Size) -> tuple[list[float], float]:
    """Points and rotation as CVAT stores them, for every type but mask and skeleton.

    `rotation` is in degrees clockwise, of any size; 0 comes back for types that CVAT does not rotate. Raises
    Dropped for a shape that is not finite, outside the image or without extent, and FunctionError for a wrong
    count of numbers.
    """
    if not all(map(math.isfinite, points)) or not math.isfinite(rotation):
        raise Dropped(NOT_FINITE)
    _check_count(shape_type, len(points))
    points = [min(max(value, -contract.MAX_COORDINATE), contract.MAX_COORDINATE) for value in points]
    if shape_type == "rectangle":
        return rectangle(points, rotation, size)
    if shape_type == "ellipse":
        return ellipse(points, rotation, size)
    return _UNROTATED[shape_type](points, size), 0.0


def rectangle(points: Sequence[float], rotation: float, size: Size) -> tuple[list[float], float]:
    """`[x1, y1, x2, y2]`, corners in order; `rotation` 0..360 about its centre.

    A rotated box is shrunk to the smallest box of the same rotation that holds its part of the image. That is
    what clipping means without rotation, and leaves a box whose corners alone stick out as it is.
    """
    (x1, x2), (y1, y2) = sorted(points[::2]), sorted(points[1::2])
    if x2 - x1 <= EPSILON or y2 - y1 <= EPSILON:
        raise Dropped(NO_EXTENT)
    rotation = normal_rotation(rotation)
    box = [x1, y1, x2, y2]
    box = clamped(box, size) if rotation == 0 else _shrink(box, rotation, size)
    if box[2] - box[0] <= EPSILON or box[3] - box[1] <= EPSILON:
        raise Dropped(OUTSIDE)
    return box, rotation


def corners(box: Sequence[float], rotation: float) -> list[Point]:
    """The four corners of a box that is rotated clockwise about its centre."""
    cx, cy = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    turn = _turn(rotation)
    return [_turned(x - cx, y - cy, turn, (cx, cy)) for x, y in _box_path(box)]


def ellipse(points: Sequence[float], rotation: float, size: Size) -> tuple[list[float], float]:
    """`[cx, cy, rightX, topY]`: the radii lead right and up. Kept whole if any of it lies in the image."""
    cx, cy = points[0], points[1]
    rx, ry = abs(points[2] - cx), abs(cy - points[3])
    if rx <= EPSILON or ry <= EPSILON:
        raise Dropped(NO_EXTENT)
    rotation = normal_rotation(rotation)
    cos, sin = _turn(rotation)
    _check_reach(
        [
            cx - math.hypot(rx * cos, ry * sin),
            cy - math.hypot(rx * sin, ry * cos),
            cx + math.hypot(rx * cos, ry * sin),
            cy + math.hypot(rx * sin, ry * cos),
        ],
        size,
    )
    return [cx, cy, cx + rx, cy - ry], rotation


def cuboid(points: Sequence[float], size: Size) -> list[float]:
    """Eight vertices, as they are: moving one alone would bend the edges. Kept if any of it lies in the
    image."""
    bounds = bounding_box(points)
    if bounds[2] - bounds[0] <= EPSILON or bounds[3] - bounds[1] <= EPSILON:
        raise Dropped(NO_EXTENT)
    _check_reach(bounds, size)
    return list(points)


def polygon(points: Sequence[float], size: Size) -> list[float]:
    """A ring of at least three vertices, cut at the image's border."""
    if is_line(pairs(points)):
        raise Dropped(NO_EXTENT)
    path = without_repeats(clip(pairs(points), size, closed=True), closed=True)
    if is_line(path):
        raise Dropped(OUTSIDE)
    return flat(path)


def polyline(points: Sequence[float], size: Size) -> list[float]:
    """A path of at least two vertices, cut at the image's border; where it leaves and returns it follows the
    border."""
    if len(without_repeats(pairs(points), closed=False)) < 2:
        raise Dropped(NO_EXTENT)
    path = without_repeats(clip(pairs(points), size, closed=False), closed=False)
    if len(path) < 2:
        raise Dropped(OUTSIDE)
    return flat(path)


def points_shape(points: Sequence[float], size: Size) -> list[float]:
    """Single points, moved to the border where they lie beyond it; none inside means outside."""
    if not any(0 <= x <= size[0] and 0 <= y <= size[1] for x, y in pairs(points)):
        raise Dropped(OUTSIDE)
    return clamped(points, size)


def clamped(points: Sequence[float], size: Size) -> list[float]:
    """Each coordinate moved into the image."""
    return [clamp(value, size[i % 2]) for i, value in enumerate(points)]


def clamp(value: float, most: float) -> float:
    """`value` within 0..most, as float."""
    return float(min(max(value, 0.0), most))


def normal_rotation(rotation: float) -> float:
    """0 <= degrees < 360; CVAT refuses anything beyond 0..360."""
    turned = rotation % 360.0
    return 0.0 if turned == 360.0 else turned  # of a tiny negative number, Python makes 360.0


def bounding_box(points: Sequence[float]) -> list[float]:
    """`[x1, y1, x2, y2]` of a flat list."""
    xs, ys = points[::2], points[1::2]
    return [min(xs), min(ys), max(xs), max(ys)]


_UNROTATED: Final[dict[str, Callable[[Sequence[float], Size], list[float]]]] = {
    "polygon": polygon,
    "polyline": polyline,
    "points": points_shape,
    "cuboid": cuboid,
}


def _check_count(shape_type: str, count: int) -> None:
    fault = contract.points_fault(shape_type, count)
    if fault is None:
        return
    if count % 2 == 0 and count < contract.LEAST_NUMBERS.get(shape_type, 0):
        raise Dropped(NO_EXTENT)  # a contour of no point, of one or two: the maths, not the code
    raise FunctionError(f"function output {shape_type} with wrong points: {fault}")


def _check_reach(box: Sequence[float], size: Size) -> None:
    (width, height), reach = size, FAR * max(size)
    if box[2] <= 0 or box[3] <= 0 or box[0] >= width or box[1] >= height:
        raise Dropped(OUTSIDE)
    if box[0] < -reach or box[1] < -reach or box[2] > width + reach or box[3] > height + reach:
        raise Dropped("far larger than the image")


def _turn(rotation: float) -> tuple[float, float]:
    """Cosine and sine, exact for quarter turns."""
    quarters, rest = divmod(rotation, 90.0)
    if rest == 0:
        return ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))[int(quarters) % 4]
    return math.cos(math.radians(rotation)), math.sin(math.radians(rotation))


def _turned(dx: float, dy: float, turn: tuple[float, float], centre: Point) -> Point:
    cos, sin = turn
    return centre[0] + dx * cos - dy * sin, centre[1] + dx * sin + dy * cos


def _shrink(box: list[float], rotation: float, size: Size) -> list[float]:
    cx, cy = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    path = corners(box, rotation)
    inside = clip(path, size, closed=True)
    if inside is path:
        return box
    if not inside:
        raise Dropped(OUTSIDE)
    cos, sin = _turn(rotation)
    local = [_turned(x - cx, y - cy, (cos, -sin), (0.0, 0.0)) for x, y in inside]
    bounds = bounding_box(flat(local))
    half_width, half_height = (box[2] - box[0]) / 2, (box[3] - box[1]) / 2
    left, right = max(bounds[0], -half_width), min(bounds[2], half_width)
    top, bottom = max(bounds[1], -half_height), min(bounds[3], half_height)
    x, y = _turned((left + right) / 2, (top + bottom) / 2, (cos, sin), (cx, cy))
    return [x - (right - left) / 2, y - (bottom - top) / 2, x + (right - left) / 2, y + (bottom - top) / 2]


def _box_path(box: Sequence[float]) -> list[Point]:
    return [(box[0], box[1]), (box[2], box[1]), (box[2], box[3]), (box[0], box[3])]
