"""A detector that takes 100 ms of nobody's processor: one box and one tag."""

import time

import cvat_sdk.auto_annotation as cvataa
import PIL.Image

spec = cvataa.DetectionFunctionSpec(
    labels=[cvataa.label_spec("box", 0, type="rectangle"), cvataa.label_spec("scene", 1, type="tag")]
)


def detect(context: cvataa.DetectionFunctionContext, image: PIL.Image.Image) -> list[cvataa.DetectionAnnotation]:
    """The same for every image."""
    time.sleep(0.1)
    return [cvataa.rectangle(0, [5, 5, 50, 40]), cvataa.tag(1)]
