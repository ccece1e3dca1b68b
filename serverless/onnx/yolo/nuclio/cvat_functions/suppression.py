"""Non-maximum suppression: of boxes that overlap, the surest."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]


def nms(rows: Floats, limit: float, most: int) -> list[int]:
    """Indices that survive: greedy, each class by itself. `rows` by falling score, `x1, y1, x2, y2, score, class`."""
    boxes, classes = rows[:, :4].astype(np.float64), rows[:, 5]
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    order, kept = np.arange(len(rows)), list[int]()
    while order.size and len(kept) < most:
        best, rest = order[0], order[1:]
        kept.append(int(best))
        sides = np.minimum(boxes[best, 2:], boxes[rest, 2:]) - np.maximum(boxes[best, :2], boxes[rest, :2])
        common = sides.clip(min=0).prod(1)
        union = areas[best] + areas[rest] - common
        order = rest[(common <= limit * union.clip(min=1e-9)) | (classes[rest] != classes[best])]
    return kept


def rotated_nms(rows: Floats, limit: float, most: int) -> list[int]:
    """As `nms` for `x, y, w, h, score, class, ..., angle`, by ultralytics' rule: ProbIoU, to every surer box.

    Unlike in greedy suppression, a box that was suppressed itself suppresses others.
    """
    boxes, classes, kept = rows[:, [0, 1, 2, 3, -1]].astype(np.float64), rows[:, 5], list[int]()
    for index in range(len(rows)):
        before = np.flatnonzero(classes[:index] == classes[index])
        if not (prob_iou(boxes[index], boxes[before]) > limit).any():
            kept.append(index)
            if len(kept) == most:
                break
    return kept


def prob_iou(box: Doubles, others: Doubles) -> Doubles:
    """One minus the Hellinger distance of the boxes' Gaussians (Llerena et al., arXiv 2106.06072)."""
    mean = (_covariance(box) + _covariance(others)) / 2
    offset = box[:2] - others[:, :2]
    determinant = np.linalg.det(mean).clip(min=1e-12)
    adjoint = np.stack([mean[..., 1, 1], -mean[..., 0, 1], mean[..., 0, 0]], -1)
    x, y = offset[:, 0], offset[:, 1]
    spread = (adjoint[:, 0] * x * x + 2 * adjoint[:, 1] * x * y + adjoint[:, 2] * y * y) / determinant
    sides = np.sqrt(np.linalg.det(_covariance(box)) * np.linalg.det(_covariance(others)).clip(min=0)).clip(min=1e-12)
    distance = spread / 8 + np.log(determinant / sides) / 2
    return np.asarray(1 - np.sqrt(1 - np.exp(-distance.clip(0, 100))))


def _covariance(boxes: Doubles) -> Doubles:
    cosine, sine = np.cos(boxes[..., 4]), np.sin(boxes[..., 4])
    turn = np.stack([np.stack([cosine, -sine], -1), np.stack([sine, cosine], -1)], -2)
    scaled = turn * (boxes[..., None, 2:4] ** 2 / 12)
    return np.asarray(scaled @ turn.swapaxes(-1, -2))
