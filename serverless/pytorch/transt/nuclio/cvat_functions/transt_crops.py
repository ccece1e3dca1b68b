"""The squares around an object that TransT's network sees (the paper's section 3.1)."""

import math
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

#: ImageNet's, for values between 0 and 1.
MEAN: Final = (0.485, 0.456, 0.406)
DEVIATION: Final = (0.229, 0.224, 0.225)


def context_side(size: tuple[float, float], context: int) -> int:
    """The side of the square around an object that shows `context` mean sides of its surroundings."""
    margin = context * (size[0] + size[1]) / 2
    return math.ceil(math.sqrt((size[0] + margin) * (size[1] + margin)))


def crop_around(
    picture: npt.NDArray[np.uint8], centre: tuple[float, float], side: int, output: int, grey: tuple[int, int, int]
) -> npt.NDArray[np.uint8]:
    """The square of `side` pixels around `centre`, as `output` pixels; grey beyond the picture.

    Sampled straight from the picture: around a large object the square is far larger than the picture.
    """
    left, top = (math.floor(value - (side + 1) / 2 + 0.5) for value in centre)
    scale = side / output
    # Pixel centres lie at halves.
    to_picture = np.array([[scale, 0, left + scale / 2 - 0.5], [0, scale, top + scale / 2 - 0.5]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    crop = cv2.warpAffine(
        picture, to_picture, (output, output), flags=flags, borderMode=cv2.BORDER_CONSTANT, borderValue=grey
    )
    return np.asarray(crop, np.uint8)


def normal(crop: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """H x W x 3 as the network was trained on."""
    values = np.asarray(crop, np.float32) / 255 - np.array(MEAN, np.float32)
    return np.asarray(values / np.array(DEVIATION, np.float32), np.float32)
