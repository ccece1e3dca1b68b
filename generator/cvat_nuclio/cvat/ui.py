"""What the UI makes of a stored shape: some that the server takes cannot be opened."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from .mask_crops import rle_to_bitmap
from .validation import right_length


@attrs.frozen
class Problem:
    """Something wrong with a stored shape. `fatal`: the job that holds it cannot be opened or exported."""

    text: str
    fatal: bool = False


def problems(shape: Mapping[str, Any], width: int, height: int) -> list[Problem]:
    """What a user would meet with this shape on a frame of that size."""
    points = shape["points"]
    if not all(math.isfinite(point) for point in points):
        return [Problem("not finite: CVAT stores it, then cannot answer with the task's annotations", True)]
    match shape["type"]:
        case "skeleton":
            return [found for element in shape["elements"] for found in _element(element, width, height)]
        case "mask":
            return _mask(points, width, height)
        case _:
            return _outline(shape["type"], points, width, height)


def _element(element: Mapping[str, Any], width: int, height: int) -> list[Problem]:
    if element["type"] != "points":
        return [Problem(f"an element of a skeleton is a {element['type']}: exports fail", True)]
    return [] if element["outside"] else problems(element, width, height)


def _mask(points: Sequence[float], width: int, height: int) -> list[Problem]:
    left, top, right, bottom = points[-4:]
    area = (right - left + 1) * (bottom - top + 1)
    try:
        bitmap = rle_to_bitmap(points, width, height)
    except ValueError as error:
        # Of too few pixels CVAT takes the rest of the box as background; too many fit nowhere.
        whole = all(point == int(point) for point in points)
        return [Problem(str(error), not whole or sum(points[:-4]) > area)]
    if left < 0 or top < 0 or right >= width or bottom >= height:
        return [Problem("the mask's box lies outside the image: exports fail", True)]
    return [] if bitmap.any() else [Problem("the mask is empty")]


def _outline(shape_type: str, points: Sequence[float], width: int, height: int) -> list[Problem]:
    if not right_length(shape_type, points):
        return [Problem(f"{len(points)} numbers for a {shape_type}: the UI cannot open the job", True)]
    found = []
    xs, ys = points[::2], points[1::2]
    # An ellipse is its centre and two half axes: only the centre has to lie in the image.
    inside = all(0 <= x <= width for x in xs) and all(0 <= y <= height for y in ys)
    if not inside and shape_type not in ("ellipse", "cuboid"):
        found.append(Problem("reaches out of the image: CVAT does not cut it"))
    if shape_type == "rectangle" and (points[2] <= points[0] or points[3] <= points[1]):
        found.append(Problem("no area, or its corners swapped"))
    return found
