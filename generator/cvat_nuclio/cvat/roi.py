"""A region of interest (G3): the server cuts the frame, moves the prompts, and moves the answer back.

The function sees a smaller picture and knows nothing of it.
"""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from .rest_errors import CvatError
from .rest_fields import rest_error

Roi = tuple[int, int, int, int]


def region(given: Any) -> Roi:
    """`[left, top, right, bottom]` in whole pixels, right and bottom exclusive. Raises CVAT's 400 for anything else."""
    if not isinstance(given, list) or len(given) != 4 or any(type(edge) is not int for edge in given):
        raise refusal("ROI must contain four integer coordinates: [xtl, ytl, xbr, ybr]")
    left, top, right, bottom = given
    if min(given) < 0:
        raise refusal("ROI coordinates must be non-negative")
    if right <= left or bottom <= top:
        raise refusal("ROI size must be positive")
    return left, top, right, bottom


def refusal(text: str) -> CvatError:
    return rest_error(text, 400)


def check_inside(roi: Roi, size: tuple[int, int]) -> None:
    """Raises CVAT's 400 for a region that reaches out of a picture of `size` (width, height)."""
    if roi[2] > size[0] or roi[3] > size[1]:
        raise refusal("ROI is outside the image")


def crop(content: bytes, given: Any) -> bytes:
    """The part of the picture, in the picture's own format."""
    with Image.open(io.BytesIO(content)) as image:
        roi = region(given)
        check_inside(roi, image.size)
        buffer = io.BytesIO()
        image.crop(roi).save(buffer, image.format or "PNG")
        return buffer.getvalue()


def check_for_job(given: Any, pictures: Sequence[bytes]) -> None:
    """A job's region, before it starts: all frames have one size, and the region lies inside."""
    roi = region(given)
    sizes = {_size(content) for content in pictures}
    if not sizes:
        return
    if len(sizes) > 1:
        raise refusal("ROI can be used for task annotation only when all processed frames have the same resolution")
    check_inside(roi, sizes.pop())


def _size(content: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(content)) as image:
        return image.size


def into(points: Any, roi: Roi | None) -> Any:
    """Prompts in pixels of the part, which may lie outside of it; G3 checks that they are pairs without a part too."""
    left, top = roi[:2] if roi else (0, 0)
    try:
        return None if points is None else [[x - left, y - top] for x, y in points]
    except (TypeError, ValueError):
        raise rest_error("Interactor prompt points must contain point pairs") from None


def moved(shape: dict[str, Any], roi: Roi) -> dict[str, Any]:
    """A shape of the part in pixels of the frame: of a mask only the box moves, a tag stays as it is."""
    shape_type = shape.get("type")
    if shape_type == "tag":
        return shape
    result = dict(shape)
    if "points" in shape:
        # The runs of a mask come in front of its box; an ellipse's two corners and all other points alternate x and y.
        box = shape["points"][-4:] if shape_type == "mask" else shape["points"]
        runs = shape["points"][:-4] if shape_type == "mask" else []
        result["points"] = [*runs, *(point + roi[index % 2] for index, point in enumerate(box))]
    if "elements" in shape:
        result["elements"] = [moved(element, roi) for element in shape["elements"]]
    return result


def moved_answer(answer: Any, roi: Roi, size: tuple[int, int]) -> Any:
    """An interactor's answer for the whole frame of `size` (width, height).

    Raises what CVAT's code raises, the user's 500, for a mask of another size than the part's.
    """
    if "mask" in answer:
        part = np.array(answer["mask"])
        whole = np.zeros((size[1], size[0]), dtype=part.dtype)
        whole[roi[1] : roi[3], roi[0] : roi[2]] = part
        answer = dict(answer, mask=whole.tolist())
    if "shapes" in answer and isinstance(answer["shapes"], list):
        answer = dict(answer, shapes=[moved(shape, roi) for shape in answer["shapes"]])
    return answer
