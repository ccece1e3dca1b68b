from typing import Any

import cvat_sdk.auto_annotation as cvataa
import numpy as np
import pytest
from cvat_sdk import models

from aa_runtime import FunctionError
from aa_runtime.attributes import MAX_TEXT, Attribute, write_attributes

AGE = Attribute.from_spec(cvataa.number_attribute_spec("age", 1, ["-10", "100", "2"]))
SMILE = Attribute.from_spec(cvataa.checkbox_attribute_spec("smile", 2))
MOOD = Attribute.from_spec(cvataa.select_attribute_spec("mood", 3, ["happy", "sad"]))
SIDE = Attribute.from_spec(cvataa.radio_attribute_spec("side", 4, ["left", "right"]))
NOTE = Attribute.from_spec(cvataa.text_attribute_spec("note", 5))


@pytest.mark.parametrize(
    ("attribute", "value", "text"),
    [
        (AGE, "4", "4"),
        (AGE, "4.0", "4"),
        (AGE, " 4 ", "4"),
        (AGE, "+4", "4"),
        (AGE, "-2", "-2"),
        (AGE, "1_0", "10"),
        (AGE, 4, "4"),
        (AGE, 4.0, "4"),
        (AGE, np.float32(4), "4"),
        (AGE, np.int64(4), "4"),
        (SMILE, "true", "true"),
        (SMILE, "True", "true"),
        (SMILE, "FALSE", "false"),
        (SMILE, True, "true"),
        (SMILE, np.bool_(False), "false"),
        (SMILE, 1, "true"),
        (SMILE, "0", "false"),
        (MOOD, "happy", "happy"),
        (SIDE, "left", "left"),
        (NOTE, "a\nb \N{SNOWMAN}", "a\nb \N{SNOWMAN}"),
        (NOTE, "", ""),
        (NOTE, 3.5, "3.5"),
        (NOTE, "a\0b", "ab"),
        (NOTE, "a\udcffb", "a?b"),
        (NOTE, "x" * 5000, "x" * MAX_TEXT),
    ],
)
def test_writes_a_value_as_cvat_keeps_it(attribute: Attribute, value: object, text: str) -> None:
    assert attribute.written(value, 1) == text


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        (AGE, "4.5"),
        (AGE, "3"),
        (AGE, "102"),
        (AGE, "-12"),
        (AGE, "nan"),
        (AGE, "1e999"),
        (AGE, "four"),
        (AGE, ""),
        (AGE, None),
        (AGE, "9" * 5000),
        (SMILE, "yes"),
        (SMILE, ""),
        (MOOD, "ha"),
        (MOOD, "happy\nsad"),
        (MOOD, ""),
        (MOOD, "Happy"),
        (SIDE, "up"),
        (SIDE, None),
    ],
)
def test_refuses_what_the_spec_does_not_allow_in_the_drivers_words(attribute: Attribute, value: object) -> None:
    with pytest.raises(FunctionError, match=r"attribute value .* unsuitable for its attribute \(7\)"):
        attribute.written(value, 7)


def values(*pairs: tuple[int, Any]) -> models.LabeledImageRequest:
    return cvataa.tag(1, attributes=[models.AttributeValRequest(spec_id=k, value=v) for k, v in pairs])


def test_writes_names_and_values() -> None:
    annotation = values((1, "8"), (3, "sad"))
    assert write_attributes(annotation, {1: AGE, 3: MOOD}) == [
        {"name": "age", "value": "8"},
        {"name": "mood", "value": "sad"},
    ]


@pytest.mark.parametrize("annotation", [cvataa.tag(1), values()])
def test_no_attributes_are_an_empty_list(annotation: Any) -> None:
    assert write_attributes(annotation, {1: AGE}) == []


def test_refuses_an_unknown_attribute() -> None:
    with pytest.raises(FunctionError, match=r"function output attribute with unknown ID \(9\)"):
        write_attributes(values((9, "8")), {1: AGE})


def test_refuses_an_attribute_given_twice() -> None:
    with pytest.raises(FunctionError, match="multiple attributes with same ID"):
        write_attributes(values((1, "8"), (1, "10")), {1: AGE})
