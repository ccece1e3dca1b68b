"""Skeletons, by ViTPose of transformers over any of its detectors.

The detector finds `subject`s (`person`), ViTPose the points inside each box. `model` is ViTPose's.

    cvat-cli function create-native NAME --function-module cvat_functions.transformers_pose \
        -p model=str:usyd-community/vitpose-base-simple -p detector=str:PekingU/rtdetr_r50vd_coco_o365
"""

from typing import Any

import cvat_sdk.auto_annotation as cvataa
import numpy as np
import PIL.Image
import torch
from transformers import VitPoseForPoseEstimation, VitPoseImageProcessor

from cvat_functions import transformers_detection
from cvat_functions.hub import Loaded, load
from cvat_functions.shared import to_rgb
from cvat_functions.skeletons import skeleton, skeleton_label, subject_of

#: A point that is less sure than this is outside.
VISIBLE = 0.3


class PoseEstimator:
    """The detector of skeletons over two networks."""

    def __init__(self, detector: transformers_detection.Detector, loaded: Loaded, subject: str) -> None:
        self._detector, self._loaded, self._subject = detector, loaded, subject_of(detector, subject)
        points = [str(name) for _, name in sorted(loaded.network.config.id2label.items())]
        self.spec = cvataa.DetectionFunctionSpec(labels=[skeleton_label(subject, 0, points)])

    @torch.inference_mode()
    def detect(self, context: cvataa.DetectionFunctionContext, image: PIL.Image.Image) -> list[Any]:
        """A skeleton for each subject that the detector is sure enough of."""
        found = [box.points for box in self._detector.detect(context, image) if box.label_id == self._subject]
        boxes = [[left, top, right - left, bottom - top] for left, top, right, bottom in found]
        if not boxes:
            return []
        network, inputs = self._loaded.network, self._loaded.inputs(images=to_rgb(image), boxes=[boxes])
        # ViTPose+ has an expert for each kind of training data; 0 is COCO's.
        expert = {"dataset_index": torch.zeros(len(boxes), dtype=torch.int64, device=self._loaded.device)}
        answer = network(**inputs, **(expert if network.config.backbone_config.num_experts > 1 else {}))
        poses = self._loaded.processor.post_process_pose_estimation(answer, boxes=[boxes])[0]
        return [
            skeleton(0, np.clip(pose["keypoints"].numpy(), 0, image.size), pose["scores"].reshape(-1).numpy(), VISIBLE)
            for pose in poses
        ]


def create(
    model: str, detector: str, revision: str | None = None, sha256: str | None = None,
    detector_revision: str | None = None, detector_sha256: str | None = None, subject: str = "person",
    confidence: float = 0.5, device: str | None = None,
) -> PoseEstimator:  # fmt: skip
    """The function with the weights of `model` and `detector`; `confidence` is of the boxes.

    On CUDA where torch sees it, unless `device` says otherwise. ValueError where the detector knows no `subject`.
    """
    boxes = transformers_detection.create(detector, detector_revision, detector_sha256, confidence, device)
    loaded = load(VitPoseForPoseEstimation, VitPoseImageProcessor, model, revision, sha256, device)
    return PoseEstimator(boxes, loaded, subject)
