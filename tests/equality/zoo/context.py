"""What the function is told: the threshold and the image as it is, unconverted."""

import cvat_sdk.auto_annotation as cvataa
import numpy as np
from cvat_sdk import models

spec = cvataa.DetectionFunctionSpec(
    labels=[
        cvataa.label_spec(
            "seen",
            0,
            attributes=[cvataa.text_attribute_spec(name, id) for id, name in enumerate(("mode", "size", "sum"))],
        ),
        cvataa.label_spec("scored", 1, type="rectangle"),
    ]
)


def detect(context, image):
    seen = [image.mode, str(image.size), str(int(np.asarray(image).astype(np.int64).sum()))]
    threshold = 0.3 if context.conf_threshold is None else context.conf_threshold
    scores = [0.1, 0.25, 0.3, 0.5, 0.75, 1.0]
    return [
        cvataa.tag(0, attributes=[models.AttributeValRequest(spec_id=i, value=v) for i, v in enumerate(seen)]),
        *(cvataa.rectangle(1, [1, 1, 10 + i, 10]) for i, score in enumerate(scores) if score >= threshold),
    ]
