"""Masks: with a hole, from the first pixel on, of one pixel, of the whole image, at the image's last corner."""

import cvat_sdk.auto_annotation as cvataa
import numpy as np
from cvat_sdk.masks import encode_mask

spec = cvataa.DetectionFunctionSpec(labels=[cvataa.label_spec("mask", 0, type="mask"), cvataa.label_spec("any", 1)])


def detect(context, image):
    width, height = image.size
    rows, columns = np.mgrid[:height, :width]
    ring = (columns - 30) ** 2 + (rows - 25) ** 2
    bitmaps = [
        (ring < 200) & (ring > 40),
        ring < 200,
        (rows < 5) & (columns < 7),
        (rows == 3) & (columns == 4),
        np.ones((height, width), bool),
        (rows > height - 4) & (columns > width - 6),
        (rows + columns) % 2 == 0,
    ]
    shapes = [cvataa.mask(0, encode_mask(bitmap, box_of(bitmap))) for bitmap in bitmaps]
    return [*shapes, cvataa.mask(1, encode_mask(bitmaps[0], (0, 0, width, height)))]


def box_of(bitmap):
    rows, columns = np.nonzero(bitmap)
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
