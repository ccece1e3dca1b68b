"""Every outline, tags, rotated boxes; labels with and without a type. Coordinates follow the image's size."""

import cvat_sdk.auto_annotation as cvataa

RECTANGLE, POLYGON, POLYLINE, POINTS, ELLIPSE, CUBOID, TAG, ANY = range(8)

spec = cvataa.DetectionFunctionSpec(
    labels=[
        cvataa.label_spec("box", RECTANGLE, type="rectangle"),
        cvataa.label_spec("area", POLYGON, type="polygon"),
        cvataa.label_spec("way", POLYLINE, type="polyline"),
        cvataa.label_spec("dots", POINTS, type="points"),
        cvataa.label_spec("oval", ELLIPSE, type="ellipse"),
        cvataa.label_spec("block", CUBOID, type="cuboid"),
        cvataa.label_spec("scene", TAG, type="tag"),
        cvataa.label_spec("thing", ANY),
    ]
)


def detect(context, image):
    width, height = image.size
    half = [width / 2, height / 2]
    return [
        cvataa.tag(TAG),
        cvataa.rectangle(RECTANGLE, [1, 2, *half]),
        cvataa.rectangle(RECTANGLE, [10.25, 20.5, 40, 44.125], rotation=33.5),
        cvataa.rectangle(RECTANGLE, [10, 20, 40, 44], rotation=270),
        cvataa.polygon(POLYGON, [3, 3, 30, 4, *half]),
        cvataa.shape(POLYLINE, type="polyline", points=[3, 3, *half]),
        cvataa.shape(POINTS, type="points", points=[3, 3]),
        cvataa.shape(POINTS, type="points", points=[3, 3, 9, 9, *half]),
        cvataa.shape(ELLIPSE, type="ellipse", points=[*half, half[0] + 9, half[1] - 5]),
        cvataa.shape(ELLIPSE, type="ellipse", points=[*half, half[0] + 9, half[1] - 5], rotation=45),
        cvataa.shape(CUBOID, type="cuboid", points=[10, 10, 10, 40, 40, 10, 40, 40, 60, 5, 60, 35, 30, 5, 30, 35]),
        cvataa.rectangle(ANY, [0, 0, width, height]),
        cvataa.polygon(ANY, [0, 0, width, 0, width, height, 0, height]),
        cvataa.tag(ANY),
    ]
