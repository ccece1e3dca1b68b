"""YOLO in ONNX form, as an auto-annotation function: v5 to v7, v8 to v12, YOLO26 and what shares their outputs.

Boxes, rotated boxes (OBB), instance masks and skeletons. What the graph answers is read from the graph: the shapes
of its outputs and, where it was exported by ultralytics, its metadata.

    cvat-cli task auto-annotate TASK --function-file func.py -p weights=str:yolo11n.onnx --allow-unmatched-labels
"""

import ast
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal

import attrs
import cv2
import cvat_sdk.auto_annotation as cvataa
import numpy as np
import numpy.typing as npt
import onnxruntime
import PIL.Image
from cvat_sdk import models
from cvat_sdk.masks import encode_mask

Floats = npt.NDArray[np.float32]
#: What the graph answers. `anchors+objectness`: v5, v6, v7. `anchors`: v8 and later. `final`: NMS in the graph by
#: ultralytics, v10, YOLO26. `rows`: v7's `--end2end --max-wh`. `lists`: four outputs, as TensorRT's NMS has them.
Head = Literal["anchors+objectness", "anchors", "final", "rows", "lists"]
Task = Literal["detect", "segment", "pose", "obb"]

#: The strides that heads have: three levels, with P6, with P2, and the two levels of the tiny models.
LEVELS: Final = ((8, 16, 32), (8, 16, 32, 64), (4, 8, 16, 32), (16, 32))
#: What ultralytics' `predict` and YOLOv5's `detect.py` do unless told otherwise.
DEFAULT_CONFIDENCE: Final = 0.25
DEFAULT_IOU: Final = {"anchors": 0.7, "anchors+objectness": 0.45}
MAX_CANDIDATES: Final = 30_000
PADDING: Final = 114
#: Keypoints less sure than this are not shown by ultralytics; CVAT gets them as `outside`.
VISIBLE: Final = 0.5
COCO_KEYPOINTS: Final = (
    "nose",
    *(
        f"{side}_{part}"
        for part in ("eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle")
        for side in ("left", "right")
    ),
)


@attrs.frozen
class Letterbox:
    """Where a picture lies in the network's input: scaled alike in both directions, grey bars around it."""

    width: int
    height: int
    inner_width: int
    inner_height: int
    left: int
    top: int
    right: int
    bottom: int

    @classmethod
    def fit(cls, width: int, height: int, input_width: int, input_height: int, stride: int | None) -> "Letterbox":
        """As ultralytics' `LetterBox`; with a stride, the bars are as thin as the stride lets them be (`auto`)."""
        ratio = min(input_height / height, input_width / width)
        inner_width, inner_height = max(round(width * ratio), 1), max(round(height * ratio), 1)
        bar_x, bar_y = input_width - inner_width, input_height - inner_height
        if stride is not None:
            bar_x, bar_y = bar_x % stride, bar_y % stride
        left, right = round(bar_x / 2 - 0.1), round(bar_x / 2 + 0.1)
        top, bottom = round(bar_y / 2 - 0.1), round(bar_y / 2 + 0.1)
        return cls(width, height, inner_width, inner_height, left, top, right, bottom)

    @property
    def gain(self) -> tuple[float, float]:
        """Input pixels for one of the picture's, in x and y."""
        return self.inner_width / self.width, self.inner_height / self.height

    def apply(self, picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """The network's input as H x W x 3 bytes."""
        if (self.width, self.height) != (self.inner_width, self.inner_height):
            picture = cv2.resize(picture, (self.inner_width, self.inner_height), interpolation=cv2.INTER_LINEAR)
        bars = (self.top, self.bottom, self.left, self.right)
        return np.asarray(cv2.copyMakeBorder(picture, *bars, cv2.BORDER_CONSTANT, value=(PADDING,) * 3), np.uint8)

    def points_back(self, points: Floats) -> Floats:
        """`(..., 2)` input pixels as the picture's pixels, not clipped."""
        return ((points - (self.left, self.top)) / self.gain).astype(np.float32)


class Graph:
    """An ONNX file as ONNX Runtime runs it, on CUDA where the installed build and the machine have it."""

    def __init__(self, file: Path, told: Mapping[str, str]) -> None:
        offered = onnxruntime.get_available_providers()
        providers = [name for name in ("CUDAExecutionProvider", "CPUExecutionProvider") if name in offered]
        self.session = onnxruntime.InferenceSession(str(file), providers=providers)
        self.metadata: Mapping[str, str] = {**self.session.get_modelmeta().custom_metadata_map, **told}
        self._input = self.session.get_inputs()[0]
        channels = self._input.shape[1] if len(self._input.shape) == 4 else None
        if channels is None or (isinstance(channels, int) and channels != 3):
            raise ValueError(f"{file.name}: the input is {self._input.shape}, a YOLO graph takes [N, 3, H, W]")

    @property
    def provider(self) -> str:
        """What the graph really runs on; ONNX Runtime falls back silently."""
        return str(self.session.get_providers()[0])

    @property
    def fixed_size(self) -> tuple[int, int] | None:
        """Width and height, where the graph fixes them."""
        height, width = self._input.shape[2:]
        return (width, height) if isinstance(width, int) and isinstance(height, int) else None

    def run(self, picture: npt.NDArray[np.uint8]) -> list[Floats]:
        """Every output for one H x W x 3 picture, as float32."""
        batch = np.ascontiguousarray(picture.transpose(2, 0, 1)[None], np.float32) / np.float32(255)
        if self._input.type == "tensor(float16)":
            batch = batch.astype(np.float16)
        return [np.asarray(output, np.float32) for output in self.session.run(None, {self._input.name: batch})]

    def value(self, key: str) -> Any:
        """A value of ultralytics' metadata, where each is the text of a Python literal; None where it has none."""
        text = self.metadata.get(key)
        try:
            return None if text is None else ast.literal_eval(text)
        except (ValueError, SyntaxError):
            return text


@attrs.frozen
class Layout:
    """How to read the outputs."""

    head: Head
    task: Task
    classes: int
    main: int
    """Index of the output with the boxes."""
    prototypes: int | None
    """Index of the output with the masks' prototypes, [1, M, h, w]."""

    def rows(self, outputs: Sequence[Floats], confidence: float, iou: float, limit: int) -> Floats:
        """`[x1, y1, x2, y2, score, class, *extra]` by falling score, in input pixels; for OBB `x, y, w, h, ..., angle`.

        `extra` is mask coefficients, keypoints or the angle in radians.
        """
        if self.head == "rows":
            found = outputs[self.main][:, [1, 2, 3, 4, 6, 5]]
        elif self.head == "lists":
            found = _lists(outputs)
        else:
            found = outputs[self.main][0]
        if self.head in ("final", "rows", "lists"):
            found = found[(found[:, 4] >= confidence) & (found[:, 4] > 0)]
            return found[np.argsort(-found[:, 4], kind="stable")][:limit]
        return self._suppressed(found.T if self.head == "anchors" else found, confidence, iou, limit)

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


def nms(rows: Floats, limit: float, most: int) -> list[int]:
    """Indices that survive: greedy, each class by itself. `rows` by falling score, `x1, y1, x2, y2, score, class`."""
    boxes, classes = rows[:, :4].astype(np.float64), rows[:, 5]
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    order, kept = np.arange(len(rows)), list[int]()
    while order.size and len(kept) < most:
        best, rest = order[0], order[1:]
        kept.append(int(best))
        sides = np.minimum(boxes[best, 2:], boxes[rest, 2:]) - np.maximum(boxes[best, :2], boxes[rest, :2])
        common = sides.clip(min=0).prod(1)
        union = areas[best] + areas[rest] - common
        order = rest[(common <= limit * union.clip(min=1e-9)) | (classes[rest] != classes[best])]
    return kept


def rotated_nms(rows: Floats, limit: float, most: int) -> list[int]:
    """As `nms` for `x, y, w, h, score, class, ..., angle`, by ultralytics' rule: ProbIoU, to every surer box.

    Unlike in greedy suppression, a box that was suppressed itself suppresses others.
    """
    boxes, classes, kept = rows[:, [0, 1, 2, 3, -1]].astype(np.float64), rows[:, 5], list[int]()
    for index in range(len(rows)):
        before = np.flatnonzero(classes[:index] == classes[index])
        if not (prob_iou(boxes[index], boxes[before]) > limit).any():
            kept.append(index)
            if len(kept) == most:
                break
    return kept


def prob_iou(box: npt.NDArray[np.float64], others: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """One minus the Hellinger distance of the boxes' Gaussians (Llerena et al., arXiv 2106.06072)."""
    mean = (_covariance(box) + _covariance(others)) / 2
    offset = box[:2] - others[:, :2]
    determinant = np.linalg.det(mean).clip(min=1e-12)
    adjoint = np.stack([mean[..., 1, 1], -mean[..., 0, 1], mean[..., 0, 0]], -1)
    x, y = offset[:, 0], offset[:, 1]
    spread = (adjoint[:, 0] * x * x + 2 * adjoint[:, 1] * x * y + adjoint[:, 2] * y * y) / determinant
    sides = np.sqrt(np.linalg.det(_covariance(box)) * np.linalg.det(_covariance(others)).clip(min=0)).clip(min=1e-12)
    distance = spread / 8 + np.log(determinant / sides) / 2
    return np.asarray(1 - np.sqrt(1 - np.exp(-distance.clip(0, 100))))


def _covariance(boxes: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    cosine, sine = np.cos(boxes[..., 4]), np.sin(boxes[..., 4])
    turn = np.stack([np.stack([cosine, -sine], -1), np.stack([sine, cosine], -1)], -2)
    scaled = turn * (boxes[..., None, 2:4] ** 2 / 12)
    return np.asarray(scaled @ turn.swapaxes(-1, -2))


def read_layout(graph: Graph, outputs: Sequence[Floats], size: tuple[int, int], classes: int, task: Task) -> Layout:
    """What the outputs mean, for a graph that was run once on an input of `size`. ValueError when they mean nothing."""
    shapes = [output.shape for output in outputs]
    prototypes = next((i for i, shape in enumerate(shapes) if len(shape) == 4), None) if task == "segment" else None

    def layout(head: Head, main: int = 0) -> Layout:
        return Layout(head, task, classes, main, prototypes)

    if [len(shape) for shape in shapes[:4]] == [2, 3, 2, 2] and shapes[1][-1] == 4:
        return layout("lists")
    if len(shapes[0]) == 2 and shapes[0][1] == 7:
        return layout("rows")
    main = next((i for i, shape in enumerate(shapes) if len(shape) == 3), None)
    if main is not None:
        head = _head(graph, shapes[main], size)
        expected = _channels(graph, head, classes, task, None if prototypes is None else shapes[prototypes][1])
        found = shapes[main][1 if head == "anchors" else 2]
        if found == expected:
            return layout(head, main)
        raise ValueError(
            f"the output {list(shapes[main])} has {found} channels, but {classes} labels and the task {task!r} make "
            f"{expected}: give the labels with -p labels=str:FILE, or the task with -p task=str:NAME"
        )
    raw = any(len(shape) == 5 for shape in shapes)
    hint = "; its head was left out: export with --grid (YOLOv7) or without --train" if raw else ""
    raise ValueError(f"no output of a YOLO detector among {[list(shape) for shape in shapes]}{hint}")


def _head(graph: Graph, shape: tuple[int, ...], size: tuple[int, int]) -> Head:
    arguments = graph.value("args")
    if graph.value("end2end") is True or (isinstance(arguments, dict) and arguments.get("nms") is True):
        return "final"
    cells = {sum(math.ceil(size[0] / s) * math.ceil(size[1] / s) for s in strides) for strides in LEVELS}
    if shape[2] in cells:
        return "anchors"
    if shape[1] in cells | {3 * count for count in cells}:
        return "anchors+objectness"
    return "final"


def _channels(graph: Graph, head: Head, classes: int, task: Task, coefficients: int | None) -> int:
    extra = {"detect": 0, "obb": 1, "segment": coefficients or 0, "pose": math.prod(graph.value("kpt_shape") or (0,))}
    return {"anchors": 4 + classes, "anchors+objectness": 5 + classes}.get(head, 6) + extra[task]


def read_labels(graph: Graph, file: Path | None) -> list[str]:
    """The classes' names in order: from a text file with one a line, else from the graph."""
    if file is not None:
        return [line.strip() for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    names = graph.value("names")
    if isinstance(names, dict):
        names = [names[index] for index in sorted(names)]
    if not names or not isinstance(names, list):
        raise ValueError(
            "the graph does not name its classes: give a text file, one name a line, with -p labels=str:FILE"
        )
    return [str(name) for name in names]


@attrs.frozen(kw_only=True)
class Choices:
    """What the user chose; see `create`."""

    task: Task | None
    confidence: float
    iou: float | None
    max_det: int
    imgsz: int | None


class YoloFunction:
    """A detector over one graph."""

    def __init__(self, graph: Graph, labels: Sequence[str], choices: Choices) -> None:
        self._graph, self._labels, self._choices = graph, list(labels), choices
        height, width = graph.value("imgsz") or (640, 640)
        self._size = graph.fixed_size or ((choices.imgsz, choices.imgsz) if choices.imgsz else (width, height))
        self._stride = None if graph.fixed_size else int(graph.value("stride") or 32)
        # One run on grey: the shapes of a graph with free dimensions are known only then, and the first real
        # request finds a warm engine.
        blank = np.full((self._size[1], self._size[0], 3), PADDING, np.uint8)
        outputs = graph.run(blank)
        task = choices.task or self._guessed_task(outputs)
        self._layout = read_layout(graph, outputs, self._size, len(labels), task)
        self._iou = DEFAULT_IOU.get(self._layout.head, 0.0) if choices.iou is None else choices.iou
        if self._layout.task == "pose":
            self._points, self._dimensions = graph.value("kpt_shape")

    def _guessed_task(self, outputs: Sequence[Floats]) -> Task:
        told = self._graph.value("task")
        if told in ("detect", "segment", "pose", "obb"):
            return told
        if told is not None:
            raise ValueError(f"the graph's task is {told!r}: this function does detect, segment, pose and obb")
        has_prototypes = len(outputs) > 1 and any(output.ndim == 4 for output in outputs[1:])
        return "segment" if has_prototypes else "detect"

    def describe(self) -> str:
        """One line for the log."""
        width, height = self._size
        return (
            f"{self._layout.task}, {len(self._labels)} labels, {width} x {height}"
            f"{'' if self._stride is None else ' at most'}, head {self._layout.head}, on {self._graph.provider}"
        )

    @cached_property
    def spec(self) -> cvataa.DetectionFunctionSpec:
        """One label for each class; a skeleton's elements are the keypoints."""
        if self._layout.task == "pose":
            names = self._keypoint_names()
            points = [cvataa.keypoint_spec(name, index) for index, name in enumerate(names)]
            labels = [cvataa.skeleton_label_spec(name, index, points) for index, name in enumerate(self._labels)]
        else:
            kind = "mask" if self._layout.task == "segment" else "rectangle"
            labels = [cvataa.label_spec(name, index, type=kind) for index, name in enumerate(self._labels)]
        return cvataa.DetectionFunctionSpec(labels=labels)

    def _keypoint_names(self) -> list[str]:
        told = self._graph.value("kpt_names")
        names = told.get(0) if isinstance(told, dict) else told
        if isinstance(names, (list, tuple)) and len(set(names)) == self._points:
            return [str(name) for name in names]
        return [*COCO_KEYPOINTS] if self._points == len(COCO_KEYPOINTS) else [str(i + 1) for i in range(self._points)]

    def detect(
        self, context: cvataa.DetectionFunctionContext, image: PIL.Image.Image
    ) -> list[models.LabeledShapeRequest]:
        """Everything at least as sure as the context's threshold, else as `confidence`."""
        threshold = self._choices.confidence if context.conf_threshold is None else context.conf_threshold
        picture = to_rgb(image)
        box = Letterbox.fit(image.width, image.height, *self._size, self._stride)
        outputs = self._graph.run(box.apply(picture))
        rows = self._layout.rows(outputs, threshold, self._iou, self._choices.max_det)
        if rows.size and rows[:, 5].max() >= len(self._labels):
            raise ValueError(f"the graph found class {int(rows[:, 5].max())}, but there are {len(self._labels)} labels")
        if self._layout.task == "obb":
            return [self._rotated(row, box) for row in rows]
        if self._layout.task == "pose":
            return [self._skeleton(row, box) for row in rows]
        if self._layout.prototypes is not None:
            return list(self._masks(rows, outputs[self._layout.prototypes][0], box, context.conv_mask_to_poly))
        return [cvataa.rectangle(int(row[5]), _corners(row, box)) for row in rows]

    def _rotated(self, row: Floats, box: Letterbox) -> models.LabeledShapeRequest:
        x, y = box.points_back(row[:2])
        width, height = row[2:4] / box.gain
        corners = [float(v) for v in (x - width / 2, y - height / 2, x + width / 2, y + height / 2)]
        return cvataa.rectangle(int(row[5]), corners, rotation=math.degrees(row[-1]) % 360)

    def _skeleton(self, row: Floats, box: Letterbox) -> models.LabeledShapeRequest:
        points = row[6:].reshape(self._points, self._dimensions)
        places = box.points_back(points[:, :2]).clip(0, (box.width, box.height))
        hidden = points[:, 2] < VISIBLE if self._dimensions == 3 else np.zeros(self._points, bool)
        elements = [
            cvataa.keypoint(index, [float(x), float(y)], outside=bool(hidden[index]))
            for index, (x, y) in enumerate(places)
        ]
        return cvataa.skeleton(int(row[5]), elements)

    def _masks(
        self, rows: Floats, prototypes: Floats, box: Letterbox, as_polygons: bool
    ) -> Iterator[models.LabeledShapeRequest]:
        logits = (rows[:, 6:] @ prototypes.reshape(len(prototypes), -1)).reshape(-1, *prototypes.shape[1:])
        for row, logit in zip(rows, logits, strict=True):
            left, top, right, bottom = np.ceil(_corners(row, box)).astype(int)
            if right <= left or bottom <= top:
                continue
            bitmap = mask_in_window(logit, box, left, top, right - left, bottom - top)
            if as_polygons:
                for outline in outlines(bitmap):
                    yield cvataa.polygon(int(row[5]), np.add(outline, (left, top)).ravel().tolist())
            elif bitmap.any():
                *runs, x1, y1, x2, y2 = encode_mask(bitmap)
                yield cvataa.mask(int(row[5]), [*runs, *(float(v) for v in (x1 + left, y1 + top, x2 + left, y2 + top))])


def _corners(row: Floats, box: Letterbox) -> list[float]:
    corners = box.points_back(row[:4].reshape(2, 2)).clip(0, (box.width, box.height))
    return [float(value) for value in corners.ravel()]


def mask_in_window(
    logit: Floats, box: Letterbox, left: int, top: int, width: int, height: int
) -> npt.NDArray[np.bool_]:
    """A mask at the picture's resolution inside a window of it, sampled straight from the prototypes' resolution."""
    rows, columns = logit.shape
    across = columns / (box.left + box.inner_width + box.right)
    down = rows / (box.top + box.inner_height + box.bottom)
    (gain_x, gain_y) = box.gain
    # Pixel centres lie at halves: a picture's x + 0.5 becomes the prototypes' x' + 0.5.
    to_logit = np.array(
        [
            [gain_x * across, 0, ((left + 0.5) * gain_x + box.left) * across - 0.5],
            [0, gain_y * down, ((top + 0.5) * gain_y + box.top) * down - 0.5],
        ]
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    sampled = cv2.warpAffine(logit, to_logit, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(sampled > 0)


def outlines(bitmap: npt.NDArray[np.bool_]) -> Iterator[npt.NDArray[np.int32]]:
    """The outer contour of each part, (N, 2) with at least three points."""
    for contour in cv2.findContours(bitmap.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_TC89_KCOS)[0]:
        if len(contour) >= 3:
            yield contour.reshape(-1, 2)


def to_rgb(image: PIL.Image.Image) -> npt.NDArray[np.uint8]:
    """H x W x 3 bytes of a picture in any mode; sixteen bits are scaled, which Pillow's `convert` would cut off."""
    if image.mode.startswith("I"):
        image = PIL.Image.fromarray((np.asarray(image).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8))
    return np.asarray(image.convert("RGB"))


# As in other functions' files, too: cvat-cli loads one file, which has no neighbours to import.
def find(name: str, option: str) -> Path:
    """The file `name` beside this module, where `generate --add` puts it, or else as the working directory has it."""
    beside = Path(__file__).resolve().parent
    for folder in (beside, Path.cwd()):
        if (folder / name).is_file():
            return folder / name
    raise FileNotFoundError(
        f"no file {name!r} in {beside} or in the working directory: lay it beside the function (generate --add FILE), "
        f"mount a volume that has it, or name another with -p {option}=str:FILE"
    )


def create(
    weights: str = "yolo.onnx",
    labels: str | None = None,
    task: str | None = None,
    kpt_shape: str | None = None,
    confidence: float = DEFAULT_CONFIDENCE,
    iou: float | None = None,
    max_det: int = 300,
    imgsz: int | None = None,
) -> YoloFunction:
    """The function over the graph in `weights`.

    `labels`: a text file with one class name a line, for a graph that has no `names`, or for other names.
    `task`: detect, segment, pose or obb, for a graph that does not tell. `kpt_shape`: likewise, such as `17,3`.
    `confidence`: for requests without a threshold. `iou`: of the suppression outside the graph; 0.7 for v8 and later,
    0.45 for v5 to v7. `max_det`: most objects in a picture. `imgsz`: for a graph that takes any size.
    """
    if task not in (None, "detect", "segment", "pose", "obb"):
        raise ValueError(f"task is {task!r}: detect, segment, pose or obb")
    file = find(weights, "weights")
    graph = Graph(file, {} if kpt_shape is None else {"kpt_shape": f"[{kpt_shape}]"})
    names = read_labels(graph, None if labels is None else find(labels, "labels"))
    choices = Choices(task=task, confidence=confidence, iou=iou, max_det=max_det, imgsz=imgsz)  # type: ignore[arg-type]
    function = YoloFunction(graph, names, choices)
    print(f"{file.name}: {function.describe()}", file=sys.stderr, flush=True)
    return function
