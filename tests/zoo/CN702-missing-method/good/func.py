import cvat_sdk.auto_annotation as cvataa

spec = cvataa.TrackingFunctionSpec(supported_shape_types=["rectangle"])


def init_tracking_state(context, image, shape):
    return shape


def track(context, image, state):
    return state
