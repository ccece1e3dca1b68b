"""Everything stays where it is."""

import cvat_sdk.auto_annotation as cvataa
import PIL.Image

spec = cvataa.TrackingFunctionSpec(supported_shape_types=["rectangle", "polygon"])


def init_tracking_state(
    context: cvataa.TrackingFunctionShapeContext, image: PIL.Image.Image, shape: cvataa.TrackableShape
) -> list[float]:
    """The points are all there is to know."""
    return shape.points


def track(
    context: cvataa.TrackingFunctionShapeContext, image: PIL.Image.Image, state: list[float]
) -> cvataa.TrackableShape | None:
    """Where it was."""
    return cvataa.TrackableShape(type=context.original_shape_type, points=state)
