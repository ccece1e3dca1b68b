"""The neighbourhood of a click."""

import cvat_sdk.auto_annotation as cvataa
import numpy as np
import PIL.Image
from cvat_sdk.masks import encode_mask

spec = cvataa.InteractionFunctionSpec(min_pos_points=1, min_neg_points=0, min_bounding_boxes=0)


def detect(
    context: cvataa.InteractionFunctionContext, image: PIL.Image.Image, prompts: cvataa.InteractionPrompts
) -> list[cvataa.InteractionResultShape]:
    """A square around the first point."""
    x, y = map(int, prompts.pos_points[0])
    mask = np.zeros((image.height, image.width), dtype=bool)
    mask[y - 5 : y + 6, x - 5 : x + 6] = True
    return [cvataa.InteractionResultShape(type="mask", points=encode_mask(mask))]
