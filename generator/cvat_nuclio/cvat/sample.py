"""The smallest call that CVAT could make of a function, to see whether it answers and how fast."""

import io
from collections.abc import Mapping
from typing import Any

from .listing import Listed
from .payload import Call, build_payload
from .task import Task

#: (width, height) of the picture that is sent where no other is given; a given one must be as large.
SIZE = (64, 48)
BOX = (8.0, 8.0, 40.0, 36.0)
Box = tuple[float, float, float, float]


def sample_payload(function: Listed, image: bytes | None = None) -> dict[str, Any]:
    """The JSON object that the function gets. `image`: a file's bytes; by default a plain picture of `SIZE`."""
    task = Task.of((), [image or picture()])
    return build_payload(Call(function, task, rest_body(function)))


def function_of_kind(kind: str, annotations: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Nuclio's object of a function of which no more is known."""
    metadata = {"name": "function", "annotations": {"version": "2", **(annotations or {}), "type": kind}}
    return {"metadata": metadata, "spec": {"description": kind}, "status": {}}


def shape_points(shape_type: str, box: Box) -> list[float]:
    """`points` of a shape of this type that fills the box (left, top, right, bottom: whole numbers)."""
    left, top, right, bottom = box
    corners = [left, top, right, top, right, bottom, left, bottom]
    match shape_type:
        case "skeleton":
            return []  # its points are those of its elements
        case "mask":
            # Runs, the first of background, and the corners of the crop, both inclusive.
            return [0.0, (right - left + 1) * (bottom - top + 1), left, top, right, bottom]
        case "ellipse":
            return [(left + right) / 2, (top + bottom) / 2, right, top]
        case "cuboid":
            # Vertical edges, top before bottom: of the front from left to right, of the back from right to left.
            back = [right, top, right, bottom, left, top, left, bottom]
            return [left, top, left, bottom, right, top, right, bottom, *_shifted(back, 4.0, -4.0)]
        case "rectangle":
            return [left, top, right, bottom]
        case _:
            return corners


def _shifted(points: list[float], right: float, down: float) -> list[float]:
    return [value + (down if index % 2 else right) for index, value in enumerate(points)]


def rest_body(function: Listed) -> dict[str, Any]:
    """What CVAT's page would send to CVAT for that call."""
    match function.kind:
        case "interactor":
            return {"frame": 0, **_prompts(function)}
        case "tracker":
            types = function.supported_shape_types or ("rectangle",)
            shape_type = "rectangle" if "rectangle" in types else types[0]
            return {"frame": 0, "shapes": [{"type": shape_type, "points": shape_points(shape_type, BOX)}]}
        case "reid":
            boxes = [{"id": 1, "type": "rectangle", "points": list(BOX), "label_id": 1, "frame": 0}]
            return {"frame0": 0, "frame1": 0, "boxes0": boxes, "boxes1": boxes}
        case _:
            return {"frame": 0}


def _prompts(function: Listed) -> dict[str, Any]:
    positive, negative = _clicks(function.min_pos_points), _clicks(function.min_neg_points)
    boxed = function.startswith_box or (function.startswith_box_optional and not positive)
    corners = [list(BOX[:2]), list(BOX[2:])] if boxed else []
    return {"pos_points": positive, "neg_points": negative, "obj_bbox": corners}


def _clicks(count: int) -> list[list[int]]:
    return [[20 + index, 20] for index in range(count)]


def picture() -> bytes:
    """A PNG file of `SIZE`."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGB", SIZE, (96, 128, 160)).save(buffer, "PNG")
    return buffer.getvalue()
