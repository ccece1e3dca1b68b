"""Finds bright things.

Every kind of label and attribute.
"""

import cvat_sdk.auto_annotation as cvataa
import numpy as np
import PIL.Image

spec = cvataa.DetectionFunctionSpec(
    labels=[
        cvataa.label_spec(
            "driver's car", 0, type="rectangle",
            attributes=[
                cvataa.checkbox_attribute_spec("parked", 0),
                cvataa.select_attribute_spec("colour", 1, ["red", "blue"]),
                cvataa.number_attribute_spec("doors", 2, ["1", "5", "1"]),
                cvataa.text_attribute_spec("plate", 3),
            ],
        ),
        cvataa.label_spec("anything", 1),
        cvataa.label_spec("Знак 标志", 2, type="mask"),
        cvataa.skeleton_label_spec(
            "arm", 3, [cvataa.keypoint_spec(name, n) for n, name in enumerate(("shoulder", "elbow", "hand"))]
        ),
    ]
)  # fmt: skip


def detect(context: cvataa.DetectionFunctionContext, image: PIL.Image.Image) -> list[cvataa.DetectionAnnotation]:
    """The box around what is brighter than the mean."""
    pixels = np.asarray(image.convert("L"))
    rows, columns = np.nonzero(pixels > pixels.mean())
    box = [float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1)]
    return [cvataa.rectangle(0, box)]
