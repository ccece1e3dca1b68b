"""The JSON object in a body → a typed, validated request of each kind. Everything raises RequestError."""

from collections.abc import Mapping
from typing import NamedTuple

import cvat_sdk.auto_annotation as cvataa
import PIL.Image

from aa_runtime import contract
from aa_runtime.errors import RequestError
from aa_runtime.fields import array, json_type, number, numbers, optional_number
from aa_runtime.images import image_bytes, read_image
from aa_runtime.options import Options

Point = tuple[float, float]
Box = tuple[float, float, float, float]

# NamedTuple: made in a quarter of the time of an attrs class, and every worker makes all of them when it starts.


class DetectRequest(NamedTuple):
    """`{image, [threshold]}`."""

    image: PIL.Image.Image
    threshold: float | None
    """0..1, or None when absent. CVAT leaves a threshold of 0 out."""


class InteractRequest(NamedTuple):
    """`{image, pos_points, neg_points, obj_bbox}`; the image is left encoded, since the cache may know it."""

    encoded: bytes
    pos_points: tuple[Point, ...]
    neg_points: tuple[Point, ...]
    bounding_box: tuple[Point, Point] | None
    """Top-left and bottom-right, whatever corners were given. Points and box may lie outside the image: CVAT
    shifts them when it crops the image to a region of interest."""
    text_prompts: tuple[str, ...]
    """What CVAT's server passes on since 2.60: a list of texts, or one text."""


class TrackRequest(NamedTuple):
    """`{image, shapes, states, [lost_shape]}`, with one entry of `shapes` and of `states` per object."""

    image: PIL.Image.Image
    shapes: tuple[cvataa.TrackableShape | None, ...]
    states: tuple[str | None, ...]
    typed: bool | None
    """How shapes are written: True `{type, points}`, False flat `[x1, y1, x2, y2]`; None when all are
    null."""
    lost_shape: str
    """As the option of that name. CVAT never sends it; a caller that takes null for one object does."""


class ReIDBox(NamedTuple):
    """What ReID needs of one of CVAT's rectangles."""

    points: Box
    """The corners without rotation, top left first."""
    rotation: float
    """Degrees clockwise about the centre."""
    label_id: int | str | None
    """CVAT's label id; compared, never used otherwise."""


class ReIDRequest(NamedTuple):
    """`{image0, image1, boxes0, boxes1, [threshold], [max_distance]}`, two consecutive frames."""

    image0: PIL.Image.Image
    image1: PIL.Image.Image
    boxes0: tuple[ReIDBox, ...]
    boxes1: tuple[ReIDBox, ...]
    threshold: float
    max_distance: float


def detect_request(body: Mapping[str, object], options: Options) -> DetectRequest:
    """What a detector is asked."""
    threshold = optional_number(body, "threshold", most=1)
    return DetectRequest(image=read_image(body, "image", options.max_image_pixels), threshold=threshold)


def interact_request(body: Mapping[str, object]) -> InteractRequest:
    """What an interactor is asked. How many prompts the function takes is not checked here."""
    return InteractRequest(
        pos_points=_prompt_points(body, "pos_points"),
        neg_points=_prompt_points(body, "neg_points"),
        bounding_box=_bounding_box(body),
        text_prompts=_text_prompts(body.get("text_prompts")),
        encoded=image_bytes(body, "image"),
    )


def _text_prompts(value: object) -> tuple[str, ...]:
    texts = [value] if isinstance(value, str) else [] if value is None else value
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise RequestError("a text or an array of texts is expected", field="text_prompts")
    if len(texts) > contract.MAX_TEXT_PROMPTS or any(len(text) > contract.MAX_TEXT_LETTERS for text in texts):
        most = f"{contract.MAX_TEXT_PROMPTS} texts of {contract.MAX_TEXT_LETTERS} letters"
        raise RequestError(f"at most {most} are accepted", field="text_prompts", status=413)
    return tuple(text.strip() for text in texts if text.strip())


def track_request(body: Mapping[str, object], options: Options) -> TrackRequest:
    """What a tracker is asked. `shapes` and `states` come out equally long; the shorter is filled up with
    None.

    Whether the function supports a shape's type is not checked here.
    """
    shapes = array(body, "shapes", contract.MAX_TRACKED_OBJECTS)
    states = array(body, "states", contract.MAX_TRACKED_OBJECTS)
    count = max(len(shapes), len(states))
    written = {isinstance(shape, Mapping) for shape in shapes if shape is not None}
    if len(written) == 2:
        raise RequestError("objects and arrays are mixed", field="shapes")
    parsed = tuple(_tracked_shape(shape, f"shapes[{i}]") for i, shape in enumerate(shapes))
    return TrackRequest(
        shapes=parsed + (None,) * (count - len(shapes)),
        states=tuple(_state(state, f"states[{i}]") for i, state in enumerate(states)) + (None,) * (count - len(states)),
        typed=written.pop() if written else None,
        image=read_image(body, "image", options.max_image_pixels),
        lost_shape=_lost_shape(body.get("lost_shape"), options),
    )


def reid_request(body: Mapping[str, object], options: Options) -> ReIDRequest:
    """What a ReID function is asked; `options` has the defaults of `threshold` and `max_distance`."""
    threshold = optional_number(body, "threshold")
    max_distance = optional_number(body, "max_distance")
    return ReIDRequest(
        boxes0=_reid_boxes(body, "boxes0"),
        boxes1=_reid_boxes(body, "boxes1"),
        threshold=options.reid_threshold if threshold is None else threshold,
        max_distance=options.reid_max_distance if max_distance is None else max_distance,
        image0=read_image(body, "image0", options.max_image_pixels),
        image1=read_image(body, "image1", options.max_image_pixels),
    )


def _prompt_points(body: Mapping[str, object], field: str) -> tuple[Point, ...]:
    points = array(body, field, contract.MAX_PROMPT_POINTS)
    return tuple(_point(point, f"{field}[{i}]") for i, point in enumerate(points))


def _point(value: object, field: str) -> Point:
    pair = numbers(value, field, 2)
    if len(pair) != 2:
        raise RequestError("a pair [x, y] is expected", field=field)
    return pair[0], pair[1]


def _bounding_box(body: Mapping[str, object]) -> tuple[Point, Point] | None:
    # CVAT: [[x, y], [x, y]]; null or [] without a box. Its guide says a flat list, so callers may send one.
    field = "obj_bbox"
    value = array(body, field, 4)
    if not value:
        return None
    if isinstance(value[0], (list, tuple)):
        if len(value) != 2:
            raise RequestError("one box of two points is expected", field=field)
        corners = [_point(corner, f"{field}[{i}]") for i, corner in enumerate(value)]
    else:
        flat = numbers(value, field, 4)
        if len(flat) != 4:
            raise RequestError("two points [[x, y], [x, y]] are expected", field=field)
        corners = [(flat[0], flat[1]), (flat[2], flat[3])]
    (x1, y1), (x2, y2) = corners
    return (min(x1, x2), min(y1, y2)), (max(x1, x2), max(y1, y2))


def _tracked_shape(value: object, field: str) -> cvataa.TrackableShape | None:
    if value is None:
        return None
    if not isinstance(value, Mapping):
        return cvataa.TrackableShape(type="rectangle", points=_shape_points(value, "rectangle", field))
    shape_type = value.get("type")
    if not isinstance(shape_type, str) or shape_type not in contract.SHAPE_TYPES:
        raise RequestError("one of CVAT's shape types is expected", field=f"{field}.type")
    points = _shape_points(value.get("points"), shape_type, f"{field}.points")
    return cvataa.TrackableShape(type=shape_type, points=points)


def _shape_points(value: object, shape_type: str, field: str) -> list[float]:
    points = numbers(value, field, contract.MAX_SHAPE_NUMBERS)
    fault = contract.points_fault(shape_type, len(points))
    if fault is not None:
        raise RequestError(fault, field=field)
    return points


def _state(value: object, field: str) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise RequestError(f"a state of this function is expected, not {json_type(value)}", field=field)


def _lost_shape(value: object, options: Options) -> str:
    if value is None:
        return options.lost_shape
    if value in ("last", "null"):
        return str(value)
    raise RequestError('"last" or "null" is expected', field="lost_shape")


def _reid_boxes(body: Mapping[str, object], field: str) -> tuple[ReIDBox, ...]:
    if body.get(field) is None:
        raise RequestError("missing: an array of CVAT's rectangles is expected", field=field)
    boxes = array(body, field, contract.MAX_REID_BOXES)
    return tuple(_reid_box(box, f"{field}[{i}]") for i, box in enumerate(boxes))


def _reid_box(value: object, field: str) -> ReIDBox:
    if not isinstance(value, Mapping):
        raise RequestError(f"one of CVAT's rectangles is expected, not {json_type(value)}", field=field)
    label_id = value.get("label_id")
    if label_id is not None and not isinstance(label_id, (int, str)):
        raise RequestError(f"a label's id is expected, not {json_type(label_id)}", field=f"{field}.label_id")
    x1, y1, x2, y2 = _shape_points(value.get("points"), "rectangle", f"{field}.points")
    rotation = value.get("rotation")
    return ReIDBox(
        points=(min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)),
        rotation=0.0 if rotation is None else number(rotation, f"{field}.rotation"),
        label_id=label_id,
    )
