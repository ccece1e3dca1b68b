"""Shapes that a tracker follows as bitmaps: masks, polygons, rectangles."""

from typing import Final

import cv2
import cvat_sdk.auto_annotation as cvataa
import numpy as np
from cvat_sdk.masks import decode_mask, encode_mask

from cvat_functions.shared import Bitmap

#: Pieces of a mask this much smaller than its largest do not count for a rectangle.
SPECK: Final = 0.1


def bitmap_of(kind: str, points: list[float], size: tuple[int, int]) -> Bitmap:
    """The pixels of a mask or a polygon in a frame of `size`."""
    width, height = size
    if kind == "mask":
        return np.asarray(decode_mask(points, image_width=width, image_height=height))
    canvas = np.zeros((height, width), np.uint8)
    cv2.fillPoly(canvas, [np.reshape(points, (-1, 2)).round().astype(np.int32)], 1)
    return canvas > 0


def shape_of(bitmap: Bitmap, kind: str) -> cvataa.TrackableShape | None:
    """The mask itself, the outline of its largest piece, or the rectangle around it without its specks; None for an
    empty one."""
    if not bitmap.any():
        return None
    if kind == "mask":
        return cvataa.TrackableShape(type="mask", points=encode_mask(bitmap))
    found = cv2.findContours(bitmap.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_TC89_KCOS)[0]
    if kind == "polygon":
        ring = max(found, key=cv2.contourArea)
        return cvataa.TrackableShape(type=kind, points=[float(v) for v in ring.ravel()]) if len(ring) >= 3 else None
    _, _, pieces, _ = cv2.connectedComponentsWithStats(bitmap.astype(np.uint8))
    pieces = pieces[1:]
    pieces = pieces[pieces[:, cv2.CC_STAT_AREA] >= SPECK * pieces[:, cv2.CC_STAT_AREA].max()]
    left, top = pieces[:, cv2.CC_STAT_LEFT], pieces[:, cv2.CC_STAT_TOP]
    right, bottom = left + pieces[:, cv2.CC_STAT_WIDTH], top + pieces[:, cv2.CC_STAT_HEIGHT]
    points = [float(value) for value in (left.min(), top.min(), right.max(), bottom.max())]
    return cvataa.TrackableShape(type="rectangle", points=points)
