"""A ReID function on colour and gradient histograms: what an object looks like, without a network.

The box is cut into bands, since what is on an object's top rarely is at its bottom. Each band has a histogram of
colour and one of gradient directions. From each the same histogram of the whole frame is taken away: what remains is
how the object differs from its surroundings, so that two objects do not look alike just for being in one street.
"""

from collections.abc import Sequence

import attrs
import cv2
import numpy as np
import PIL.Image
from numpy.typing import NDArray

from aa_runtime import ReIDFunctionContext, ReIDFunctionSpec

Floats = NDArray[np.floating]
Pixels = NDArray[np.uint8]

COLOUR_BINS = (4, 8, 8)
"""Lightness, then the two colour axes of CIELAB; few bins of lightness, which shade and exposure change."""
COLOUR_RANGES = (0, 256, 68, 188, 68, 188)
"""The colour axes without their ends, which photographs hardly reach."""
DIRECTIONS = 12
"""Bins of the gradient's direction, over a whole turn."""
PATCH = (48, 96)
"""Columns and rows of pixels that each box is resized to."""
FRAME_SIDE = 320
"""The longer side, in pixels, that the whole frame is shrunk to for its own histograms."""


@attrs.frozen(kw_only=True)
class AppearanceReID:
    """Describes objects by histograms; see `create` for the parameters."""

    bands: int
    gradient_weight: float
    centred: float

    @property
    def spec(self) -> ReIDFunctionSpec:
        """Rows of one length, always."""
        return ReIDFunctionSpec(embedding_size=self.bands * (int(np.prod(COLOUR_BINS)) + DIRECTIONS))

    def embed(
        self,
        context: ReIDFunctionContext,
        image: PIL.Image.Image,
        boxes: Sequence[tuple[float, float, float, float]],
    ) -> Floats:
        """One row per box, (len(boxes), spec.embedding_size); equal looks point the same way."""
        rgb = to_rgb(image)
        usual = self._describe(shrunk(rgb)) * self.centred
        rows = [np.concatenate([self._describe(band) - usual for band in self._bands(rgb, box)]) for box in boxes]
        return np.array(rows, dtype=np.float32)

    def _bands(self, rgb: Pixels, box: tuple[float, float, float, float]) -> list[Pixels]:
        return np.array_split(patch(rgb, box), self.bands)

    def _describe(self, rgb: Pixels) -> Floats:
        """Roots of both histograms, so that their scalar product is the histograms' Bhattacharyya coefficient."""
        return np.concatenate([np.sqrt(colours(rgb)), self.gradient_weight * np.sqrt(directions(rgb))])


def create(bands: int = 6, gradient_weight: float = 0.5, centred: float = 1.0) -> AppearanceReID:
    """Makes the function.

    bands: how many horizontal bands each box is cut into.
    gradient_weight: what gradients count against colours.
    centred: how much of the frame's own histograms is taken away, 0 to 1.
    """
    return AppearanceReID(bands=bands, gradient_weight=gradient_weight, centred=centred)


def to_rgb(image: PIL.Image.Image) -> Pixels:
    """RGB of an image of any mode."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return cv2.cvtColor(to_8_bits(np.asarray(image, np.float32)), cv2.COLOR_GRAY2RGB)
    return np.asarray(image.convert("RGB"))


def to_8_bits(grey: Floats) -> Pixels:
    """Grey levels of up to 16 bits, which Pillow's own conversion would cut off at 255."""
    levels = grey / 257 if grey.max() > 255 else grey
    return np.clip(levels, 0, 255).astype(np.uint8)


def shrunk(rgb: Pixels) -> Pixels:
    scale = min(1.0, FRAME_SIDE / max(rgb.shape[:2]))
    size = [max(2, round(side * scale)) for side in rgb.shape[1::-1]]
    return cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)


def patch(rgb: Pixels, box: tuple[float, float, float, float]) -> Pixels:
    """The box's pixels, at least one, resized to PATCH."""
    height, width = rgb.shape[:2]
    left, top = min(int(box[0]), width - 1), min(int(box[1]), height - 1)
    right, bottom = max(round(box[2]), left + 1), max(round(box[3]), top + 1)
    part = rgb[top:bottom, left:right]
    shrinks = part.shape[0] > PATCH[1] and part.shape[1] > PATCH[0]
    return cv2.resize(part, PATCH, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def colours(rgb: Pixels) -> Floats:
    """The histogram of CIELAB colours, smoothed over neighbouring bins; its sum is 1."""
    lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)
    lab[..., 1:] = np.clip(lab[..., 1:], COLOUR_RANGES[2], COLOUR_RANGES[3] - 1)
    histogram = cv2.calcHist([lab], [0, 1, 2], None, COLOUR_BINS, COLOUR_RANGES)
    return normalised(smoothed(histogram))


def smoothed(histogram: Floats) -> Floats:
    """Lets each bin leak into its neighbours, so that a small change of light does not move all of a histogram."""
    for axis in range(histogram.ndim):
        padded = np.pad(histogram, [(1, 1) if a == axis else (0, 0) for a in range(histogram.ndim)], mode="edge")
        before, after = np.delete(padded, [-1, -2], axis), np.delete(padded, [0, 1], axis)
        histogram = 0.5 * histogram + 0.25 * (before + after)
    return histogram.ravel()


def directions(rgb: Pixels) -> Floats:
    """The histogram of gradient directions, each counted by its strength; its sum is 1."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    dx, dy = (cv2.Sobel(grey, cv2.CV_32F, *order, ksize=3) for order in ((1, 0), (0, 1)))
    bins = (np.arctan2(dy, dx) * (DIRECTIONS / (2 * np.pi))).astype(int) % DIRECTIONS
    return normalised(np.asarray(np.bincount(bins.ravel(), np.hypot(dx, dy).ravel(), DIRECTIONS), np.float64))


def normalised(histogram: Floats) -> Floats:
    """The histogram with sum 1; level where there is nothing to count."""
    total = histogram.sum()
    return histogram / total if total > 0 else np.full(histogram.shape, 1 / histogram.size)
