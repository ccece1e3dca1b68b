"""Finds every grey value's square."""

from typing import Any

import cvat_sdk.auto_annotation as cvataa
import cvat_sdk.models as models
import numpy as np


class Greys:
    spec = cvataa.DetectionFunctionSpec(labels=[cvataa.label_spec("square", 0, type="rectangle")])

    def detect(self, context: Any, image: Any) -> list[models.LabeledShapeRequest]:
        pixels = np.asarray(image)
        found = []
        for grey in sorted(set(pixels.ravel().tolist()) - {0}):
            ys, xs = np.nonzero(pixels == grey)
            box = [float(xs.min()), float(ys.min()), float(xs.max()) + 1, float(ys.max()) + 1]
            found.append(cvataa.rectangle(0, box))
        return found


def create() -> Greys:
    return Greys()
