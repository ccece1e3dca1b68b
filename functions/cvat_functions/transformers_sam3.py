"""Objects that words name, with masks, by SAM 3 of transformers: every instance of each phrase.

The labels are the vocabulary: `-p labels=str:"helmet; person with a bag"`.

    cvat-cli function create-native NAME --function-module cvat_functions.transformers_sam3 \
        -p model=str:facebook/sam3 -p labels=str:"helmet; person with a bag"
"""

import time
from typing import Any

import cvat_sdk.auto_annotation as cvataa
import numpy as np
import PIL.Image
import torch
from transformers import AutoProcessor, Sam3Model

from cvat_functions.hub import pretrained, verify
from cvat_functions.on_torch import device_of, report
from cvat_functions.shared import phrases, shapes_of, to_rgb


class ConceptSegmenter:
    """The detector over one network, its preprocessing and a vocabulary."""

    def __init__(self, model: Any, processor: Any, words: list[str], device: torch.device, confidence: float) -> None:
        self._model, self._processor, self._words = model.to(device).eval(), processor, words
        self._device, self._confidence = device, confidence
        labels = [cvataa.label_spec(word, number, type="mask") for number, word in enumerate(words)]
        self.spec = cvataa.DetectionFunctionSpec(labels=labels)

    @torch.inference_mode()
    def detect(self, context: cvataa.DetectionFunctionContext, image: PIL.Image.Image) -> list[Any]:
        """Masks at least as sure as the context's threshold, else as `confidence`; the picture is encoded once."""
        threshold = self._confidence if context.conf_threshold is None else context.conf_threshold
        pixels = self._processor(images=to_rgb(image), return_tensors="pt")["pixel_values"].to(self._device)
        seen = self._model.get_vision_features(pixels)
        return [
            shape
            for number, word in enumerate(self._words)
            for bitmap in self._masks(seen, word, threshold, (image.height, image.width))
            for shape in shapes_of(number, bitmap, context.conv_mask_to_poly)
        ]

    def _masks(self, seen: Any, word: str, threshold: float, size: tuple[int, int]) -> Any:
        """A phrase's instances, (N, H, W) of bool."""
        text = self._processor(text=word, return_tensors="pt").to(self._device)
        answer = self._model(vision_embeds=seen, input_ids=text["input_ids"], attention_mask=text["attention_mask"])
        found = self._processor.post_process_instance_segmentation(answer, threshold=threshold, target_sizes=[size])[0]
        return np.asarray(found["masks"].cpu()) > 0


def create(
    model: str, labels: str, revision: str | None = None, sha256: str | None = None, confidence: float = 0.5,
    device: str | None = None,
) -> ConceptSegmenter:  # fmt: skip
    """The detector of the phrases in `labels`, which semicolons part, with the weights of `model`.

    On CUDA where torch sees it, unless `device` says otherwise.
    """
    started, place = time.monotonic(), device_of(device)
    verify(model, sha256, revision)
    network = pretrained(Sam3Model, model, revision, dtype=torch.float32)
    processor = pretrained(AutoProcessor, model, revision)
    function = ConceptSegmenter(network, processor, phrases(labels), place, confidence)
    report(f"{model}: {type(network).__name__}, {len(function.spec.labels)} phrases", place, started)
    return function
