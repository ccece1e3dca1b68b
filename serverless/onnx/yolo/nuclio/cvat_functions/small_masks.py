"""Masks of less than the picture's resolution, laid into the picture."""

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


def sampled(mask: Floats, area: tuple[float, ...], window: tuple[int, int, int, int]) -> Floats:
    """A mask (h, w) of an `area` of the picture, at the picture's own resolution inside a `window` of whole pixels.

    Both are `x1, y1, x2, y2` in the picture's pixels; an area may reach beyond the picture.
    """
    (rows, columns), (x1, y1, x2, y2) = mask.shape, area
    left, top, right, bottom = window
    across, down = columns / (x2 - x1), rows / (y2 - y1)
    # Pixel centres lie at halves: a picture's x + 0.5 becomes the mask's x' + 0.5.
    to_mask = np.array(
        [[across, 0, (left + 0.5 - x1) * across - 0.5], [0, down, (top + 0.5 - y1) * down - 0.5]]
    )  # fmt: skip
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (right - left, bottom - top)
    found = cv2.warpAffine(mask.astype(np.float32), to_mask, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found, np.float32)
