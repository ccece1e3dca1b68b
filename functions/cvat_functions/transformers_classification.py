"""Tags, by any image classifier of transformers: ViT, DINOv2, ConvNeXt, Swin, ResNet, SigLIP and theirs.

One tag a picture, the surest; a network trained for several labels at once gives each that is sure enough.

    cvat-cli function create-native NAME --function-module cvat_functions.transformers_classification \
        -p model=str:facebook/convnextv2-tiny-1k-224
"""

import time
from typing import Any

import cvat_sdk.auto_annotation as cvataa
import PIL.Image
import torch
from transformers import AutoImageProcessor, AutoModelForImageClassification

from cvat_functions.hub import pretrained, verify
from cvat_functions.on_torch import device_of, report
from cvat_functions.shared import labels_of, to_rgb


class Classifier:
    """The detector of tags over one network and its preprocessing."""

    def __init__(self, model: Any, processor: Any, device: torch.device, confidence: float | None) -> None:
        self._model, self._processor, self._device = model.to(device).eval(), processor, device
        self._many = model.config.problem_type == "multi_label_classification"
        self._confidence = (0.5 if self._many else 0.0) if confidence is None else confidence
        labels, self._label_of = labels_of(model.config.id2label, "tag")
        self.spec = cvataa.DetectionFunctionSpec(labels=labels)

    @torch.inference_mode()
    def detect(self, context: cvataa.DetectionFunctionContext, image: PIL.Image.Image) -> list[Any]:
        """The tags at least as sure as the context's threshold, else as `confidence`."""
        threshold = self._confidence if context.conf_threshold is None else context.conf_threshold
        inputs = self._processor(images=to_rgb(image), return_tensors="pt").to(self._device)
        logits = self._model(**inputs).logits[0]
        sure = logits.sigmoid() if self._many else logits.softmax(-1)
        chosen = range(len(sure)) if self._many else [int(sure.argmax())]
        found = [self._label_of[number] for number in chosen if sure[number] >= threshold and number in self._label_of]
        return [cvataa.tag(label) for label in dict.fromkeys(found)]


def create(
    model: str, revision: str | None = None, sha256: str | None = None, confidence: float | None = None,
    device: str | None = None,
) -> Classifier:  # fmt: skip
    """The classifier with the weights of `model`; `confidence` by itself is 0, or 0.5 where labels do not exclude each
    other. On CUDA where torch sees it, unless `device` says otherwise."""
    started, place = time.monotonic(), device_of(device)
    verify(model, sha256, revision)
    network = pretrained(AutoModelForImageClassification, model, revision, dtype=torch.float32)
    function = Classifier(network, pretrained(AutoImageProcessor, model, revision), place, confidence)
    report(f"{model}: {type(network).__name__}", place, started)
    return function
