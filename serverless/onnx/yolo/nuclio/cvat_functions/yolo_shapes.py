"""A YOLO's rows, `[x1, y1, x2, y2, score, class, *extra]` in input pixels, as shapes on the picture."""

import math
from collections.abc import Iterator
from typing import Any, Final

import cvat_sdk.auto_annotation as cvataa
import numpy as np
import numpy.typing as npt

from cvat_functions.letterbox import Letterbox
from cvat_functions.shared import shapes_of
from cvat_functions.skeletons import skeleton
from cvat_functions.small_masks import sampled

Floats = npt.NDArray[np.float32]
#: Keypoints less sure than this are not shown by ultralytics; CVAT gets them as `outside`.
VISIBLE: Final = 0.5


def rectangle(row: Floats, box: Letterbox) -> Any:
    """Upright, clipped to the picture."""
    return cvataa.rectangle(int(row[5]), box.corners_back(row[:4]))


def rotated(row: Floats, box: Letterbox) -> Any:
    """Of `x, y, w, h, score, class, ..., angle`."""
    x, y = box.points_back(row[:2])
    width, height = row[2:4] / box.gain
    corners = [float(v) for v in (x - width / 2, y - height / 2, x + width / 2, y + height / 2)]
    return cvataa.rectangle(int(row[5]), corners, rotation=math.degrees(row[-1]) % 360)


def skeleton_of(row: Floats, kpt_shape: tuple[int, int], box: Letterbox) -> Any:
    """Of so many points with two or three numbers each, the third how sure the point is."""
    points = row[6:].reshape(kpt_shape)
    places = box.points_back(points[:, :2]).clip(0, (box.width, box.height))
    return skeleton(int(row[5]), places, points[:, 2] if kpt_shape[1] == 3 else None, VISIBLE)


def masks(rows: Floats, prototypes: Floats, box: Letterbox, as_polygons: bool) -> Iterator[Any]:
    """Inside the rows' boxes, of `prototypes` (M, h, w); nothing for an empty mask."""
    logits = (rows[:, 6:] @ prototypes.reshape(len(prototypes), -1)).reshape(-1, *prototypes.shape[1:])
    for row, logit in zip(rows, logits, strict=True):
        left, top, right, bottom = (math.ceil(value) for value in box.corners_back(row[:4]))
        if right > left and bottom > top:
            bitmap = sampled(logit, box.area, (left, top, right, bottom)) > 0
            yield from shapes_of(int(row[5]), bitmap, as_polygons, (left, top))
