"""Cuts out what points and a box mark, by any promptable segmentation of transformers: SAM, SAM-HQ, SAM 2 and 2.1,
EdgeTAM, SAM 3's tracker.

The picture is embedded once in `preprocess_image`, so that each further click costs milliseconds.

    cvat-cli function create-native NAME --function-module cvat_functions.transformers_sam \
        -p model=str:facebook/sam2.1-hiera-small
"""

import time
from typing import Any, Final

import attrs
import cvat_sdk.auto_annotation as cvataa
import numpy as np
import PIL.Image
import torch
from cvat_sdk.masks import encode_mask
from transformers import (
    AutoModelForMaskGeneration,
    Sam2Processor,
    Sam3TrackerProcessor,
    SamHQProcessor,
    SamProcessor,
)

from cvat_functions.hub import pretrained, verify
from cvat_functions.on_torch import device_of, report
from cvat_functions.shared import to_rgb

#: By the network's class. A repository may name another: SAM 2's name the one for video.
PROCESSORS: Final = {
    "SamModel": SamProcessor,
    "SamHQModel": SamHQProcessor,
    "Sam2Model": Sam2Processor,
    "EdgeTamModel": Sam2Processor,
    "Sam3TrackerModel": Sam3TrackerProcessor,
}


@attrs.frozen(eq=False)
class Embedded:
    """A picture as the encoder leaves it, by the network's own names, and the sizes that lead back to its pixels."""

    features: dict[str, Any]
    sizes: dict[str, torch.Tensor]
    scale: tuple[float, float]
    """The network's pixels in one of the picture's, across and down."""


class Interactor:
    """The interactor over one network and its preprocessing."""

    spec = cvataa.InteractionFunctionSpec(min_pos_points=0, min_neg_points=0, min_bounding_boxes=0)

    def __init__(self, model: Any, processor: Any, device: torch.device) -> None:
        self._model, self._processor, self._device = model.to(device).eval(), processor, device

    @torch.inference_mode()
    def preprocess_image(self, context: cvataa.InteractionFunctionContext, image: PIL.Image.Image) -> Embedded:
        """Embeds the picture; all but milliseconds of the work."""
        inputs = self._processor(images=to_rgb(image), return_tensors="pt")
        sizes = {name: inputs[name] for name in ("original_sizes", "reshaped_input_sizes") if name in inputs}
        # SAM and SAM-HQ keep the picture's proportions, the later ones stretch it to a square.
        side = self._processor.target_size
        height, width = sizes["reshaped_input_sizes"][0].tolist() if len(sizes) == 2 else (side, side)
        made = self._model.get_image_embeddings(inputs["pixel_values"].to(self._device, torch.float32))
        names = ("image_embeddings", "intermediate_embeddings") if isinstance(made, tuple) else ("image_embeddings",)
        features = dict(zip(names, made if isinstance(made, tuple) else (made,), strict=True))
        return Embedded(features, sizes, (width / image.width, height / image.height))

    @torch.inference_mode()
    def detect(
        self, context: cvataa.InteractionFunctionContext, pp_image: Embedded, prompts: cvataa.InteractionPrompts
    ) -> list[cvataa.InteractionResultShape]:
        """One mask, or none.

        One click says little: of the masks that the network then offers, the one that it rates best is taken. With
        more prompts it is the single mask, as SAM's authors advise. No confidence is given: CVAT hides what is below
        0.5, and SAM's rating is of the mask's outline, not of whether the click was understood.
        """
        given = self._prompts(pp_image.scale, prompts)
        if not prompts.pos_points and prompts.bounding_box is None:
            return []
        single = "input_boxes" not in given and given["input_points"].shape[2] == 1
        # A list is copied: SAM 2 takes its levels out of it.
        features = {name: [*value] if isinstance(value, list) else value for name, value in pp_image.features.items()}
        answer = self._model(**features, **given, multimask_output=single)
        best = int(answer.iou_scores[0, 0].argmax())
        masks = answer.pred_masks[0, :, best : best + 1].float().cpu()[None]
        bitmap = np.asarray(self._processor.post_process_masks(masks, **pp_image.sizes)[0][0, 0])
        return [cvataa.InteractionResultShape(type="mask", points=encode_mask(bitmap))] if bitmap.any() else []

    def _prompts(self, scale: tuple[float, float], prompts: cvataa.InteractionPrompts) -> dict[str, torch.Tensor]:
        def tensor(values: Any, *shape: int) -> torch.Tensor:
            return torch.as_tensor(np.array(values, np.float32) * scale, dtype=torch.float32).reshape(shape)

        given: dict[str, torch.Tensor] = {}
        if points := [*prompts.pos_points, *prompts.neg_points]:
            labels = [1] * len(prompts.pos_points) + [0] * len(prompts.neg_points)
            given["input_points"] = tensor(points, 1, 1, -1, 2)
            given["input_labels"] = torch.tensor(labels, dtype=torch.int32).reshape(1, 1, -1)
        if prompts.bounding_box is not None:
            given["input_boxes"] = tensor(np.sort(prompts.bounding_box, axis=0), 1, 1, 4)
        return {name: value.to(self._device) for name, value in given.items()}


def create(
    model: str, revision: str | None = None, sha256: str | None = None, device: str | None = None
) -> Interactor:  # fmt: skip
    """The interactor with the weights of `model`; on CUDA where torch sees it, unless `device` says otherwise."""
    started, place = time.monotonic(), device_of(device)
    verify(model, sha256, revision)
    network = pretrained(AutoModelForMaskGeneration, model, revision, dtype=torch.float32)
    processor = pretrained(PROCESSORS[type(network).__name__], model, revision)
    function = Interactor(network, processor, place)
    report(f"{model}: {type(network).__name__}", place, started)
    return function
