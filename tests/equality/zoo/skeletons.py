"""Skeletons: all keypoints seen, some outside, in another order than declared; groups of skeleton and box."""

import cvat_sdk.auto_annotation as cvataa

NOSE, TAIL, PAW = range(3)

spec = cvataa.DetectionFunctionSpec(
    labels=[
        cvataa.skeleton_label_spec(
            "animal", 0, [cvataa.keypoint_spec(name, id) for id, name in enumerate(("nose", "tail", "paw"))]
        ),
        cvataa.label_spec("box", 1, type="rectangle"),
    ]
)


def detect(context, image):
    return [
        cvataa.skeleton(
            0, [cvataa.keypoint(NOSE, [10, 10]), cvataa.keypoint(TAIL, [50, 50]), cvataa.keypoint(PAW, [30, 12.5])],
            group=1,
        ),
        cvataa.rectangle(1, [10, 10, 50, 50], group=1),
        cvataa.skeleton(
            0,
            [
                cvataa.keypoint(PAW, [30, 12], outside=True),
                cvataa.keypoint(NOSE, [11, 10]),
                cvataa.keypoint(TAIL, [40, 50], outside=False),
            ],
            group=2,
        ),
        cvataa.rectangle(1, [11, 10, 40, 50], group=2),
        cvataa.rectangle(1, [1, 1, 4, 5], group=0),
    ]  # fmt: skip
