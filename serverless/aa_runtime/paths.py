"""Rings and open paths of points, cut by the image's border."""

import math
from collections.abc import Sequence
from typing import Final

Point = tuple[float, float]

#: Pixels below which an extent counts as none.
EPSILON: Final = 1e-6


def clip(path: list[Point], size: tuple[int, int], *, closed: bool) -> list[Point]:
    """Sutherland and Hodgman's cut of a ring or an open path by the image, one border after the other."""
    if all(0 <= x <= size[0] and 0 <= y <= size[1] for x, y in path):
        return path
    for axis in (0, 1):
        for border, sign in ((0.0, 1.0), (float(size[axis]), -1.0)):
            path = _cut(path, axis, border, sign, closed=closed)
    return path


def _cut(path: list[Point], axis: int, border: float, sign: float, *, closed: bool) -> list[Point]:
    kept: list[Point] = []
    before = path[-1] if closed and path else None
    for point in path:
        inside = (point[axis] - border) * sign >= 0
        if before is not None and ((before[axis] - border) * sign >= 0) != inside:
            kept.append(_crossing(before, point, axis, border))
        if inside:
            kept.append(point)
        before = point
    return kept


def _crossing(start: Point, end: Point, axis: int, border: float) -> Point:
    share = (border - start[axis]) / (end[axis] - start[axis])
    other = start[1 - axis] + share * (end[1 - axis] - start[1 - axis])
    return (border, other) if axis == 0 else (other, border)


def without_repeats(path: list[Point], *, closed: bool) -> list[Point]:
    """`path` without vertices that equal the one before; in a ring, the last is before the first."""
    kept = [point for i, point in enumerate(path) if i == 0 or not _same(point, path[i - 1])]
    while closed and len(kept) > 1 and _same(kept[0], kept[-1]):
        kept.pop()
    return kept


def _same(a: Point, b: Point) -> bool:
    return abs(a[0] - b[0]) <= EPSILON and abs(a[1] - b[1]) <= EPSILON


def is_line(path: list[Point]) -> bool:
    """Whether all points lie within EPSILON of the line through the first two that differ."""
    distinct = next((point for point in path if not _same(point, path[0])), None)
    if distinct is None:
        return True
    (x0, y0), (dx, dy) = path[0], (distinct[0] - path[0][0], distinct[1] - path[0][1])
    least = EPSILON * math.hypot(dx, dy)
    return not any(abs((x - x0) * dy - (y - y0) * dx) > least for x, y in path)


def pairs(points: Sequence[float]) -> list[Point]:
    """`[x, y, ...]` as points."""
    return list(zip(points[::2], points[1::2], strict=True))


def flat(path: list[Point]) -> list[float]:
    """Points as `[x, y, ...]`."""
    return [value for point in path for value in point]
