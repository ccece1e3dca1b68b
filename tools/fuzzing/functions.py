"""Sound AA functions of each kind, cheap enough for a million calls: whatever is asked of them, only the
request can be at fault. They return what models return: boxes beyond the image, NaN, nothing at all."""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import cvat_sdk.auto_annotation as cvataa
import numpy as np
import PIL.Image
from cvat_sdk.masks import encode_mask

from aa_runtime import ReIDFunctionSpec


class Detector:
    """Every shape type, placed by the image's size; some of it worth dropping."""

    spec = cvataa.DetectionFunctionSpec(
        labels=[
            cvataa.label_spec("thing", 0, attributes=[cvataa.text_attribute_spec("note", 0)]),
            cvataa.label_spec("picture", 1, type="tag"),
            cvataa.skeleton_label_spec("body", 2, [cvataa.keypoint_spec("head", 0), cvataa.keypoint_spec("foot", 1)]),
        ]
    )

    def detect(self, context: Any, image: PIL.Image.Image) -> list[Any]:
        width, height = image.size
        threshold = context.conf_threshold or 0.5
        bitmap = np.zeros((height, width), bool)
        bitmap[: height // 2 + 1, : width // 2 + 1] = True
        return [
            cvataa.rectangle(0, [-5, -5, width * threshold, height + 5], rotation=30.0),
            cvataa.rectangle(0, [math.nan, 0, 1, 1]),
            cvataa.polygon(0, [0, 0, width, 0, width / 2, height * 3]),
            cvataa.mask(0, encode_mask(bitmap)),
            cvataa.skeleton(2, [cvataa.keypoint(0, [width / 3, height / 3]), cvataa.keypoint(1, [9e9, math.inf])]),
            cvataa.tag(1),
        ]


class Interactor:
    """The box, or a rectangle over all prompts, as mask and as polygon."""

    spec = cvataa.InteractionFunctionSpec(min_pos_points=0, min_neg_points=0, min_bounding_boxes=0)

    def preprocess_image(self, context: Any, image: PIL.Image.Image) -> tuple[int, int]:
        return image.size

    def detect(self, context: Any, pp_image: tuple[int, int], prompts: Any) -> list[Any]:
        width, height = pp_image
        points = [*prompts.pos_points, *prompts.neg_points, *(prompts.bounding_box or ())]
        if not points:
            return []
        (x1, y1), (x2, y2) = ((pick(x for x, _ in points), pick(y for _, y in points)) for pick in (min, max))
        bitmap = np.zeros((height, width), bool)
        bitmap[max(int(y1), 0) : max(int(y2), 0) + 1, max(int(x1), 0) : max(int(x2), 0) + 1] = True
        return [
            cvataa.InteractionResultShape(type="mask", points=encode_mask(bitmap)),
            cvataa.InteractionResultShape(type="polygon", points=[x1, y1, x2, y1, x2, y2]),
        ]


@dataclass
class Track:
    points: list[float]
    template: Any
    history: deque[float] = field(default_factory=lambda: deque(maxlen=4))


class Tracker:
    """Drifts, is lost every fifth frame, and now and then leaves the image."""

    spec = cvataa.TrackingFunctionSpec(supported_shape_types=["rectangle", "polygon", "mask", "points"])

    def init_tracking_state(self, context: Any, pp_image: Any, shape: Any) -> Track:
        return Track(list(shape.points), np.full((8, 8), pp_image.width))

    def track(self, context: Any, pp_image: Any, state: Track) -> Any:
        state.history.append(float(len(state.history)))
        if context.original_shape_type != "mask":
            state.points = [value + 7.5 for value in state.points]
        if len(state.history) == 4:
            state.history.clear()
            return None
        return cvataa.TrackableShape(type=context.original_shape_type, points=state.points)


class ReID:
    spec = ReIDFunctionSpec()

    def embed(self, context: Any, image: PIL.Image.Image, boxes: Sequence[tuple[float, ...]]) -> Any:
        return np.asarray(boxes) + 1.0


FUNCTIONS = {"detector": Detector, "interactor": Interactor, "tracker": Tracker, "reid": ReID}
