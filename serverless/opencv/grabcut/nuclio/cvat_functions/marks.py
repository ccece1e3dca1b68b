"""What a user marked on a picture: points and a box, in pixels."""

from typing import Any

import attrs
import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Bitmap = NDArray[np.bool_]


@attrs.frozen(eq=False)
class Marks:
    """What the user marked, in pixels of the image: points (N, 2), and the box's corners (2, 2) or None."""

    positive: Floats
    negative: Floats
    box: Floats | None

    @classmethod
    def of(cls, prompts: Any, size: tuple[int, int]) -> "Marks":
        """Takes the prompts that lie in the image: a region of interest may have cut off others."""
        positive, negative = (
            points[((points >= 0) & (points < size)).all(axis=1)]
            for points in (
                np.array(given, dtype=float).reshape(-1, 2) for given in (prompts.pos_points, prompts.neg_points)
            )
        )
        if prompts.bounding_box is None:
            return cls(positive, negative, None)
        box = np.clip(np.sort(np.array(prompts.bounding_box, dtype=float), axis=0), 0, size)
        return cls(positive, negative, box if (box[1] - box[0] >= 2).all() else None)

    def moved(self, origin: Floats, scale: Floats) -> "Marks":
        """The same prompts in pixels of a part of the image that begins at `origin`."""
        box = None if self.box is None else (self.box - origin) * scale
        return Marks((self.positive - origin) * scale, (self.negative - origin) * scale, box)


def surroundings(marks: Marks, size: tuple[int, int], margin: float) -> tuple[int, int, int, int]:
    """The part of the image to look at: the box with a margin and the points, or without a box all of it."""
    if marks.box is None:
        return 0, 0, *size
    further = (marks.box[1] - marks.box[0]) * margin + 4
    corners = np.concatenate([marks.box - further, marks.box + further, marks.positive])
    left, top = np.maximum(np.floor(corners.min(axis=0)), 0).astype(int)
    right, bottom = np.minimum(np.ceil(corners.max(axis=0)) + 1, size).astype(int)
    return int(left), int(top), int(right), int(bottom)


def filled(box: Floats, shape: tuple[int, int]) -> Bitmap:
    """The pixels in a box of two corners, at least one."""
    bitmap = np.zeros(shape, dtype=bool)
    (left, top), (right, bottom) = np.minimum(np.floor(box), np.array(shape[::-1]) - 1).astype(int)
    bitmap[top : max(bottom, top + 1), left : max(right, left + 1)] = True
    return bitmap


def discs(points: Floats, shape: tuple[int, int]) -> Bitmap:
    """Small discs around points: a click is not exact, and one pixel's colour is not the object's."""
    bitmap = np.zeros(shape, dtype=np.uint8)
    radius = round(max(shape) / 160)
    for x, y in points:
        cv2.circle(bitmap, (int(x), int(y)), radius, 1, cv2.FILLED)
    return bitmap.astype(bool)
