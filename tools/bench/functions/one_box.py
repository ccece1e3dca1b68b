"""A detector that returns one box: what is left is the runtime's own work."""

import cvat_sdk.auto_annotation as cvataa
import PIL.Image
from cvat_sdk import models

spec = cvataa.DetectionFunctionSpec(labels=[cvataa.label_spec("box", 0, type="rectangle")])


def detect(context: cvataa.DetectionFunctionContext, image: PIL.Image.Image) -> list[models.LabeledShapeRequest]:
    """One box in the middle of the image."""
    width, height = image.size
    return [cvataa.rectangle(0, [width * 0.25, height * 0.25, width * 0.75, height * 0.75])]
