"""Skeletons, whole bodies of 133 points too, by an RTMPose graph over a YOLO graph that finds the people.

`weights` is RTMPose or RTMW as MMPose's deployment or rtmlib has it (`end2end.onnx`, Apache-2.0): outputs `simcc_x` and
`simcc_y`. `detector` is any graph of `yolo_onnx` that has the label `subject`.

    cvat-cli function create-native NAME --function-module cvat_functions.rtmpose_onnx \
        -p weights=str:rtmw.onnx -p detector=str:yolo11n.onnx
"""

import sys
from typing import Any, Final

import cv2
import cvat_sdk.auto_annotation as cvataa
import numpy as np
import numpy.typing as npt
import onnxruntime
import PIL.Image

from cvat_functions import yolo_onnx
from cvat_functions.shared import check_sum, to_rgb

Floats = npt.NDArray[np.float64]
#: ImageNet's, for bytes.
MEAN: Final = (123.675, 116.28, 103.53)
DEVIATION: Final = (58.395, 57.12, 57.375)
#: How much more than the box the network sees.
PADDING: Final = 1.25
FINGERS: Final = ("thumb", "forefinger", "middle_finger", "ring_finger", "pinky_finger")


def names_of(count: int) -> list[str]:
    """COCO's 17 names, COCO-WholeBody's 133, or numbers from 1."""
    body = list(yolo_onnx.COCO_KEYPOINTS)
    feet = [f"{side}_{part}" for side in ("left", "right") for part in ("big_toe", "small_toe", "heel")]
    hand = ["hand_root", *(f"{finger}{joint}" for finger in FINGERS for joint in range(1, 5))]
    hands = [f"{side}_{part}" for side in ("left", "right") for part in hand]
    whole = [*body, *feet, *(f"face-{number}" for number in range(68)), *hands]
    known = {len(body): body, len(whole): whole}
    return known.get(count, [str(number + 1) for number in range(count)])


class PoseEstimator:
    """The detector of skeletons over two graphs."""

    def __init__(self, detector: Any, session: Any, subject: str, visible: float) -> None:
        self._detector, self._session, self._visible = detector, session, visible
        found = [label.id for label in detector.spec.labels if label.name.lower() == subject.lower()]
        if not found:
            raise ValueError(
                f"the detector has no label {subject!r}: {', '.join(x.name for x in detector.spec.labels)}"
            )
        self._subject = found[0]
        first = session.get_inputs()[0]
        self._input, (self._height, self._width) = first.name, first.shape[2:]
        count = self._simcc(np.zeros((1, 3, self._height, self._width), np.float32))[0].shape[1]
        parts = [cvataa.keypoint_spec(name, number) for number, name in enumerate(names_of(count))]
        self.spec = cvataa.DetectionFunctionSpec(labels=[cvataa.skeleton_label_spec(subject, 0, parts)])

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
        elements = [
            cvataa.keypoint(number, place.tolist(), outside=bool(sure[number] < self._visible))
            for number, place in enumerate(places)
        ]
        return cvataa.skeleton(0, elements)

    def _simcc(self, blob: npt.NDArray[np.float32]) -> tuple[Any, Any]:
        """(1, points, cells) for each axis."""
        across, down = self._session.run(None, {self._input: blob})[:2]
        return across, down


def create(
    weights: str, detector: str, sha256: str | None = None, subject: str = "person", confidence: float = 0.5,
    visible: float = 0.3,
) -> PoseEstimator:  # fmt: skip
    """The function over both graphs; `confidence` is of the boxes, `visible` of the points.

    ValueError where the detector knows no `subject`. On CUDA where ONNX Runtime has it.
    """
    check_sum(weights, sha256)
    wanted = [name for name in ("CUDAExecutionProvider", "CPUExecutionProvider")
              if name in onnxruntime.get_available_providers()]  # fmt: skip
    session = onnxruntime.InferenceSession(weights, providers=wanted)
    function = PoseEstimator(yolo_onnx.create(weights=detector, confidence=confidence), session, subject, visible)
    points = len(function.spec.labels[0].sublabels)
    print(f"{weights}: {points} points, on {session.get_providers()[0]}", file=sys.stderr, flush=True)
    return function
