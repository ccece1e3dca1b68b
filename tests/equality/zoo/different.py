"""What a bundle stores otherwise than the agent, one case for each width of the image (see `CASES`)."""

import cvat_sdk.auto_annotation as cvataa
import numpy as np
from cvat_sdk import models
from cvat_sdk.masks import encode_mask

FIRST_WIDTH = 101
BOX = [10, 20, 40, 50]

spec = cvataa.DetectionFunctionSpec(
    labels=[
        cvataa.label_spec("box", 0, type="rectangle", attributes=[cvataa.text_attribute_spec("words", 0)]),
        cvataa.label_spec("scene", 1, type="tag"),
        cvataa.skeleton_label_spec("body", 2, [cvataa.keypoint_spec("head", 0), cvataa.keypoint_spec("foot", 1)]),
        cvataa.label_spec("mask", 3, type="mask"),
    ]
)


def occluded(context, image):
    return [cvataa.rectangle(0, BOX, occluded=True)]


def occluded_keypoint(context, image):
    return [cvataa.skeleton(2, [cvataa.keypoint(0, [9, 9], occluded=True), cvataa.keypoint(1, [30, 30])])]


def z_order(context, image):
    return [cvataa.rectangle(0, BOX, z_order=3)]


def confidence(context, image):
    return [cvataa.rectangle(0, BOX, score=0.25)]


def group_numbers(context, image):
    return [cvataa.rectangle(0, BOX, group=7), cvataa.rectangle(0, [1, 1, 5, 5], group=3)]


def group_of_a_tag(context, image):
    return [cvataa.tag(1, group=2)]


def frame_name(context, image):
    words = [models.AttributeValRequest(spec_id=0, value=context.frame_name)]
    return [cvataa.rectangle(0, BOX, attributes=words)]


def threshold_zero(context, image):
    words = [models.AttributeValRequest(spec_id=0, value=repr(context.conf_threshold))]
    return [cvataa.rectangle(0, BOX, attributes=words)]


def conv_mask_to_poly(context, image):
    if context.conv_mask_to_poly:
        return [cvataa.polygon(3, [10, 10, 31, 10, 31, 21, 10, 21])]
    bitmap = np.zeros((image.height, image.width), bool)
    bitmap[10:21, 10:31] = True
    return [cvataa.mask(3, encode_mask(bitmap, (10, 10, 31, 21)))]


def outside_the_image(context, image):
    return [cvataa.rectangle(0, [-5, 20, image.width + 9, 50])]


def without_extent(context, image):
    return [cvataa.rectangle(0, [10, 20, 10, 50]), cvataa.rectangle(0, BOX)]


def swapped_corners(context, image):
    return [cvataa.rectangle(0, [40, 50, 10, 20])]


def not_finite(context, image):
    return [cvataa.rectangle(0, [float("nan"), 20, 40, 50]), cvataa.rectangle(0, BOX)]


def skeleton_not_seen(context, image):
    hidden = [cvataa.keypoint(n, [9 + n, 9], outside=True) for n in (0, 1)]
    return [cvataa.skeleton(2, hidden), cvataa.rectangle(0, BOX)]


def rotation_beyond_a_turn(context, image):
    shape = cvataa.rectangle(0, BOX)
    # The model's constructor takes 0 to 360 only; an oriented detector that sets it later gets through.
    shape._data_store["rotation"] = -10.0
    return [shape]


CASES = (
    occluded,
    occluded_keypoint,
    z_order,
    confidence,
    group_numbers,
    group_of_a_tag,
    frame_name,
    threshold_zero,
    conv_mask_to_poly,
    outside_the_image,
    without_extent,
    swapped_corners,
    not_finite,
    skeleton_not_seen,
    rotation_beyond_a_turn,
)


def detect(context, image):
    return CASES[image.width - FIRST_WIDTH](context, image)
