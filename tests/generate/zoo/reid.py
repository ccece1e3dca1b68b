"""Mean colours."""

from collections.abc import Sequence

import numpy as np
import PIL.Image

from aa_runtime import ReIDFunctionContext, ReIDFunctionSpec

spec = ReIDFunctionSpec()


def embed(
    context: ReIDFunctionContext, image: PIL.Image.Image, boxes: Sequence[tuple[float, float, float, float]]
) -> np.ndarray:
    """One row of three means for each box."""
    picture = image.convert("RGB")
    return np.array([np.asarray(picture.crop(box)).reshape(-1, 3).mean(axis=0) + 1 for box in boxes])
