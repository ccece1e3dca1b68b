"""A region of interest (G3): the server cuts the frame, moves the prompts, and moves the answer back.

The function sees a smaller picture and knows nothing of it. Read in CVAT's source of mid-2026; there is no recording.
"""

import io
from collections.abc import Mapping, Sequence
from typing import Any

from PIL import Image

from .errors import invalid

Roi = tuple[int, int, int, int]


def region(data: Mapping[str, Any]) -> Roi | None:
    """`[left, top, right, bottom]` of the call, right and bottom exclusive. Raises CVAT's 400 for anything else."""
    given = data.get("roi")
    if given is None:
        return None
    if len(given) != 4 or any(type(edge) is not int for edge in given):
        raise invalid("Invalid ROI")
    left, top, right, bottom = given
    if not (0 <= left < right and 0 <= top < bottom):
        raise invalid("Invalid ROI")
    return left, top, right, bottom


def crop(content: bytes, roi: Roi) -> bytes:
    """The part of the picture, in the picture's own format."""
    with Image.open(io.BytesIO(content)) as image:
        if roi[2] > image.width or roi[3] > image.height:
            raise invalid("Invalid ROI")
        buffer = io.BytesIO()
        image.crop(roi).save(buffer, image.format)
        return buffer.getvalue()


def into(points: Sequence[Sequence[float]], roi: Roi) -> list[list[float]]:
    """Prompts in pixels of the part; they may lie outside of it."""
    return [[x - roi[0], y - roi[1]] for x, y in points]


def moved(shape: Mapping[str, Any], roi: Roi) -> dict[str, Any]:
    """A shape of the part in pixels of the frame: of a mask only the box moves."""
    points = shape.get("points") or []
    runs = len(points) - 4 if shape["type"] == "mask" else 0
    # The runs of a mask come in front of its box; an ellipse's two corners and all other points alternate x and y.
    shifted = [point + roi[index % 2] for index, point in enumerate(points[runs:])]
    result = dict(shape, points=[*points[:runs], *shifted])
    if shape.get("elements"):
        result["elements"] = [moved(element, roi) for element in shape["elements"]]
    return result


def moved_answer(answer: Any, roi: Roi, size: tuple[int, int]) -> Any:
    """An interactor's answer for the whole frame of `size` (width, height).

    Raises ValueError, the user's 500, for a mask of another size than the part's.
    """
    if not isinstance(answer, Mapping):
        return answer
    result = dict(answer)
    left, top, right, bottom = roi
    if "mask" in answer:
        rows = answer["mask"]
        if len(rows) != bottom - top or any(len(row) != right - left for row in rows):
            raise ValueError("could not broadcast input array")
        before, after = [0] * left, [0] * (size[0] - right)
        blank = [[0] * size[0]]
        result["mask"] = blank * top + [[*before, *row, *after] for row in rows] + blank * (size[1] - bottom)
    if isinstance(answer.get("shapes"), list):
        result["shapes"] = [moved({"type": "mask", **shape}, roi) for shape in answer["shapes"]]
    return result
