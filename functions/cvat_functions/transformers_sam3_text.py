"""Cuts out what words or a box mean, by SAM 3 of transformers: every instance of it, each with its confidence.

A box is an example: like things all over the picture are found. Words come as `text_prompts`, which CVAT's server
passes on and cvat-cli does not know; under cvat-cli only boxes work. Clicks on points are for `transformers_sam`.

    cvat-cli function create-native NAME --function-module cvat_functions.transformers_sam3_text \
        -p model=str:facebook/sam3
"""

from typing import Any, Final

import attrs
import cvat_sdk.auto_annotation as cvataa
import numpy as np
import PIL.Image
import torch
from cvat_sdk import models
from cvat_sdk.masks import encode_mask
from transformers import AutoProcessor, Sam3Model

from cvat_functions.hub import Loaded, load
from cvat_functions.shared import to_rgb

#: What SAM 3 is told beside a box, as its authors do.
ANYTHING: Final = "visual"


@attrs.frozen(eq=False)
class Seen:
    """A picture as the encoder leaves it, and its width and height."""

    features: Any
    size: tuple[int, int]


class TextInteractor:
    """The interactor over one network and its preprocessing."""

    spec = cvataa.InteractionFunctionSpec(min_pos_points=0, min_bounding_boxes=0)

    def __init__(self, loaded: Loaded, confidence: float) -> None:
        self._loaded, self._confidence = loaded, confidence

    @torch.inference_mode()
    def preprocess_image(self, context: cvataa.InteractionFunctionContext, image: PIL.Image.Image) -> Seen:
        """Encodes the picture; most of the work."""
        pixels = self._loaded.inputs(images=to_rgb(image))["pixel_values"]
        return Seen(self._loaded.network.get_vision_features(pixels), image.size)

    @torch.inference_mode()
    def detect(
        self, context: cvataa.InteractionFunctionContext, pp_image: Seen, prompts: cvataa.InteractionPrompts
    ) -> list[cvataa.InteractionResultShape]:
        """A mask for each instance of each text, or of what the box holds; none without either."""
        texts = list(getattr(prompts, "text_prompts", ())) or ([ANYTHING] if prompts.bounding_box else [])
        return [shape for text in texts for shape in self._found(pp_image, text, prompts.bounding_box)]

    def _found(self, seen: Seen, text: str, box: Any) -> list[cvataa.InteractionResultShape]:
        width, height = seen.size
        asked: dict[str, Any] = {"text": text, "original_sizes": [[height, width]]}
        if box is not None:
            asked |= {"input_boxes": [[np.sort(box, axis=0).ravel().tolist()]], "input_boxes_labels": [[1]]}
        inputs = self._loaded.inputs(**asked)
        inputs.pop("original_sizes")
        answer = self._loaded.network(vision_embeds=seen.features, **inputs)
        found = self._loaded.processor.post_process_instance_segmentation(
            answer, threshold=self._confidence, target_sizes=[(height, width)]
        )[0]
        return [
            cvataa.InteractionResultShape(
                type="mask",
                points=encode_mask(np.asarray(mask.cpu()) > 0),
                attributes=[models.AttributeValRequest(spec_id=0, value=f"{float(score):.4f}")],
            )
            for mask, score in zip(found["masks"], found["scores"], strict=True)
            if mask.any()
        ]


def create(
    model: str, revision: str | None = None, sha256: str | None = None, confidence: float = 0.5,
    device: str | None = None,
) -> TextInteractor:  # fmt: skip
    """The interactor with the weights of `model`; on CUDA where torch sees it, unless `device` says otherwise."""
    return TextInteractor(load(Sam3Model, AutoProcessor, model, revision, sha256, device), confidence)
