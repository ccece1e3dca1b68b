"""What a YOLO graph's outputs mean, read from their shapes and its metadata: v5 to v7, v8 to v12, v10, YOLO26."""

import math
from collections.abc import Sequence
from typing import Final, Literal

import attrs
import numpy as np
import numpy.typing as npt

from cvat_functions.suppression import nms, rotated_nms
from cvat_functions.yolo_metadata import Metadata

Floats = npt.NDArray[np.float32]
#: What the graph answers. `anchors+objectness`: v5, v6, v7. `anchors`: v8 and later. `final`: NMS in the graph by
#: ultralytics, v10, YOLO26. `rows`: v7's `--end2end --max-wh`. `lists`: four outputs, as TensorRT's NMS has them.
Head = Literal["anchors+objectness", "anchors", "final", "rows", "lists"]
TASKS: Final = ("detect", "segment", "pose", "obb")

#: The strides that heads have: three levels, with P6, with P2, and the two levels of the tiny models.
LEVELS: Final = ((8, 16, 32), (8, 16, 32, 64), (4, 8, 16, 32), (16, 32))
#: What ultralytics' `predict` and YOLOv5's `detect.py` do unless told otherwise.
DEFAULT_IOU: Final = {"anchors": 0.7, "anchors+objectness": 0.45}
MAX_CANDIDATES: Final = 30_000


@attrs.frozen
class Layout:
    """How to read the outputs."""

    head: Head
    task: str
    classes: int
    main: int
    """Index of the output with the boxes."""
    prototypes: int | None
    """Index of the output with the masks' prototypes, [1, M, h, w]."""

    def rows(self, outputs: Sequence[Floats], confidence: float, iou: float | None, limit: int) -> Floats:
        """`[x1, y1, x2, y2, score, class, *extra]` by falling score, in input pixels; for OBB `x, y, w, h, ..., angle`.

        `extra` is mask coefficients, keypoints or the angle in radians.
        """
        if self.head == "rows":
            rows = outputs[self.main]
            found = rows[rows[:, 0] == 0][:, [1, 2, 3, 4, 6, 5]]
        elif self.head == "lists":
            found = _lists(outputs)
        else:
            found = outputs[self.main][0]
        if self.head in ("final", "rows", "lists"):
            found = found[(found[:, 4] >= confidence) & (found[:, 4] > 0)]
            return found[np.argsort(-found[:, 4], kind="stable")][:limit]
        overlap = DEFAULT_IOU[self.head] if iou is None else iou
        return self._suppressed(found.T if self.head == "anchors" else found, confidence, overlap, limit)

    def _suppressed(self, anchors: Floats, confidence: float, iou: float, limit: int) -> Floats:
        first = 5 if self.head == "anchors+objectness" else 4
        scores = anchors[:, first : first + self.classes]
        if first == 5:
            scores = scores * anchors[:, 4:5]
        classes, best = scores.argmax(1), scores.max(1)
        chosen = np.flatnonzero((best >= confidence) & (best > 0))
        chosen = chosen[np.argsort(-best[chosen], kind="stable")][:MAX_CANDIDATES]
        boxes = anchors[chosen, :4]
        rotated = self.task == "obb"
        if not rotated:
            boxes = np.hstack([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2])
        extra = anchors[chosen, first + self.classes :]
        rows = np.column_stack([boxes, best[chosen], classes[chosen], extra]).astype(np.float32)
        kept = (rotated_nms if rotated else nms)(rows, iou, limit)
        return rows[kept[:limit]]


def _lists(outputs: Sequence[Floats]) -> Floats:
    count, boxes, scores, classes = outputs[:4]
    rows = np.column_stack([boxes[0], scores[0], classes[0]])
    return rows[: int(count.ravel()[0])].astype(np.float32)


def read_layout(
    metadata: Metadata, outputs: Sequence[Floats], size: tuple[int, int], classes: int, task: str | None
) -> Layout:
    """What the outputs mean, for a graph that was run once on an input of `size`; without a `task`, the graph's.

    ValueError when they mean nothing.
    """
    task = task or _task(metadata, outputs)
    shapes = [output.shape for output in outputs]
    prototypes = next((i for i, shape in enumerate(shapes) if len(shape) == 4), None) if task == "segment" else None

    def layout(head: Head, main: int = 0) -> Layout:
        return Layout(head, task, classes, main, prototypes)

    if [len(shape) for shape in shapes[:4]] == [2, 3, 2, 2] and shapes[1][-1] == 4:
        return layout("lists")
    if len(shapes[0]) == 2 and shapes[0][1] == 7:
        return layout("rows")
    main = next((i for i, shape in enumerate(shapes) if len(shape) == 3), None)
    if main is None:
        raw = any(len(shape) == 5 for shape in shapes)
        hint = "; its head was left out: export with --grid (YOLOv7) or without --train" if raw else ""
        raise ValueError(f"no output of a YOLO detector among {[list(shape) for shape in shapes]}{hint}")
    head = _head(metadata, shapes[main], size)
    expected = _channels(metadata, head, classes, task, None if prototypes is None else shapes[prototypes][1])
    found = shapes[main][1 if head == "anchors" else 2]
    if found != expected:
        raise ValueError(
            f"the output {list(shapes[main])} has {found} channels, but {classes} labels and the task {task!r} make "
            f"{expected}: give the labels with -p labels=file:FILE, or the task with -p task=str:NAME"
        )
    _check_meaning(metadata, head, outputs[main][0], size)
    return layout(head, main)


def _check_meaning(metadata: Metadata, head: Head, found: Floats, size: tuple[int, int]) -> None:
    """ValueError for networks of the same shapes whose numbers mean something else, seen in what they say of grey."""
    boxes = (found.T if head == "anchors" else found)[:, :4]
    if metadata.get("head") == "RTDETRDecoder" or 0 < np.abs(boxes).max() <= 2:
        raise ValueError(
            "the graph's boxes lie between 0 and 1, as RT-DETR's do: this function reads YOLO's, in pixels; of "
            "Ultralytics' RT-DETR give the best.pt itself"
        )
    # One box a cell: YOLOv6, whose objectness is 1 everywhere, or YOLOX, which sees other colours than are fed here.
    if head == "anchors+objectness" and len(found) in _cells(size) and (found[:, 4] != 1).any():
        raise ValueError(
            "the graph answers as YOLOX does, which sees blue first and 0 to 255: this function feeds red first and 0 "
            "to 1. `cvat-nuclio init detector` writes a function to start from"
        )


def _task(metadata: Metadata, outputs: Sequence[Floats]) -> str:
    told = metadata.get("task")
    if told is None:
        has_prototypes = any(output.ndim == 4 for output in outputs[1:])
        return "segment" if has_prototypes else "detect"
    if told not in TASKS:
        raise ValueError(f"the graph's task is {told!r}: this function does detect, segment, pose and obb")
    return str(told)


def _head(metadata: Metadata, shape: tuple[int, ...], size: tuple[int, int]) -> Head:
    arguments = metadata.get("args")
    if metadata.get("end2end") is True or (isinstance(arguments, dict) and arguments.get("nms") is True):
        return "final"
    cells = _cells(size)
    if shape[2] in cells:
        return "anchors"
    if shape[1] in cells | {3 * count for count in cells}:
        return "anchors+objectness"
    return "final"


def _cells(size: tuple[int, int]) -> set[int]:
    """How many cells a head may have for an input of `size`."""
    return {sum(math.ceil(size[0] / s) * math.ceil(size[1] / s) for s in strides) for strides in LEVELS}


def _channels(metadata: Metadata, head: Head, classes: int, task: str, coefficients: int | None) -> int:
    extra = {"detect": 0, "obb": 1, "segment": coefficients or 0, "pose": math.prod(metadata.get("kpt_shape") or (0,))}
    return {"anchors": 4 + classes, "anchors+objectness": 5 + classes}.get(head, 6) + extra[task]
