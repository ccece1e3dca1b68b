"""Lines of text in a map of how likely each pixel is to be in the core of one (differentiable binarization).

Cores are thresholded, traced, scored by the mean of the map inside them, and grown back to the whole line.
"""

from collections.abc import Iterator
from typing import Any, Final

import attrs
import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
#: Cores narrower than this many pixels of the map are noise.
SMALLEST: Final = 3


@attrs.frozen
class Region:
    """One line of text in pixels of the map: its outline (N, 2), and the mean of the map in its core, 0 to 1."""

    outline: Floats
    score: float


@attrs.frozen(kw_only=True)
class Finder:
    """`outline`: "box" for four corners, "contour" for what follows curved text; `unclip_ratio`: how far a line
    reaches beyond its core."""

    map_threshold: float
    unclip_ratio: float
    outline: str

    def regions(self, likelihood: Floats) -> Iterator[Region]:
        """Of a map (rows, columns), 0 to 1; in no order."""
        cores = cv2.dilate((likelihood > self.map_threshold).astype(np.uint8), np.ones((2, 2), np.uint8))
        contours, _ = cv2.findContours(cores, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
        for contour in contours:
            core = contour[:, 0].astype(np.float32)
            if min(cv2.minAreaRect(core)[1]) < SMALLEST:
                continue
            # Scored inside the contour, not inside its box: the box of a curved line is mostly background.
            score = mean_inside(likelihood, core)
            outline = self._grow(core)
            if outline is not None:
                yield Region(outline, score)

    def _grow(self, core: Floats) -> Any:
        """The whole line's outline: its core moved outwards by area * unclip_ratio / perimeter."""
        if self.outline == "contour":
            return offset(core, unclip_distance(core, self.unclip_ratio))
        centre, (width, height), angle = cv2.minAreaRect(core)
        further = 2 * unclip_distance(cv2.boxPoints((centre, (width, height), angle)), self.unclip_ratio)
        return cv2.boxPoints((centre, (width + further, height + further), angle))


def mean_inside(likelihood: Floats, polygon: Floats) -> float:
    """The mean of the map over the polygon's pixels."""
    left, top = np.maximum(np.floor(polygon.min(axis=0)).astype(int), 0)
    right, bottom = np.ceil(polygon.max(axis=0)).astype(int) + 1
    part = likelihood[top:bottom, left:right]
    inside = np.zeros(part.shape, dtype=np.uint8)
    cv2.fillPoly(inside, [np.round(polygon - (left, top)).astype(np.int32)], 1)
    return float(cv2.mean(part, inside)[0])


def unclip_distance(polygon: Floats, ratio: float) -> float:
    """How far the network was taught to shrink a line's outline: area * ratio / perimeter."""
    return cv2.contourArea(polygon) * ratio / max(cv2.arcLength(polygon, True), 1e-6)


def offset(polygon: Floats, distance: float) -> Floats | None:
    """The polygon grown by `distance` with round corners: a disc's Minkowski sum with it, traced at 4 dots a pixel.

    None when less than a triangle is left.
    """
    dots = 4
    margin = distance + 2
    origin = np.floor(polygon.min(axis=0) - margin)
    columns, rows = np.ceil((polygon.max(axis=0) + margin - origin) * dots).astype(int)
    drawn = np.ones((rows, columns), dtype=np.uint8)
    cv2.fillPoly(drawn, [np.round((polygon - origin) * dots).astype(np.int32)], 0)
    away = cv2.distanceTransform(drawn, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    reached = (away <= distance * dots).astype(np.uint8)
    contours, _ = cv2.findContours(reached, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    largest = max(contours, key=cv2.contourArea)
    simple = cv2.approxPolyDP(largest, dots / 2, True)[:, 0]
    return simple / dots + origin if len(simple) >= 3 else None
