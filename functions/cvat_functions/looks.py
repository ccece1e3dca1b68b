"""What pixels look like: histograms of colour and of gradient directions, each with sum 1."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Pixels = NDArray[np.uint8]

#: Lightness, then the two colour axes of CIELAB; few bins of lightness, which shade and exposure change.
COLOUR_BINS: Final = (4, 8, 8)
#: The colour axes without their ends, which photographs hardly reach.
COLOUR_RANGES: Final = (0, 256, 68, 188, 68, 188)
#: Bins of the gradient's direction, over a whole turn.
DIRECTIONS: Final = 12


def colours(rgb: Pixels) -> Floats:
    """Of CIELAB colours, smoothed over neighbouring bins."""
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
    """Of gradient directions, each counted by its strength."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    dx, dy = (cv2.Sobel(grey, cv2.CV_32F, *order, ksize=3) for order in ((1, 0), (0, 1)))
    bins = (np.arctan2(dy, dx) * (DIRECTIONS / (2 * np.pi))).astype(int) % DIRECTIONS
    return normalised(np.asarray(np.bincount(bins.ravel(), np.hypot(dx, dy).ravel(), DIRECTIONS), np.float64))


def normalised(histogram: Floats) -> Floats:
    """The histogram with sum 1; level where there is nothing to count."""
    total = histogram.sum()
    return histogram / total if total > 0 else np.full(histogram.shape, 1 / histogram.size)
