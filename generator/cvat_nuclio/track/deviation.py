"""How far the shapes that CVAT shows are from those that were followed, in pixels."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..cvat.interpolation import POLY, Placed

Floats = npt.NDArray[np.float64]


def deviation(shown: Sequence[Placed], followed: Sequence[Placed]) -> float:
    """The farthest that a point has to move on any frame: of outlines to the other outline, else to its counterpart.

    Points are the corners of a rectangle and the four ends of an ellipse's axes, turned as the shape is; the vertices
    of everything else. One shape of each for every frame, at least one, all of a track: its type is one, and never a
    mask. Infinite where the numbers of points differ, but for outlines.
    """
    if shown[0].type in POLY:
        return max(map(_between_outlines, shown, followed))
    if len({len(shape.points) for shape in (*shown, *followed)}) > 1:
        return math.inf
    apart = _ends(shown) - _ends(followed)
    return float(np.hypot(apart[..., 0], apart[..., 1]).max(initial=0.0))


def _ends(shapes: Sequence[Placed]) -> Floats:
    """(frames, points, 2)."""
    points = np.array([shape.points for shape in shapes]).reshape(len(shapes), -1, 2)
    if shapes[0].type not in ("rectangle", "ellipse"):
        return points
    first, second = points[:, 0], points[:, 1]
    if shapes[0].type == "ellipse":  # its centre, then the right and the upper end of its axes
        centre, half = first, second - first
        ways = np.array([(1, 0), (-1, 0), (0, 1), (0, -1)])
    else:
        centre, half = (first + second) / 2, (second - first) / 2
        ways = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)])
    angles = np.radians([shape.rotation for shape in shapes])
    sine, cosine = np.sin(angles)[:, None], np.cos(angles)[:, None]
    x, y = np.moveaxis(half[:, None] * ways, -1, 0)
    ends: Floats = centre[:, None] + np.stack([x * cosine - y * sine, x * sine + y * cosine], axis=-1)
    return ends


def _between_outlines(one: Placed, other: Placed) -> float:
    first, second = _vertices(one), _vertices(other)
    return max(_from_outline(first, second), _from_outline(second, first))


def _vertices(shape: Placed) -> Floats:
    vertices = np.reshape(shape.points, (-1, 2))
    return np.concatenate([vertices, vertices[:1]]) if shape.type == "polygon" else vertices


def _from_outline(vertices: Floats, outline: Floats) -> float:
    """The largest distance of a vertex from the nearest place on the outline, which has two vertices or more."""
    start, way = outline[:-1], np.diff(outline, axis=0)
    squares = np.einsum("ij,ij->i", way, way)
    to = vertices[:, None] - start
    along = np.einsum("vsj,sj->vs", to, way) / np.where(squares > 0, squares, 1)
    nearest = to - np.clip(along, 0, 1)[..., None] * way
    return float(np.sqrt(np.einsum("vsj,vsj->vs", nearest, nearest).min(axis=1).max()))
