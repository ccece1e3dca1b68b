"""Attributes of every input type, on shapes, tags and keypoints; some given, some left to the task's default."""

import cvat_sdk.auto_annotation as cvataa
from cvat_sdk import models

NUMBER, CHECKBOX, SELECT, RADIO, TEXT = range(5)

spec = cvataa.DetectionFunctionSpec(
    labels=[
        cvataa.label_spec(
            "thing",
            0,
            attributes=[
                cvataa.number_attribute_spec("count", NUMBER, ["0", "10", "2"]),
                cvataa.checkbox_attribute_spec("open", CHECKBOX),
                cvataa.select_attribute_spec("size", SELECT, ["small", "medium", "very large"]),
                cvataa.radio_attribute_spec("side", RADIO, ["left", "right"]),
                cvataa.text_attribute_spec("words", TEXT),
            ],
        ),
        cvataa.skeleton_label_spec(
            "body",
            1,
            [
                cvataa.keypoint_spec("head", 0, attributes=[cvataa.select_attribute_spec("mood", 7, ["happy", "sad"])]),
                cvataa.keypoint_spec("foot", 1),
            ],
        ),
    ]
)


def values(**by_name):
    ids = {"count": NUMBER, "open": CHECKBOX, "size": SELECT, "side": RADIO, "words": TEXT}
    return [models.AttributeValRequest(spec_id=ids[name], value=value) for name, value in by_name.items()]


def detect(context, image):
    everything = {"count": "4", "open": "true", "size": "very large", "side": "right", "words": 'déjà <vu> & "so"'}
    mood = [models.AttributeValRequest(spec_id=7, value="sad")]
    return [
        cvataa.rectangle(0, [1, 2, 30, 40], attributes=values(**everything)),
        cvataa.rectangle(0, [2, 3, 30, 40], attributes=values(count="10", open="false")),
        cvataa.polygon(0, [1, 2, 30, 40, 5, 50], attributes=values(words="one\ntwo")),
        cvataa.rectangle(0, [3, 4, 30, 40]),
        cvataa.tag(0, attributes=values(size="small", words="")),
        cvataa.skeleton(1, [cvataa.keypoint(0, [10, 10], attributes=mood), cvataa.keypoint(1, [20, 20])]),
    ]
