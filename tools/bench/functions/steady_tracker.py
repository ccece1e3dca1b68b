"""A tracker of 100 ms a frame, whatever the number of objects, as one with a large encoder is on a GPU."""

import time
from typing import Any

import cvat_sdk.auto_annotation as cvataa
import PIL.Image

spec = cvataa.TrackingFunctionSpec(supported_shape_types=["rectangle"])
State = dict[str, Any]


def preprocess_image(context: cvataa.TrackingFunctionContext, image: PIL.Image.Image) -> tuple[int, int]:
    """The size, after 100 ms."""
    time.sleep(0.1)
    return image.size


def init_tracking_state(
    context: cvataa.TrackingFunctionShapeContext, pp_image: tuple[int, int], shape: cvataa.TrackableShape
) -> State:
    """Where it is."""
    return {"points": shape.points, "step": 1}


def track(
    context: cvataa.TrackingFunctionShapeContext, pp_image: tuple[int, int], state: State
) -> cvataa.TrackableShape:
    """A pixel on, to and fro in every forty frames, so that keyframes are needed."""
    state["step"] += 1
    way = 1 if state["step"] // 20 % 2 else -1
    points = [point + way for point in state["points"]]
    state["points"] = points
    return cvataa.TrackableShape(type="rectangle", points=points)
