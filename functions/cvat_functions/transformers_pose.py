"""Skeletons, by ViTPose of transformers over any of its detectors.

The detector finds `subject`s (`person`), ViTPose the points inside each box. `model` is ViTPose's.

    cvat-cli function create-native NAME --function-module cvat_functions.transformers_pose \
        -p model=str:usyd-community/vitpose-base-simple -p detector=str:PekingU/rtdetr_r50vd_coco_o365
"""

import time
from typing import Any

import cvat_sdk.auto_annotation as cvataa
import numpy as np
import PIL.Image
import torch
from transformers import (
    AutoImageProcessor,
    AutoModelForObjectDetection,
    VitPoseForPoseEstimation,
    VitPoseImageProcessor,
)

from cvat_functions.hub import pretrained, verify
from cvat_functions.on_torch import device_of, report
from cvat_functions.shared import to_rgb
from cvat_functions.transformers_detection import Detector

#: A point that is less sure than this is outside.
VISIBLE = 0.3


class PoseEstimator:
    """The detector of skeletons over two networks."""

    def __init__(self, detector: Detector, model: Any, processor: Any, subject: str, device: torch.device) -> None:
        self._detector, self._model, self._processor = detector, model.to(device).eval(), processor
        self._device = device
        found = [label.id for label in detector.spec.labels if label.name.lower() == subject.lower()]
        if not found:
            known = ", ".join(label.name for label in detector.spec.labels)
            raise ValueError(f"the detector has no label {subject!r}: {known}")
        self._subject = found[0]
        names = [str(name) for _, name in sorted(model.config.id2label.items())]
        points = [cvataa.keypoint_spec(name, number) for number, name in enumerate(names)]
        self.spec = cvataa.DetectionFunctionSpec(labels=[cvataa.skeleton_label_spec(subject, 0, points)])

    @torch.inference_mode()
    def detect(self, context: cvataa.DetectionFunctionContext, image: PIL.Image.Image) -> list[Any]:
        """A skeleton for each subject that the detector is sure enough of."""
        found = [box.points for box in self._detector.detect(context, image) if box.label_id == self._subject]
        boxes = [[left, top, right - left, bottom - top] for left, top, right, bottom in found]
        if not boxes:
            return []
        inputs = self._processor(to_rgb(image), boxes=[boxes], return_tensors="pt").to(self._device)
        # ViTPose+ has an expert for each kind of training data; 0 is COCO's.
        expert = {"dataset_index": torch.zeros(len(boxes), dtype=torch.int64, device=self._device)}
        experts = expert if self._model.config.backbone_config.num_experts > 1 else {}
        poses = self._processor.post_process_pose_estimation(self._model(**inputs, **experts), boxes=[boxes])[0]
        return [self._skeleton(pose, image.size) for pose in poses]

    def _skeleton(self, pose: dict[str, torch.Tensor], size: tuple[int, int]) -> Any:
        places = np.clip(pose["keypoints"].numpy(), 0, size).astype(float)
        sure = pose["scores"].reshape(-1).numpy()
        elements = [
            cvataa.keypoint(number, [float(x), float(y)], outside=bool(sure[number] < VISIBLE))
            for number, (x, y) in enumerate(places)
        ]
        return cvataa.skeleton(0, elements)


def create(
    model: str, detector: str, revision: str | None = None, sha256: str | None = None, subject: str = "person",
    confidence: float = 0.5, device: str | None = None,
) -> PoseEstimator:  # fmt: skip
    """The function with the weights of `model` and `detector`; `confidence` is of the boxes.

    On CUDA where torch sees it, unless `device` says otherwise. ValueError where the detector knows no `subject`.
    """
    started, place = time.monotonic(), device_of(device)
    verify(model, sha256, revision)
    boxes = pretrained(AutoModelForObjectDetection, detector, dtype=torch.float32)
    first = Detector(boxes, pretrained(AutoImageProcessor, detector), place, confidence)
    network = pretrained(VitPoseForPoseEstimation, model, revision, dtype=torch.float32)
    function = PoseEstimator(first, network, pretrained(VitPoseImageProcessor, model, revision), subject, place)
    report(f"{model}: {type(network).__name__} over {type(boxes).__name__}", place, started)
    return function
