"""Faces, by OpenCV's YuNet: boxes, or skeletons of eyes, nose and mouth.

`weights` is `face_detection_yunet_2023mar.onnx` of OpenCV's model zoo (MIT licence, 230 kB), or one of its kin.

    cvat-cli function create-native NAME --function-module cvat_functions.yunet_opencv -p weights=str:face.onnx
"""

import sys
from typing import Any

import cv2
import cvat_sdk.auto_annotation as cvataa
import numpy as np
import PIL.Image

from cvat_functions.shared import check_sum, to_rgb
from cvat_functions.skeletons import skeleton, skeleton_label

#: In YuNet's order; left and right are the person's own.
POINTS = ("right_eye", "left_eye", "nose", "right_mouth_corner", "left_mouth_corner")


class FaceDetector:
    """The detector over one network."""

    def __init__(self, weights: str, skeletons: bool, confidence: float, overlap: float, longest: int) -> None:
        self._network = cv2.FaceDetectorYN.create(weights, "", (320, 320), confidence, overlap)
        self._skeletons, self._confidence, self._longest = skeletons, confidence, longest
        face = skeleton_label("face", 0, POINTS) if skeletons else cvataa.label_spec("face", 0, type="rectangle")
        self.spec = cvataa.DetectionFunctionSpec(labels=[face])

    def detect(self, context: cvataa.DetectionFunctionContext, image: PIL.Image.Image) -> list[Any]:
        """Faces at least as sure as the context's threshold, else as `confidence`."""
        picture = to_rgb(image)
        scale = min(1.0, self._longest / max(picture.size))
        small = picture.resize([max(1, round(side * scale)) for side in picture.size])
        self._network.setInputSize(small.size)
        self._network.setScoreThreshold(self._confidence if context.conf_threshold is None else context.conf_threshold)
        _, rows = self._network.detect(np.asarray(small)[:, :, ::-1].copy())
        back = np.divide(picture.size, small.size)
        return [] if rows is None else [self._shape(row, back) for row in np.asarray(rows, np.float64)]

    def _shape(self, row: Any, back: Any) -> Any:
        """`row`: left, top, width, height, five points, score."""
        if not self._skeletons:
            corners = np.array([row[:2], row[:2] + row[2:4]]) * back
            return cvataa.rectangle(0, corners.ravel().tolist())
        return skeleton(0, row[4:14].reshape(5, 2) * back)


def create(
    weights: str, sha256: str | None = None, skeletons: bool = False, confidence: float = 0.7, overlap: float = 0.3,
    longest: int = 1280,
) -> FaceDetector:  # fmt: skip
    """The detector with the network in the file `weights`.

    `overlap`: of the suppression; `longest`: the longer side in pixels that a larger picture is shrunk to.
    """
    check_sum(weights, sha256)
    function = FaceDetector(weights, skeletons, confidence, overlap, longest)
    print(f"{weights}: YuNet loaded, on cpu", file=sys.stderr, flush=True)
    return function
