"""A tracker without `preprocess_image`: its methods get the image itself."""

import cvat_sdk.auto_annotation as cvataa

spec = cvataa.TrackingFunctionSpec(supported_shape_types=["rectangle"])


def init_tracking_state(context, image, shape):
    return {"points": list(shape.points), "modes": [image.mode]}


def track(context, image, state):
    state["modes"].append(image.mode)
    shift = len(state["modes"])
    return cvataa.TrackableShape(type="rectangle", points=[point + shift for point in state["points"]])
