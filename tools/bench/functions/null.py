"""A detector that finds nothing."""

import cvat_sdk.auto_annotation as cvataa
import PIL.Image
from cvat_sdk import models

spec = cvataa.DetectionFunctionSpec(labels=[cvataa.label_spec("box", 0, type="rectangle")])


def detect(context: cvataa.DetectionFunctionContext, image: PIL.Image.Image) -> list[models.LabeledShapeRequest]:
    """Nothing."""
    return []
