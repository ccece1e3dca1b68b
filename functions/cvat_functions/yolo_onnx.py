"""YOLO in ONNX form, as an auto-annotation function: v5 to v7, v8 to v12, YOLO26 and what shares their outputs.

Boxes, rotated boxes (OBB), instance masks and skeletons. What the graph answers is read from the graph: the shapes
of its outputs and, where it was exported by ultralytics, its metadata.

    cvat-cli task auto-annotate TASK --function-module cvat_functions.yolo_onnx -p weights=str:yolo11n.onnx \
        --allow-unmatched-labels
"""

import sys
from collections.abc import Sequence
from typing import Any

import attrs
import cvat_sdk.auto_annotation as cvataa
import numpy as np
import PIL.Image

from cvat_functions import yolo_metadata, yolo_shapes
from cvat_functions.letterbox import PADDING, Letterbox
from cvat_functions.on_onnx import Floats, Graph
from cvat_functions.shared import classes_of, file_of, to_rgb
from cvat_functions.yolo_metadata import Metadata
from cvat_functions.yolo_outputs import TASKS, read_layout


@attrs.frozen(kw_only=True)
class Choices:
    """What the user chose; see `create`."""

    task: str | None
    confidence: float
    iou: float | None
    max_det: int
    imgsz: int | None


class YoloFunction:
    """A detector over one graph."""

    def __init__(self, graph: Graph, metadata: Metadata, labels: Sequence[str], choices: Choices) -> None:
        self._graph, self._metadata, self._choices = graph, metadata, choices
        height, width = metadata.get("imgsz") or (640, 640)
        free = (choices.imgsz or width, choices.imgsz or height)
        fixed = (graph.size[0], graph.size[1]) if graph.size[0] and graph.size[1] else None
        self._size, self._stride = fixed or free, None if fixed else int(metadata.get("stride") or 32)
        # One run on grey: the shapes of a graph with free dimensions are known only then, and the first real
        # request finds a warm engine.
        outputs = self._run(np.full((self._size[1], self._size[0], 3), PADDING, np.uint8))
        self._layout = read_layout(metadata, outputs, self._size, len(labels), choices.task)
        names, self._label_of = classes_of(dict(enumerate(labels)))
        self.spec = yolo_metadata.labelled(metadata, self._layout.task, names)

    def describe(self) -> str:
        """One line for the log."""
        size = "{} x {}{}".format(*self._size, "" if self._stride is None else " at most")
        labels, head = len(self.spec.labels), self._layout.head
        return f"{self._layout.task}, {labels} labels, {size}, head {head}, on {self._graph.provider}"

    def detect(self, context: cvataa.DetectionFunctionContext, image: PIL.Image.Image) -> list[Any]:
        """Everything at least as sure as the context's threshold, else as `confidence`."""
        chosen, layout = self._choices, self._layout
        threshold = chosen.confidence if context.conf_threshold is None else context.conf_threshold
        box = Letterbox.fit(image.width, image.height, *self._size, self._stride)
        outputs = self._run(box.apply(np.asarray(to_rgb(image))))
        rows = layout.rows(outputs, threshold, chosen.iou, chosen.max_det)
        if rows.size and rows[:, 5].max() >= layout.classes:
            raise ValueError(f"the graph found class {int(rows[:, 5].max())}, but there are {layout.classes} labels")
        rows = self._labelled(rows)
        if layout.task == "obb":
            return [yolo_shapes.rotated(row, box) for row in rows]
        if layout.task == "pose":
            return [yolo_shapes.skeleton_of(row, self._metadata["kpt_shape"], box) for row in rows]
        if layout.prototypes is not None:
            prototypes = outputs[layout.prototypes][0]
            return list(yolo_shapes.masks(rows, prototypes, box, context.conv_mask_to_poly))
        return [yolo_shapes.rectangle(row, box) for row in rows]

    def _labelled(self, rows: Floats) -> Floats:
        """The rows whose classes have a label, with that in the place of the class."""
        rows = rows[np.isin(rows[:, 5], list(self._label_of))]
        rows[:, 5] = [self._label_of[int(number)] for number in rows[:, 5]]
        return rows

    def _run(self, picture: Any) -> list[Floats]:
        return self._graph.run(np.ascontiguousarray(picture.transpose(2, 0, 1)[None], np.float32) / np.float32(255))


def create(
    weights: str, labels: str | None = None, task: str | None = None, kpt_shape: str | None = None,
    confidence: float = 0.25, iou: float | None = None, max_det: int = 300, imgsz: int | None = None,
) -> YoloFunction:  # fmt: skip
    """The function over the graph in the file `weights`.

    `labels`: a text file with one class name a line, for a graph that has no `names`, or for other names.
    `task`: detect, segment, pose or obb, for a graph that does not tell. `kpt_shape`: likewise, such as `17,3`.
    `confidence`: for requests without a threshold. `iou`: of the suppression outside the graph; 0.7 for v8 and later,
    0.45 for v5 to v7. `max_det`: most objects in a picture. `imgsz`: for a graph that takes any size.
    """
    if task not in (None, *TASKS):
        raise ValueError(f"task is {task!r}: detect, segment, pose or obb")
    file = file_of(weights, "weights")
    graph = Graph(file)
    told = {} if kpt_shape is None else {"kpt_shape": f"[{kpt_shape}]"}
    metadata = yolo_metadata.read({**graph.session.get_modelmeta().custom_metadata_map, **told})
    names = yolo_metadata.names_in(metadata, None if labels is None else file_of(labels, "labels"))
    choices = Choices(task=task, confidence=confidence, iou=iou, max_det=max_det, imgsz=imgsz)
    function = YoloFunction(graph, metadata, names, choices)
    print(f"{file.name}: {function.describe()}", file=sys.stderr, flush=True)
    return function
