"""Objects with boxes, by any detector of transformers: RT-DETR, D-FINE, DEIMv2, RF-DETR, LW-DETR, DETR, YOLOS.

`model` is a folder with `config.json`, such as a fine-tuned network's, or a name on the Hugging Face hub. The labels
are the network's own.

    cvat-cli function create-native NAME --function-module cvat_functions.transformers_detection \
        -p model=str:PekingU/rtdetr_v2_r50vd
"""

from typing import Any

import cvat_sdk.auto_annotation as cvataa
import PIL.Image
import torch
from transformers import AutoImageProcessor, AutoModelForObjectDetection

from cvat_functions.hub import Loaded, load
from cvat_functions.shared import labels_of, to_rgb


class Detector:
    """The detector over one network and its preprocessing."""

    def __init__(self, loaded: Loaded, confidence: float) -> None:
        self._loaded, self._confidence = loaded, confidence
        labels, self._label_of = labels_of(loaded.network.config.id2label, "rectangle")
        self.spec = cvataa.DetectionFunctionSpec(labels=labels)

    @torch.inference_mode()
    def detect(self, context: cvataa.DetectionFunctionContext, image: PIL.Image.Image) -> list[Any]:
        """Boxes at least as sure as the context's threshold, else as `confidence`."""
        threshold = self._confidence if context.conf_threshold is None else context.conf_threshold
        answer = self._loaded.network(**self._loaded.inputs(images=to_rgb(image)))
        found = self._loaded.processor.post_process_object_detection(
            answer, threshold=threshold, target_sizes=[(image.height, image.width)]
        )[0]
        return [
            cvataa.rectangle(self._label_of[int(number)], box.tolist())
            for number, box in zip(found["labels"], found["boxes"].float().cpu(), strict=True)
            if int(number) in self._label_of
        ]


def create(
    model: str, revision: str | None = None, sha256: str | None = None, confidence: float = 0.5,
    device: str | None = None,
) -> Detector:  # fmt: skip
    """The detector with the weights of `model`; on CUDA where torch sees it, unless `device` says otherwise."""
    loaded = load(AutoModelForObjectDetection, AutoImageProcessor, model, revision, sha256, device)
    return Detector(loaded, confidence)
