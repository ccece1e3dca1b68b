"""Skeletons, whole bodies of 133 points too, by an RTMPose graph over a YOLO graph that finds the people.

`weights` is RTMPose or RTMW as MMPose's deployment or rtmlib has it (`end2end.onnx`, Apache-2.0): outputs `simcc_x` and
`simcc_y`. `detector` is any graph of `yolo_onnx` that has the label `subject`.

    cvat-cli function create-native NAME --function-module cvat_functions.rtmpose_onnx \
        -p weights=str:rtmw.onnx -p detector=str:yolo11n.onnx
"""

import sys
from pathlib import Path
from typing import Any, Final

import cv2
import cvat_sdk.auto_annotation as cvataa
import numpy as np
import numpy.typing as npt
import PIL.Image

from cvat_functions import yolo_onnx
from cvat_functions.on_onnx import Graph
from cvat_functions.shared import check_sum, to_rgb
from cvat_functions.skeletons import names_of, skeleton, skeleton_label, subject_of

Floats = npt.NDArray[np.float64]
#: ImageNet's, for bytes.
MEAN: Final = (123.675, 116.28, 103.53)
DEVIATION: Final = (58.395, 57.12, 57.375)
#: How much more than the box the network sees.
PADDING: Final = 1.25


class PoseEstimator:
    """The detector of skeletons over two graphs."""

    def __init__(self, detector: Any, graph: Graph, subject: str, visible: float) -> None:
        self._detector, self._graph, self._visible = detector, graph, visible
        self._subject = subject_of(detector, subject)
        width, height = graph.size
        if width is None or height is None:
            raise ValueError("the graph of poses leaves its input's size open: export it with a fixed one")
        self._width, self._height = width, height
        count = self._simcc(np.zeros((1, 3, self._height, self._width), np.float32))[0].shape[1]
        self.spec = cvataa.DetectionFunctionSpec(labels=[skeleton_label(subject, 0, names_of(count))])

    def detect(self, context: cvataa.DetectionFunctionContext, image: PIL.Image.Image) -> list[Any]:
        """A skeleton for each subject that the detector is sure enough of."""
        pixels = np.asarray(to_rgb(image))
        boxes = [box.points for box in self._detector.detect(context, image) if box.label_id == self._subject]
        return [self._skeleton(pixels, np.reshape(box, (2, 2))) for box in boxes]

    def _skeleton(self, pixels: npt.NDArray[np.uint8], box: Floats) -> Any:
        centre, size = box.mean(0), np.maximum(box[1] - box[0], 1) * PADDING
        # The network's proportions, around the whole box.
        scale = max(size[0] / self._width, size[1] / self._height)
        origin = centre - np.array([self._width, self._height]) * scale / 2
        matrix = np.array([[scale, 0, origin[0]], [0, scale, origin[1]]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        crop = cv2.warpAffine(pixels, matrix, (self._width, self._height), flags=flags)
        blob = ((crop - np.array(MEAN)) / DEVIATION).transpose(2, 0, 1)[None].astype(np.float32)
        across, down = self._simcc(blob)
        # Each axis is cut finer than pixels; the surest place on each is the point, the less sure one its score.
        cells = np.stack([across[0].argmax(-1), down[0].argmax(-1)], -1)
        finer = np.array([across.shape[2] / self._width, down.shape[2] / self._height])
        sure = np.minimum(across[0].max(-1), down[0].max(-1))
        places = np.clip(cells / finer * scale + origin, 0, pixels.shape[1::-1])
        return skeleton(0, places, sure, self._visible)

    def _simcc(self, blob: npt.NDArray[np.float32]) -> tuple[Any, Any]:
        """(1, points, cells) for each axis."""
        across, down = self._graph.run(blob)[:2]
        return across, down


def create(
    weights: str, detector: str, sha256: str | None = None, subject: str = "person", confidence: float = 0.5,
    visible: float = 0.3,
) -> PoseEstimator:  # fmt: skip
    """The function over both graphs; `confidence` is of the boxes, `visible` of the points.

    ValueError where the detector knows no `subject`. On CUDA where ONNX Runtime has it.
    """
    check_sum(weights, sha256)
    graph = Graph(Path(weights))
    function = PoseEstimator(yolo_onnx.create(weights=detector, confidence=confidence), graph, subject, visible)
    points = len(function.spec.labels[0].sublabels)
    print(f"{weights}: {points} points, on {graph.provider}", file=sys.stderr, flush=True)
    return function
