"""An interactor whose image encoder takes 300 ms, as a large model's does on a GPU."""

import time

import cvat_sdk.auto_annotation as cvataa
import numpy as np
import PIL.Image
from cvat_sdk.masks import encode_mask

spec = cvataa.InteractionFunctionSpec(min_pos_points=1, min_neg_points=0)


def preprocess_image(context: cvataa.InteractionFunctionContext, image: PIL.Image.Image) -> tuple[int, int]:
    """The size, after 300 ms."""
    time.sleep(0.3)
    return image.size


def detect(
    context: cvataa.InteractionFunctionContext, pp_image: tuple[int, int], prompts: cvataa.InteractionPrompts
) -> list[cvataa.InteractionResultShape]:
    """A disc of 40 pixels at the first positive point."""
    width, height = pp_image
    x, y = prompts.pos_points[0]
    rows, columns = np.ogrid[:height, :width]
    disc = (columns - x) ** 2 + (rows - y) ** 2 <= 40**2
    return [cvataa.InteractionResultShape(type="mask", points=encode_mask(disc))]
