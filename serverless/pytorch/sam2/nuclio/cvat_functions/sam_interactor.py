"""An interactor over any promptable segmentation network of transformers' SAM family.

The picture is embedded once in `preprocess_image`, so that each further click costs milliseconds.
"""

from typing import Any, Final

import attrs
import cvat_sdk.auto_annotation as cvataa
import numpy as np
import PIL.Image
import torch
from cvat_sdk.masks import encode_mask

from cvat_functions.sam_prompts import tensors_of
from cvat_functions.shared import to_rgb

#: None is demanded, so that a box alone will do, and points alone will do.
ANY_PROMPT: Final = cvataa.InteractionFunctionSpec(min_pos_points=0, min_neg_points=0, min_bounding_boxes=0)


@attrs.frozen(eq=False)
class Embedded:
    """A picture as the encoder leaves it, by the network's own names, and the sizes that lead back to its pixels."""

    features: dict[str, Any]
    sizes: dict[str, torch.Tensor]
    scale: tuple[float, float]
    """The network's pixels in one of the picture's, across and down."""


class Interactor:
    """The interactor over one network and its preprocessing."""

    spec = ANY_PROMPT

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
        if not prompts.pos_points and prompts.bounding_box is None:
            return []
        given = tensors_of(prompts, pp_image.scale, self._device)
        single = "input_boxes" not in given and given["input_points"].shape[2] == 1
        # A list is copied: SAM 2 takes its levels out of it.
        features = {name: [*value] if isinstance(value, list) else value for name, value in pp_image.features.items()}
        answer = self._model(**features, **given, multimask_output=single)
        best = int(answer.iou_scores[0, 0].argmax())
        masks = answer.pred_masks[0, :, best : best + 1].float().cpu()[None]
        bitmap = np.asarray(self._processor.post_process_masks(masks, **pp_image.sizes)[0][0, 0])
        return [cvataa.InteractionResultShape(type="mask", points=encode_mask(bitmap))] if bitmap.any() else []
