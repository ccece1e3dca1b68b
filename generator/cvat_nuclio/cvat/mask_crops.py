"""Masks: the function's flat crop and box → CVAT's run lengths and box, and back for drawing."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .generation import Generation


def crop_to_rle(mask: Any, generation: Generation) -> list[Any]:
    """`[p0 … pn, left, top, right, bottom]` → `[run0, run1 …, left, top, right, bottom]`, first run background.

    Every change of value starts a run, so only two-valued crops with background 0 come out right. The box is taken
    as it is: nothing compares it with the crop or the image. Raises what CVAT's code raises for odd input.
    """
    left, top, right, bottom = mask[-4:]
    crop = mask[:-4]
    runs = _runs_of_values(crop) if generation is Generation.G1 else _runs_of_bytes(crop)
    return [*runs, left, top, right, bottom]


def _runs_of_values(crop: Any) -> list[int]:
    """G1's encoder: compares the values as given, so each probability is a run of its own."""
    pixels = np.array(crop).ravel(order="F")
    # The value before the first and after the last pixel differs from it: 1 - p. For a text this is CVAT's TypeError.
    before, after = 1 - pixels[0], 1 - pixels[-1]
    steps = np.diff(pixels, prepend=[before], append=[after])
    (starts,) = np.nonzero(steps)
    background = [0] if pixels[0] != 0 else []
    return [*background, *np.diff(starts).tolist()]


def _runs_of_bytes(crop: Any) -> list[int]:
    """The later encoder: one column of bytes, so that probabilities are truncated to 0."""
    column = np.array(crop)[:, None]
    if column.ndim != 2:
        raise RuntimeError("mask should be 2d array.")
    pixels = column.astype(np.uint8).ravel()
    if pixels.size == 0:
        return [0]
    starts = np.nonzero(np.diff(pixels))[0] + 1
    background = [0] if pixels[0] != 0 else []
    return [*background, *np.diff([0, *starts.tolist(), pixels.size]).tolist()]


def rle_to_bitmap(points: Sequence[float], width: int, height: int) -> npt.NDArray[np.bool_]:
    """A stored mask's `points` as a bitmap of the image's size, cut at its edges.

    Raises ValueError for a box that is not whole numbers or that the runs do not fill: CVAT's UI cannot open those.
    """
    if len(points) < 5 or any(value != int(value) for value in points):
        raise ValueError("the mask's runs and box must be whole numbers")
    *runs, left, top, right, bottom = (int(value) for value in points)
    rows, columns = bottom - top + 1, right - left + 1
    if rows < 1 or columns < 1 or sum(runs) != rows * columns:
        raise ValueError(f"the mask's {sum(runs)} pixels do not fill its box of {columns} by {rows}")
    crop = np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(rows, columns)
    bitmap = np.zeros((height, width), dtype=bool)
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(right + 1, width), min(bottom + 1, height)
    if x0 < x1 and y0 < y1:
        bitmap[y0:y1, x0:x1] = crop[y0 - top : y1 - top, x0 - left : x1 - left]
    return bitmap
