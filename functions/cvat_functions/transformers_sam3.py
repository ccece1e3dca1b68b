"""Objects that words name, with masks, by SAM 3 of transformers: every instance of each phrase.

The labels are the vocabulary: `-p labels=str:"helmet; person with a bag"`.

    cvat-cli function create-native NAME --function-module cvat_functions.transformers_sam3 \
        -p model=str:facebook/sam3 -p labels=str:"helmet; person with a bag"
"""

from typing import Any

import cvat_sdk.auto_annotation as cvataa
import numpy as np
import PIL.Image
import torch
from transformers import AutoProcessor, Sam3Model

from cvat_functions.hub import Loaded, load
from cvat_functions.shared import phrases, shapes_of, spec_of, to_rgb


class ConceptSegmenter:
    """The detector over one network, its preprocessing and a vocabulary."""

    def __init__(self, loaded: Loaded, words: list[str], confidence: float) -> None:
        self._loaded, self._words, self._confidence = loaded, words, confidence
        self.spec = spec_of(words, "mask")

    @torch.inference_mode()
    def detect(self, context: cvataa.DetectionFunctionContext, image: PIL.Image.Image) -> list[Any]:
        """Masks at least as sure as the context's threshold, else as `confidence`; the picture is encoded once."""
        threshold = self._confidence if context.conf_threshold is None else context.conf_threshold
        seen = self._loaded.network.get_vision_features(self._loaded.inputs(images=to_rgb(image))["pixel_values"])
        return [
            shape
            for number, word in enumerate(self._words)
            for bitmap in self._masks(seen, word, threshold, (image.height, image.width))
            for shape in shapes_of(number, bitmap, context.conv_mask_to_poly)
        ]

    def _masks(self, seen: Any, word: str, threshold: float, size: tuple[int, int]) -> Any:
        """A phrase's instances, (N, H, W) of bool."""
        text = self._loaded.inputs(text=word)
        asked = {name: text[name] for name in ("input_ids", "attention_mask")}
        answer = self._loaded.network(vision_embeds=seen, **asked)
        found = self._loaded.processor.post_process_instance_segmentation(
            answer, threshold=threshold, target_sizes=[size]
        )[0]
        return np.asarray(found["masks"].cpu()) > 0


def create(
    model: str, labels: str, revision: str | None = None, sha256: str | None = None, confidence: float = 0.5,
    device: str | None = None,
) -> ConceptSegmenter:  # fmt: skip
    """The detector of the phrases in `labels`, which semicolons part, with the weights of `model`.

    On CUDA where torch sees it, unless `device` says otherwise.
    """
    loaded = load(Sam3Model, AutoProcessor, model, revision, sha256, device)
    return ConceptSegmenter(loaded, phrases(labels), confidence)
