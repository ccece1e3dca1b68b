"""A tracker with `preprocess_image`, of boxes and polygons, whose state changes from frame to frame."""

import attrs
import cvat_sdk.auto_annotation as cvataa
import numpy as np

spec = cvataa.TrackingFunctionSpec(supported_shape_types=["rectangle", "polygon"])


@attrs.define
class State:
    points: np.ndarray
    seen: int
    brightness: list[float]


def preprocess_image(context, image):
    return np.asarray(image.convert("L"), dtype=float)


def init_tracking_state(context, pp_image, shape):
    return State(np.array(shape.points), 0, [float(pp_image.mean())])


def track(context, pp_image, state):
    state.seen += 1
    state.brightness.append(float(pp_image.mean()))
    step = state.seen + state.brightness[-1] / 64
    return cvataa.TrackableShape(type=context.original_shape_type, points=(state.points + step).tolist())
