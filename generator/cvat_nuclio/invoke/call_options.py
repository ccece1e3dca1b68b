"""What a user asks for, read from the command line's texts."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from ..cvat import NEWEST, Generation
from ..errors import UserError

Point = tuple[float, float]


@attrs.frozen
class LabelledBox:
    """A rectangle for ReID, and the label that it has in the task."""

    points: tuple[float, ...]
    label: str = "object"


@attrs.frozen
class Options:
    """One invocation. Coordinates are pixels of the image."""

    threshold: float | None = None
    max_distance: int | None = None
    conv_mask_to_poly: bool = False
    positive: tuple[Point, ...] = ()
    negative: tuple[Point, ...] = ()
    box: tuple[Point, Point] | None = None
    shapes: tuple[dict[str, Any], ...] = ()
    boxes: tuple[tuple[LabelledBox, ...], tuple[LabelledBox, ...]] = ((), ())
    generation: Generation = NEWEST
    output: Path | None = None
    json: bool = False
    frames: int | None = None

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of the REST body that all kinds share; those not given are left out."""
        given = {"threshold": self.threshold, "max_distance": self.max_distance}
        given["conv_mask_to_poly"] = self.conv_mask_to_poly or None
        return {name: value for name, value in given.items() if value is not None}


def options_of(given: Mapping[str, Any]) -> Options:
    """Options from the command line's, by their names with underscores; texts as a user types them, None for not given.

    Raises `UserError` for a text that is no point, box or shape.
    """
    box = given.get("box")
    return Options(
        **{name: given.get(name) for name in ("threshold", "max_distance", "output", "frames")},
        conv_mask_to_poly=bool(given.get("conv_mask_to_poly")),
        json=bool(given.get("json")),
        positive=tuple(point("--pos", text) for text in given.get("pos", ())),
        negative=tuple(point("--neg", text) for text in given.get("neg", ())),
        box=corners("--box", box) if box else None,
        shapes=tuple(shape("--shape", text) for text in given.get("shape", ())),
        boxes=(labelled_boxes("--box0", given.get("box0", ())), labelled_boxes("--box1", given.get("box1", ()))),
        generation=Generation(given.get("cvat") or NEWEST),
    )


def numbers(option: str, text: str, count: int | None = None) -> tuple[float, ...]:
    """`1,2.5,…`. Raises `UserError` for anything else, or another count."""
    try:
        found = tuple(float(part) for part in text.split(","))
    except ValueError:
        found = ()
    if not found or (count is not None and len(found) != count):
        wanted = f"{count} numbers" if count else "numbers"
        raise UserError(f"{option} takes {wanted} with commas between, not {text!r}")
    return found


def point(option: str, text: str) -> Point:
    """`X,Y`."""
    x, y = numbers(option, text, 2)
    return x, y


def corners(option: str, text: str) -> tuple[Point, Point]:
    """`X1,Y1,X2,Y2`."""
    x1, y1, x2, y2 = numbers(option, text, 4)
    return (x1, y1), (x2, y2)


def shape(option: str, text: str) -> dict[str, Any]:
    """`TYPE:X,Y,…`; without a type a rectangle."""
    shape_type, colon, points = text.rpartition(":")
    if not colon:
        shape_type = "rectangle"
    count = 4 if shape_type == "rectangle" else None
    return {"type": shape_type, "points": list(numbers(option, points, count))}


def labelled_box(option: str, text: str) -> LabelledBox:
    """`[LABEL:]X1,Y1,X2,Y2`."""
    label, colon, points = text.rpartition(":")
    return LabelledBox(numbers(option, points, 4), label if colon else "object")


def labelled_boxes(option: str, texts: Sequence[str]) -> tuple[LabelledBox, ...]:
    """All boxes of one frame."""
    return tuple(labelled_box(option, text) for text in texts)
