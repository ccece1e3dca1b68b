"""Tags, by any image classifier of transformers: ViT, DINOv2, ConvNeXt, Swin, ResNet, SigLIP and theirs.

One tag a picture, the surest; a network trained for several labels at once gives each that is sure enough.

    cvat-cli function create-native NAME --function-module cvat_functions.transformers_classification \
        -p model=str:facebook/convnextv2-tiny-1k-224
"""

from typing import Any

import cvat_sdk.auto_annotation as cvataa
import PIL.Image
import torch
from transformers import AutoImageProcessor, AutoModelForImageClassification

from cvat_functions.hub import Loaded, load
from cvat_functions.shared import labels_of, to_rgb


class Classifier:
    """The detector of tags over one network and its preprocessing."""

    def __init__(self, loaded: Loaded, confidence: float | None) -> None:
        self._loaded, config = loaded, loaded.network.config
        self._many = config.problem_type == "multi_label_classification"
        self._confidence = (0.5 if self._many else 0.0) if confidence is None else confidence
        labels, self._label_of = labels_of(config.id2label, "tag")
        self.spec = cvataa.DetectionFunctionSpec(labels=labels)

    @torch.inference_mode()
    def detect(self, context: cvataa.DetectionFunctionContext, image: PIL.Image.Image) -> list[Any]:
        """The tags at least as sure as the context's threshold, else as `confidence`."""
        threshold = self._confidence if context.conf_threshold is None else context.conf_threshold
        logits = self._loaded.network(**self._loaded.inputs(images=to_rgb(image))).logits[0]
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
    loaded = load(AutoModelForImageClassification, AutoImageProcessor, model, revision, sha256, device)
    return Classifier(loaded, confidence)
