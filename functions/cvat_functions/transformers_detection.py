"""Objects with boxes, by any detector of transformers: RT-DETR, D-FINE, DEIMv2, RF-DETR, LW-DETR, DETR, YOLOS.

`model` is a folder with `config.json`, such as a fine-tuned network's, or a name on the Hugging Face hub. The labels
are the network's own.

    cvat-cli function create-native NAME --function-module cvat_functions.transformers_detection \
        -p model=str:PekingU/rtdetr_v2_r50vd
"""

import time
from typing import Any

import cvat_sdk.auto_annotation as cvataa
import PIL.Image
import torch
from transformers import AutoImageProcessor, AutoModelForObjectDetection

from cvat_functions.hub import pretrained, verify
from cvat_functions.on_torch import device_of, report
from cvat_functions.shared import labels_of, to_rgb


class Detector:
    """The detector over one network and its preprocessing."""

    def __init__(self, model: Any, processor: Any, device: torch.device, confidence: float) -> None:
        self._model, self._processor = model.to(device).eval(), processor
        self._device, self._confidence = device, confidence
        labels, self._label_of = labels_of(model.config.id2label, "rectangle")
        self.spec = cvataa.DetectionFunctionSpec(labels=labels)

    @torch.inference_mode()
    def detect(self, context: cvataa.DetectionFunctionContext, image: PIL.Image.Image) -> list[Any]:
        """Boxes at least as sure as the context's threshold, else as `confidence`."""
        threshold = self._confidence if context.conf_threshold is None else context.conf_threshold
        inputs = self._processor(images=to_rgb(image), return_tensors="pt").to(self._device)
        found = self._processor.post_process_object_detection(
            self._model(**inputs), threshold=threshold, target_sizes=[(image.height, image.width)]
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
    started, place = time.monotonic(), device_of(device)
    verify(model, sha256, revision)
    network = pretrained(AutoModelForObjectDetection, model, revision, dtype=torch.float32)
    function = Detector(network, pretrained(AutoImageProcessor, model, revision), place, confidence)
    report(f"{model}: {type(network).__name__}", place, started)
    return function
