"""What CVAT shows of a track between two keyframes, as its server exports it and its page draws it (2.73).

* rectangle, ellipse, cuboid, and points of one point: every number moves evenly; a rotation takes the shorter way.
* points of more than one: nothing moves until the next keyframe.
* polygon, polyline: vertices are paired by how far along the outline they lie, and move evenly; where several share
  one partner, those are left out that come too near to each other.
* mask: nothing. The server stores such a track, cannot cut or export it, and the page cannot open its job.
"""

from collections.abc import Iterator, Sequence

import attrs
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
POLY = ("polygon", "polyline")


@attrs.frozen
class Placed:
    """Where an object is on one frame: `points` as CVAT stores them (pixels), `rotation` in degrees."""

    type: str
    points: tuple[float, ...]
    rotation: float = 0.0


def between(left: Placed, right: Placed, offsets: Sequence[float]) -> list[Placed] | None:
    """What is shown at each of `offsets`, parts of the way from `left` (0) to `right` (1), in frames.

    None where CVAT shows nothing that can be relied on: another type or number of points, a mask, and half a turn,
    which its server and its page take differently.
    """
    if left.type != right.type or left.type == "mask":
        return None
    if left.type in POLY:
        return _poly(left, right, offsets)
    single = left.type == "points" and len(left.points) == len(right.points) == 2
    if left.type == "points" and not single:
        return [left] * len(offsets)
    turn = (right.rotation - left.rotation + 180) % 360 - 180
    if abs(turn) == 180 or len(left.points) != len(right.points):
        return None
    start, way = np.asarray(left.points), np.subtract(right.points, left.points)
    moved = start + way * np.asarray(offsets)[:, None]
    angles = [(left.rotation + turn * offset + 360) % 360 for offset in offsets]
    return [Placed(left.type, tuple(row), angle) for row, angle in zip(moved.tolist(), angles, strict=True)]


def _poly(left: Placed, right: Placed, offsets: Sequence[float]) -> list[Placed]:
    """A polygon is closed by its first vertex for the time of the calculation."""
    closed = left.type == "polygon"
    outlines = [np.reshape(shape.points + shape.points[:2] * closed, (-1, 2)) for shape in (left, right)]
    pairs, spans = _pairs(*outlines)
    start, end = (outline[pairs[:, side]] for side, outline in enumerate(outlines))
    shown = []
    for offset in offsets:
        vertices = np.concatenate(_thinned(start + (end - start) * offset, spans))
        flat = vertices.ravel().tolist()
        shown.append(Placed(left.type, tuple(flat[:-2] if closed else flat), left.rotation))
    return shown


# The first and the last of a row of pairs with one partner in common, and the distance below which they are too near.
Span = tuple[int, int, float]


def _pairs(left: Floats, right: Floats) -> tuple[npt.NDArray[np.intp], list[Span]]:
    """Rows of (vertex of `left`, vertex of `right`), and the spans that they fall into."""
    along = [_along(outline) for outline in (left, right)]
    partners = [[_nearest(place, along[1])] for place in along[0]]
    for vertex in sorted(set(range(len(right))) - {nearest for (nearest,) in partners}):
        partners[_nearest(along[1][vertex], along[0])].append(vertex)
    pairs = np.array([(vertex, other) for vertex, others in enumerate(partners) for other in sorted(others)])
    return pairs, list(_spans(left, right, pairs))


def _spans(left: Floats, right: Floats, pairs: npt.NDArray[np.intp]) -> Iterator[Span]:
    """Vertices of `left` with several partners by themselves; else those in a row that share one partner."""
    counts = np.bincount(pairs[:, 0])
    first = 0
    while first < len(pairs):
        vertex, other = pairs[first]
        last = first + counts[vertex] - 1
        outline, ends = right, (pairs[first, 1], pairs[last, 1])
        if last == first:
            while last + 1 < len(pairs) and pairs[last + 1, 1] == other and counts[pairs[last + 1, 0]] == 1:
                last += 1
            outline, ends = left, (vertex, pairs[last, 0])
        number = ends[1] - ends[0] + 1
        yield first, last, _steps(outline[ends[0] : ends[1] + 1]).sum() / (2 * number)
        first = last + 1


def _thinned(vertices: Floats, spans: Sequence[Span]) -> list[Floats]:
    return [
        vertices[first : last + 1] if first == last else _apart(vertices[first : last + 1], nearest)
        for first, last, nearest in spans
    ]


def _apart(row: Floats, nearest: float) -> Floats:
    """The ends of a row and what keeps its distance from the one kept before; of two ends too near their middle."""
    kept = [row[0]]
    for vertex in row[1:-1]:
        if _length(vertex - kept[-1]) >= nearest:
            kept.append(vertex)
    if len(kept) == 1 and _length(row[-1] - row[0]) < nearest:
        return np.array([np.mean(row[[0, -1]], axis=0)])
    return np.array([*kept, row[-1]])


def _steps(outline: Floats) -> Floats:
    return _length(np.diff(outline, axis=0))


def _length(vectors: Floats) -> Floats:
    """Not `hypot`, which rounds otherwise than CVAT: a row just as long as its limit would be thinned."""
    lengths: Floats = np.sqrt(vectors[..., 0] ** 2 + vectors[..., 1] ** 2)
    return lengths


def _along(outline: Floats) -> Floats:
    """How far along the outline each vertex lies, from 0 to 1; not a number behind the first where it has no length."""
    lengths = np.concatenate([[0.0], np.cumsum(_steps(outline))])
    with np.errstate(invalid="ignore"):
        along: Floats = np.concatenate([[0.0], lengths[1:] / lengths[-1]])
    return along


def _nearest(place: float, places: Floats) -> int:
    """The first of the nearest."""
    return int(np.argmin(np.nan_to_num(np.abs(places - place), nan=np.inf)))
