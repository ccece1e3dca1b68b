"""Cuts a marked object out of a small image: OpenCV's GrabCut, and a guess to start it from.

GrabCut models both sides' colours and cuts between them. Points say what they mark and, by how near a pixel is to them
along ways that cross no edge, what its surroundings probably are.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from cvat_functions.marks import Bitmap, Floats, Marks, discs, filled

Pixels = NDArray[np.uint8]
#: A pixel this much nearer to what was marked as object than to what was not is taken to be the object's.
SURE: Final = 0.12


def segment(bgr: Pixels, marks: Marks, iterations: int) -> Bitmap:
    """Cuts the marked object out of a small image."""
    labels = first_guess(bgr, marks)
    if 0 < object_of(labels).mean() < 1:  # GrabCut needs a pixel of either side.
        cv2.setRNGSeed(0)  # GrabCut's first clustering is random: the same click must give the same mask.
        model = np.zeros((1, 65)), np.zeros((1, 65))
        labels, *_ = cv2.grabCut(bgr, labels, None, *model, iterations, cv2.GC_INIT_WITH_MASK)
    smooth = cv2.medianBlur(object_of(labels).astype(np.uint8), 5)
    smooth[discs(marks.positive, smooth.shape)] = 1
    smooth[discs(marks.negative, smooth.shape)] = 0
    return pointed_at(smooth, marks)


def object_of(labels: Pixels) -> Bitmap:
    return (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)


def first_guess(bgr: Pixels, marks: Marks) -> Pixels:
    """GrabCut's labels before it starts: (rows, columns) of GC_BGD, GC_FGD, GC_PR_BGD and GC_PR_FGD."""
    shape = bgr.shape[:2]
    inside, border = np.ones(shape, dtype=bool), frame(shape)
    labels = np.full(shape, cv2.GC_PR_FGD, dtype=np.uint8)
    positive, negative = discs(marks.positive, shape), discs(marks.negative, shape)
    if marks.box is not None:
        inside = filled(marks.box, shape)
        border = ~inside if not inside.all() else border
    if positive.any() and (negative.any() or marks.box is None):
        near, far = geodesic(bgr, positive), geodesic(bgr, negative | border)
        labels[near >= far] = cv2.GC_PR_BGD
        positive |= near < far * SURE
    labels[border] = cv2.GC_PR_BGD
    labels[~inside] = cv2.GC_BGD
    labels[negative] = cv2.GC_BGD
    labels[positive] = cv2.GC_FGD
    return labels


def frame(shape: tuple[int, int]) -> Bitmap:
    """The outermost pixels."""
    bitmap = np.ones(shape, dtype=bool)
    bitmap[1:-1, 1:-1] = False
    return bitmap


def geodesic(bgr: Pixels, seeds: Bitmap) -> Floats:
    """Each pixel's distance from the seeds, where a step costs as much as the colour changes on it."""
    lab = cv2.cvtColor(cv2.GaussianBlur(bgr, (0, 0), 1), cv2.COLOR_BGR2LAB).astype(np.float32)
    distance = np.where(seeds, 0, 1e9).astype(np.float32)
    down = np.linalg.norm(np.diff(lab, axis=0), axis=2) + 0.5
    across = np.linalg.norm(np.diff(lab, axis=1), axis=2) + 0.5
    for _ in range(3):
        sweep(distance, down)
        sweep(distance[::-1], down[::-1])
        sweep(distance.T, across.T)
        sweep(distance.T[::-1], across.T[::-1])
    return distance


def sweep(distance: Floats, step: Floats) -> None:
    """Carries distances from each row to the next, straight and slanting, in place."""
    for row in range(1, len(distance)):
        before = distance[row - 1]
        nearest = before.copy()
        np.minimum(nearest[1:], before[:-1], out=nearest[1:])
        np.minimum(nearest[:-1], before[1:], out=nearest[:-1])
        np.minimum(distance[row], nearest + step[row - 1], out=distance[row])


def pointed_at(found: Pixels, marks: Marks) -> Bitmap:
    """The pieces under the positive points; without points, the largest and those of a tenth of its size."""
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(found, connectivity=4)
    sizes = stats[:, cv2.CC_STAT_AREA].copy()
    sizes[0] = 0
    kept = sizes >= max(1, sizes.max() / 10)
    if len(marks.positive):
        marked = np.unique(pieces[discs(marks.positive, found.shape)])
        kept = np.isin(np.arange(count), marked[marked > 0])
    return kept[pieces]
