"""Follows a square of one grey value; loses it when it is not in the picture, and finds it again.

Everything that a real tracker's state has: an array that changes in place, a history, a class of its own.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import cvat_sdk.auto_annotation as cvataa
import numpy as np


@dataclass
class Follow:
    grey: int
    template: np.ndarray
    extent: tuple[float, float]
    history: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=5))
    lost: int = 0
    anything: Any = None


class Squares:
    def __init__(self, types: list[str], unencodable: bool) -> None:
        self.spec = cvataa.TrackingFunctionSpec(supported_shape_types=types)
        self.calls: list[tuple[Any, ...]] = []
        self._unencodable = unencodable
        self.output: Any = None
        """Answered instead of what was found, when set."""

    def init_tracking_state(self, context: Any, pp_image: Any, shape: Any) -> Follow:
        self.calls.append(("init", context, pp_image, shape))
        points = shape.points[-4:] if shape.type == "mask" else shape.points
        xs, ys = points[::2], points[1::2]
        x, y = round((min(xs) + max(xs)) / 2), round((min(ys) + max(ys)) / 2)
        pixels = np.asarray(pp_image)
        grey = int(pixels[min(y, pixels.shape[0] - 1), min(x, pixels.shape[1] - 1)])
        extent = (max(xs) - min(xs), max(ys) - min(ys))
        state = Follow(grey, np.full((8, 8), grey, np.float32), extent)
        if self._unencodable:
            state.anything = {"cache": [1, object()]}
        return state

    def track(self, context: Any, pp_image: Any, state: Follow) -> Any:
        self.calls.append(("track", context, pp_image, state))
        if self.output is not None:
            return self.output
        ys, xs = np.nonzero(np.asarray(pp_image) == state.grey)
        if not len(xs):
            state.lost += 1
            return None
        state.template *= 0.5  # in place, so that a state which is not written back shows
        state.history.append((float(xs.min()), float(ys.min())))
        x1, y1 = state.history[-1]
        x2, y2 = float(xs.max()) + 1, float(ys.max()) + 1
        drift = len(state.history) + float(state.template[0, 0])
        box = {
            "rectangle": [x1, y1, x2, y2 + drift / 1000],
            "polygon": [x1, y1, x2, y1, x2, y2, x1, y2],
            "points": [(x1 + x2) / 2, (y1 + y2) / 2],
            "mask": [0, int((x2 - x1) * (y2 - y1)), x1, y1, x2 - 1, y2 - 1],
        }
        kind = context.original_shape_type
        return cvataa.TrackableShape(type=kind, points=box[kind])


class Prepared(Squares):
    def preprocess_image(self, context: Any, image: Any) -> Any:
        self.calls.append(("preprocess", context, image))
        return np.asarray(image).copy()


def create(prepare: bool = False, types: str = "rectangle", unencodable: bool = False) -> Squares:
    return (Prepared if prepare else Squares)(types.split(","), unencodable)
