"""Tells squares apart by the grey value in their middle."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from aa_runtime import ReIDFunctionSpec


class Tones:
    spec = ReIDFunctionSpec(embedding_size=256)

    def embed(self, context: Any, image: Any, boxes: Sequence[tuple[float, float, float, float]]) -> np.ndarray:
        pixels = np.asarray(image)
        return np.array([np.eye(256)[pixels[int(y1 + y2) // 2, int(x1 + x2) // 2]] for x1, y1, x2, y2 in boxes])


def create() -> Tones:
    return Tones()
