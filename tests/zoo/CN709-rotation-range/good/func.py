import math

import cvat_sdk.auto_annotation as cvataa

spec = cvataa.DetectionFunctionSpec(labels=[cvataa.label_spec("ship", 0, type="rectangle")])


def detect(context, image):
    return [cvataa.rectangle(0, [1, 1, 9, 5], rotation=math.degrees(-0.3) % 360)]
