"""The smallest call: whatever CVAT lists, a sound function can answer it."""

import base64
import io
from typing import Any

import pytest
from PIL import Image

from aa_runtime.contract import SHAPE_TYPES, points_fault
from cvat_nuclio.cvat.listing import list_function
from cvat_nuclio.cvat.mask_crops import rle_to_bitmap
from cvat_nuclio.cvat.sample import BOX, SIZE, function_of_kind, sample_payload, shape_points


def payload(kind: str, **annotations: str) -> dict[str, Any]:
    return sample_payload(list_function(function_of_kind(kind, annotations)))


@pytest.mark.parametrize("shape_type", sorted(SHAPE_TYPES))
def test_a_tracker_gets_a_shape_of_a_type_that_it_knows_with_the_numbers_of_that_type(shape_type: str) -> None:
    body = payload("tracker", supported_shape_types=shape_type)
    (shape,) = body["shapes"]
    assert shape["type"] == shape_type
    assert points_fault(shape_type, len(shape["points"])) is None
    assert all(
        0 <= value <= limit for value, limit in zip(shape["points"], SIZE * 8, strict=False) if shape_type != "mask"
    )
    assert body["states"] == []


def test_a_mask_fills_its_box() -> None:
    bitmap = rle_to_bitmap(shape_points("mask", BOX), *SIZE)
    left, top, right, bottom = map(int, BOX)
    assert bitmap.sum() == (right - left + 1) * (bottom - top + 1)
    assert bitmap[top : bottom + 1, left : right + 1].all()


def test_a_tracker_that_names_no_types_gets_flat_rectangles() -> None:
    assert payload("tracker")["shapes"] == [list(BOX)]


def test_of_several_types_the_rectangle_is_sent() -> None:
    (shape,) = payload("tracker", supported_shape_types="mask, rectangle")["shapes"]
    assert shape == {"type": "rectangle", "points": list(BOX)}


@pytest.mark.parametrize(
    ("annotations", "counts"),
    [
        ({}, (1, 0, 0)),
        ({"min_pos_points": "3", "min_neg_points": "2"}, (3, 2, 0)),
        ({"min_pos_points": "0", "startswith_box_optional": "true"}, (0, 0, 2)),
        ({"min_pos_points": "1", "startswith_box_optional": "true"}, (1, 0, 0)),
        ({"min_pos_points": "1", "startswith_box": "true"}, (1, 0, 2)),
    ],
)
def test_an_interactor_gets_the_prompts_that_it_needs(
    annotations: dict[str, str], counts: tuple[int, int, int]
) -> None:
    body = payload("interactor", **annotations)
    assert tuple(len(body[key]) for key in ("pos_points", "neg_points", "obj_bbox")) == counts


def test_a_reid_function_gets_two_pictures_and_a_box_on_each() -> None:
    body = payload("reid")
    assert body["image0"] == body["image1"]
    assert [box["points"] for box in body["boxes0"] + body["boxes1"]] == [list(BOX)] * 2


def test_the_picture_is_as_large_as_it_says_and_another_may_be_sent() -> None:
    body = payload("detector")
    assert Image.open(io.BytesIO(base64.b64decode(body["image"]))).size == SIZE
    function = list_function(function_of_kind("detector"))
    assert sample_payload(function, b"bytes") == {"image": base64.b64encode(b"bytes").decode()}
