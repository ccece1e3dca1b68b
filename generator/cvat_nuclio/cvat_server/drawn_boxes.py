"""The boxes that somebody drew in a task, to show a function what to look for."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from ..errors import UserError
from .chunk_frames import frames_ahead
from .connection import Connection
from .job_annotations import Annotations
from .scope import Scope

MOST_FRAMES, MOST_BOXES = 50, 200


@attrs.frozen
class DrawnBox:
    """A rectangle on a frame: its label's name, and the left, top, right and bottom in pixels."""

    frame: int
    label: str
    box: tuple[float, float, float, float]


def pictures_with_boxes(connection: Connection, scope: Scope) -> Iterator[tuple[bytes, list[DrawnBox]]]:
    """The picture of each of the scope's frames on which rectangles were drawn, with these; of a track those of its
    keyframes.

    Raises UserError for none, and for more than 50 frames or 200 rectangles.
    """
    drawn = drawn_boxes(connection, scope)
    frames = sorted({box.frame for box in drawn})
    if not frames:
        raise UserError(
            f"no rectangle is drawn on the {len(scope.frames)} frames of task {scope.task_id} that were asked for",
            why="other shapes, tags, and what is on deleted frames are no examples",
            remedy="draw boxes around some objects, save, and run it again",
        )
    if len(frames) > MOST_FRAMES or len(drawn) > MOST_BOXES:
        few = f"{frames[0]}..{frames[min(9, len(frames) - 1)]}"
        raise UserError(
            f"{len(drawn)} boxes on {len(frames)} frames are too many examples",
            why=f"at most {MOST_BOXES} on {MOST_FRAMES}: each picture is compared with all of them",
            remedy=f"name some of the frames: --examples-from-task {scope.task_id}:{few}"
            if len(frames) > 1
            else "delete some, or draw on other frames, and name those: --examples-from-task ID:FIRST..LAST",
        )
    for frame in frames_ahead(connection, scope, frames):
        yield frame.content, [box for box in drawn if box.frame == frame.number]


def drawn_boxes(connection: Connection, scope: Scope) -> list[DrawnBox]:
    """All of them, once each: what lies in two jobs that overlap is stored in both."""
    names, frames = {label.id: label.name for label in scope.labels}, frozenset(scope.frames)
    found: dict[DrawnBox, None] = {}
    for job in scope.jobs:
        for shape in _rectangles(Annotations(connection, job.id).get()):
            if shape["frame"] in frames and shape["label_id"] in names:
                found[DrawnBox(shape["frame"], names[shape["label_id"]], _hull(shape))] = None
    return list(found)


def _rectangles(annotations: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from (shape for shape in annotations["shapes"] if shape["type"] == "rectangle")
    for track in annotations["tracks"]:
        for shape in track["shapes"]:
            if shape["type"] == "rectangle" and not shape["outside"]:
                yield {**shape, "label_id": track["label_id"]}


def _hull(shape: Mapping[str, Any]) -> tuple[float, float, float, float]:
    """The upright box around a rectangle that is turned about its middle by `rotation` degrees."""
    left, top, right, bottom = shape["points"]
    angle = math.radians(shape.get("rotation") or 0)
    across, down = (right - left) / 2, (bottom - top) / 2
    wide = abs(across * math.cos(angle)) + abs(down * math.sin(angle))
    high = abs(across * math.sin(angle)) + abs(down * math.cos(angle))
    x, y = (left + right) / 2, (top + bottom) / 2
    return x - wide, y - high, x + wide, y + high
