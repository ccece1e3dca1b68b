"""ReID: two frames and their boxes → for each box of the first, its index in the second, or -1.

The rules are those of the function that CVAT once shipped (person-reidentification-retail): a pair may match
when the boxes have the same label and their centres are near, its cost is the cosine distance of what `embed`
says of both, and the assignment is optimal. CVAT's UI calls the threshold a similarity; it is a distance.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image
from scipy.optimize import linear_sum_assignment

from aa_runtime import geometry
from aa_runtime.errors import FunctionError
from aa_runtime.log import Log
from aa_runtime.measures import Measures
from aa_runtime.options import Options
from aa_runtime.paths import EPSILON
from aa_runtime.protocol import ReIDFunctionContext
from aa_runtime.request import Box, ReIDBox, ReIDRequest, reid_request

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


class ReIDContext(ReIDFunctionContext):
    """Nothing yet."""


class ReIDRuntime:
    """Answers for one ReID function."""

    def __init__(self, function: Any, options: Options, log: Log, measures: Measures | None = None) -> None:
        self._function = function
        self._options = options
        self._log = log
        self._measures = measures or Measures()

    def answer(self, body: Mapping[str, object]) -> str:
        """The JSON array for one request: as long as `boxes0`, no index twice (CVAT's job fails on a repeated
        one)."""
        request = reid_request(body, self._options)
        boxes0 = visible(request.boxes0, request.image0.size)
        boxes1 = visible(request.boxes1, request.image1.size)
        self._measures.lap("decode")
        if not (boxes0 and boxes1):
            return json.dumps([-1] * len(request.boxes0))
        features0 = self._embed(request.image0, list(boxes0.values()))
        features1 = self._embed(request.image1, list(boxes1.values()))
        self._measures.lap("function")
        if features0.shape[1] != features1.shape[1]:
            raise FunctionError(
                f"function output embeddings of {features0.shape[1]} and of {features1.shape[1]} numbers"
            )
        allowed = near(request)[np.ix_(list(boxes0), list(boxes1))]
        pairs = match(features0, features1, allowed, request.threshold)
        indexes0, indexes1 = list(boxes0), list(boxes1)
        matching = [-1] * len(request.boxes0)
        for i, j in pairs:
            matching[indexes0[i]] = indexes1[j]
        return json.dumps(matching)

    def _embed(self, image: PIL.Image.Image, boxes: list[Box]) -> Floats:
        output = self._function.embed(ReIDContext(), image, boxes)
        features = _as_array(output)
        size = self._function.spec.embedding_size
        columns = features.shape[1] if features.ndim == 2 else 0
        if columns < 1 or len(features) != len(boxes) or columns != (size or columns):
            expected = f"({len(boxes)}, {size or 'D'})"
            raise FunctionError(f"function output embeddings of shape {features.shape} (expected {expected})")
        return features


def visible(boxes: Sequence[ReIDBox], size: geometry.Size) -> dict[int, Box]:
    """The part of each box inside the image, by index; what lies outside or has no extent is left out."""
    inside: dict[int, Box] = {}
    for index, box in enumerate(boxes):
        outer = geometry.bounding_box([v for corner in geometry.corners(box.points, box.rotation) for v in corner])
        x1, y1, x2, y2 = geometry.clamped(outer, size)
        if x2 - x1 > EPSILON and y2 - y1 > EPSILON:
            inside[index] = (x1, y1, x2, y2)
    return inside


def near(request: ReIDRequest) -> Bools:
    """Which boxes of the first frame (rows) may be which of the second: same label, centres near enough."""
    centres0, centres1 = _centres(request.boxes0), _centres(request.boxes1)
    distances = np.hypot(*(np.subtract.outer(centres0[:, axis], centres1[:, axis]) for axis in (0, 1)))
    numbers: dict[object, int] = {}
    labels0, labels1 = (
        np.array([numbers.setdefault(box.label_id, len(numbers)) for box in boxes])
        for boxes in (request.boxes0, request.boxes1)
    )
    same_label: Bools = labels0[:, None] == labels1[None]
    near_enough: Bools = distances <= request.max_distance
    return near_enough & same_label


def match(features0: Floats, features1: Floats, allowed: Bools, threshold: float) -> list[tuple[int, int]]:
    """The pairs (row of `features0`, row of `features1`): as many as can be, and of those the nearest
    together.

    Both arrays are of shape (n, D); `allowed` is (n0, n1). A row of zeros or with a value that is not finite
    matches nothing.
    """
    unit0, valid0 = _unit(features0)
    unit1, valid1 = _unit(features1)
    distances: Floats = 1.0 - unit0 @ unit1.T
    alike: Bools = distances <= threshold
    both_valid: Bools = np.logical_and.outer(valid0, valid1)
    gate: Bools = allowed & alike & both_valid
    # No sum of allowed distances (each at most 2) outweighs one pair more.
    refused = 2.0 * min(distances.shape) + 3.0
    costs: Floats = np.where(gate, distances, refused)
    rows, columns = linear_sum_assignment(costs)
    return [(int(i), int(j)) for i, j in zip(rows, columns, strict=True) if costs[i, j] < refused]


def _unit(features: Floats) -> tuple[Floats, Bools]:
    finite: Bools = np.logical_and.reduce(np.isfinite(features), axis=1)
    safe = np.where(finite[:, None], features, 0.0)
    # Scaled by the largest value first: squares of large numbers overflow, those of small ones vanish.
    largest = np.abs(safe).max(axis=1, initial=0.0, keepdims=True)
    scaled = np.divide(safe, largest, out=np.zeros_like(safe), where=largest > 0)
    lengths = np.linalg.norm(scaled, axis=1, keepdims=True)
    unit = np.divide(scaled, lengths, out=np.zeros_like(safe), where=lengths > 0)
    return unit, finite & (lengths[:, 0] > 0)


def _centres(boxes: Sequence[ReIDBox]) -> Floats:
    corners = np.array([box.points for box in boxes], np.float64).reshape(-1, 4)
    return (corners[:, :2] + corners[:, 2:]) / 2


def _as_array(output: Any) -> Floats:
    if callable(getattr(output, "detach", None)):  # a torch tensor, on any device
        output = output.detach().cpu()
    try:
        return np.asarray(output, np.float64)
    except (TypeError, ValueError) as fault:
        raise FunctionError(
            f"function output an object of type {type(output).__name__!r} (expected an array of numbers)"
        ) from fault
