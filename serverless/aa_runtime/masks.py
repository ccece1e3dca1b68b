"""Masks: cvat-sdk's run lengths → pixels → what each reader of CVAT wants.

cvat-sdk: `points = [run0, run1, ..., x1, y1, x2, y2]`, runs row by row inside the box, the first counts
zeros, the box inclusive. On the wire: `mask = [0, 1, ..., x1, y1, x2, y2]`, the pixels themselves, the same
box.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import attrs
import cv2
import numpy as np
import numpy.typing as npt

from aa_runtime.errors import FunctionError
from aa_runtime.geometry import NO_EXTENT, OUTSIDE, Dropped, Size

Pixels = npt.NDArray[np.uint8]

#: A larger box is a fault of the function and no mask; it would take a byte a pixel.
MAX_BOX_PIXELS: Final = 2**30

# A pixel and the comma beside it are two bytes, written as one little-endian number whose low byte comes
# first: adding is some hundred times faster than a list of Python's integers and `json.dumps`.
_ZERO_AND_COMMA: Final = ord("0") | ord(",") << 8
_COMMA_AND_ZERO: Final = ord(",") | ord("0") << 8
_END_OF_ROW: Final = ord("]") | ord(",") << 8


@attrs.frozen(eq=False)
class Mask:
    """A crop of 0 and 1, shape `(height, width)`, and the pixel at which its top left lies. Inside the
    image."""

    pixels: Pixels
    left: int
    top: int

    @property
    def box(self) -> tuple[int, int, int, int]:
        """`(x1, y1, x2, y2)`, inclusive."""
        height, width = self.pixels.shape
        return self.left, self.top, self.left + width - 1, self.top + height - 1


def decode(points: Sequence[float], size: Size) -> Mask:
    """The mask that cvat-sdk's `points` describe, cropped to the image of `size` (width, height).

    Raises FunctionError when runs and box do not agree (`cvat_sdk.masks.decode_mask` refuses the same),
    Dropped when nothing is set or nothing of it lies in the image.
    """
    numbers = _integers(points)
    runs = numbers[:-4]
    x1, y1, x2, y2 = (int(number) for number in numbers[-4:])
    width, height = x2 - x1 + 1, y2 - y1 + 1
    if width < 1 or height < 1 or width * height > MAX_BOX_PIXELS:
        raise FunctionError("function output mask with invalid encoded bounding box")
    if ((runs < 0) | (runs > MAX_BOX_PIXELS)).any() or int(runs.sum()) != width * height:
        raise FunctionError("function output mask whose encoded bitmap does not match its bounding box")
    if not runs[1::2].any():
        raise Dropped(NO_EXTENT)
    return _cropped(Mask(_expand(runs).reshape(height, width), x1, y1), size)


def encode(mask: Mask) -> list[int]:
    """cvat-sdk's `points` of a mask; the inverse of `decode`."""
    flat = mask.pixels.ravel()
    edges = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    bounds = np.concatenate(([0], edges, [flat.size]))
    runs: list[int] = np.diff(bounds).tolist()
    return ([0] if flat[0] else []) + runs + list(mask.box)


def crop_json(mask: Mask) -> str:
    """The JSON array of a detector's `mask`: the pixels, then the box."""
    digits = mask.pixels.ravel().astype("<u2")
    digits += _ZERO_AND_COMMA
    box = ",".join(map(str, mask.box))
    return "".join(("[", str(digits.data, "ascii"), box, "]"))


def rows_json(pixels: Pixels) -> str:
    """The JSON array of arrays of a 2-D mask of 0 and 1."""
    height, width = pixels.shape
    digits = pixels.astype("<u2")
    digits <<= 8
    digits += _COMMA_AND_ZERO
    pairs = np.empty((height, width + 1), "<u2")
    pairs[:, :width] = digits
    pairs[:, 0] += ord("[") - ord(",")
    pairs[:, width] = _END_OF_ROW
    return "".join(("[", str(pairs.view(np.uint8).ravel()[:-1].data, "ascii"), "]"))


def outline(mask: Mask) -> list[int]:
    """The flat polygon around the largest part, in image pixels; empty when no part is more than a line.

    CVAT has one ring per item, so holes and smaller parts are left out; its UI makes polygons of masks the
    same way.
    """
    contours, _ = cv2.findContours(
        mask.pixels, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE, offset=(mask.left, mask.top)
    )
    areas = [cv2.contourArea(contour) for contour in contours]
    if not areas or max(areas) <= 0:
        return []
    ring: list[int] = contours[int(np.argmax(areas))].ravel().tolist()
    return ring


def fill(points: Sequence[float], size: Size) -> Mask:
    """The pixels inside a flat polygon, on the whole image of `size` (width, height)."""
    pixels = np.zeros((size[1], size[0]), np.uint8)
    # Pixel (0, 0) spans 0..1, and OpenCV means its centre by 0: hence the half, in 1/16 pixels.
    ring = np.round((np.asarray(points, np.float64).reshape(-1, 2) - 0.5) * 16).astype(np.int32)
    cv2.fillPoly(pixels, [ring], 1, shift=4)
    return Mask(pixels, 0, 0)


def full_size(masks: Iterable[Mask], size: Size) -> Pixels:
    """All masks together on one image of `size` (width, height)."""
    pixels = np.zeros((size[1], size[0]), np.uint8)
    for mask in masks:
        x1, y1, x2, y2 = mask.box
        pixels[y1 : y2 + 1, x1 : x2 + 1] |= mask.pixels
    return pixels


def _integers(points: Sequence[float]) -> npt.NDArray[np.int64]:
    numbers = np.asarray(points)
    if numbers.ndim != 1 or numbers.size < 5:
        raise FunctionError("function output mask with too few elements in its points")
    if numbers.dtype.kind not in "iuf":
        raise FunctionError("function output mask with a non-integer value")
    if numbers.dtype.kind == "f" and not ((np.abs(numbers) < 2**53) & (numbers == np.floor(numbers))).all():
        raise FunctionError("function output mask with a non-integer value")
    return numbers.astype(np.int64, copy=False)


def _expand(runs: npt.NDArray[np.int64]) -> Pixels:
    return np.repeat((np.arange(runs.size) & 1).astype(np.uint8), runs)


def _cropped(mask: Mask, size: Size) -> Mask:
    x1, y1, x2, y2 = mask.box
    left, top = max(x1, 0), max(y1, 0)
    right, bottom = min(x2, size[0] - 1), min(y2, size[1] - 1)
    if (left, top, right, bottom) == mask.box:
        return mask
    if left > right or top > bottom:
        raise Dropped(OUTSIDE)
    inside = np.ascontiguousarray(mask.pixels[top - y1 : bottom - y1 + 1, left - x1 : right - x1 + 1])
    if not inside.any():
        raise Dropped(OUTSIDE)
    return Mask(inside, left, top)
