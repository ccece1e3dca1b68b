import json
from collections.abc import Callable
from typing import Any

import cvat_sdk.auto_annotation as cvataa
import pytest

from aa_runtime import Options, RequestError, contract, fields, request

OPTIONS = Options()


def refused(call: Callable[[], object]) -> RequestError:
    with pytest.raises(RequestError) as caught:
        call()
    assert 400 <= caught.value.status < 500
    return caught.value


@pytest.mark.parametrize(
    "form", [dict, json.dumps, lambda b: json.dumps(b).encode(), lambda b: bytearray(json.dumps(b), "utf-8")]
)
def test_takes_a_body_as_dict_text_or_bytes(form: Callable[[dict[str, Any]], object]) -> None:
    assert fields.parse_body(form({"image": "x", "threshold": 0.5})) == {"image": "x", "threshold": 0.5}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (None, "empty body"),
        (b"", "empty body"),
        ("", "empty body"),
        (b"{", "not JSON"),
        (b"\xff\xfe{", "not JSON"),
        (b"[1]", "not an array"),
        ("null", "not null"),
        ("3", "not a number"),
        ([], "not an array"),
        (7, "not a number"),
        (b'{"threshold": NaN}', "NaN is not JSON"),
        (b'{"threshold": -Infinity}', "-Infinity is not JSON"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"a":' * 200_000, "nested too deeply"),
        (b'{"threshold": ' + b"1" * 5000 + b"}", "not JSON"),
    ],
)
def test_refuses_bodies_that_are_no_json_object(body: object, words: str) -> None:
    assert words in refused(lambda: fields.parse_body(body)).message


def test_of_a_repeated_key_the_last_counts_as_in_a_parsed_body() -> None:
    assert fields.parse_body(b'{"threshold": 1, "threshold": 0.5}') == {"threshold": 0.5}


@pytest.mark.parametrize(("sent", "expected"), [(None, None), (0.5, 0.5), (1, 1.0), (0, 0.0), ("0.5", 0.5)])
def test_reads_the_threshold(sent: object, expected: float | None, picture: str) -> None:
    asked = request.detect_request({"image": picture, "threshold": sent}, OPTIONS)
    assert asked.threshold == expected
    assert asked.image.size == (100, 80)


@pytest.mark.parametrize(
    "sent", [-0.1, 1.1, "half", "", True, [0.5], {}, float("nan"), float("inf"), "nan", "inf", 10**400, "1e999"]
)
def test_refuses_thresholds(sent: object, picture: str) -> None:
    fault = refused(lambda: request.detect_request({"image": picture, "threshold": sent}, OPTIONS))
    assert fault.field == "threshold"


def test_reads_prompts(picture: str) -> None:
    asked = request.interact_request(
        {"image": picture, "pos_points": [[1, 2.5], [-3, 400]], "neg_points": [], "obj_bbox": [[9, 8], [1, 2]]}
    )
    assert asked.pos_points == ((1.0, 2.5), (-3.0, 400.0))
    assert asked.neg_points == ()
    assert asked.bounding_box == ((1.0, 2.0), (9.0, 8.0))


@pytest.mark.parametrize("absent", [{}, {"obj_bbox": None}, {"obj_bbox": []}])
def test_every_form_of_no_box(absent: dict[str, Any], picture: str) -> None:
    asked = request.interact_request({"image": picture, **absent})
    assert asked.bounding_box is None
    assert asked.pos_points == ()


@pytest.mark.parametrize("box", [[1, 2, 9, 8], [9, 8, 1, 2], [9, 2, 1, 8], [[1, 8], [9, 2]]])
def test_every_form_of_a_box(box: list[Any], picture: str) -> None:
    asked = request.interact_request({"image": picture, "obj_bbox": box})
    assert asked.bounding_box == ((1.0, 2.0), (9.0, 8.0))


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"pos_points": {"x": 1}}, "pos_points"),
        ({"pos_points": [1, 2]}, "pos_points[0]"),
        ({"pos_points": [[1, 2], [1]]}, "pos_points[1]"),
        ({"pos_points": [[1, 2, 3]]}, "pos_points[0]"),
        ({"neg_points": [[1, "2"]]}, "neg_points[0][1]"),
        ({"neg_points": [[True, 2]]}, "neg_points[0][0]"),
        ({"neg_points": [[float("nan"), 2]]}, "neg_points[0][0]"),
        ({"neg_points": [[1, 1e300]]}, "neg_points[0][1]"),
        ({"neg_points": [[10**400, 1]]}, "neg_points[0][0]"),
        ({"pos_points": [[1, 2]] * (contract.MAX_PROMPT_POINTS + 1)}, "pos_points"),
        ({"obj_bbox": [[1, 2]]}, "obj_bbox"),
        ({"obj_bbox": [[1, 2], [3, 4], [5, 6], [7, 8]]}, "obj_bbox"),
        ({"obj_bbox": [1, 2, 3]}, "obj_bbox"),
        ({"obj_bbox": [1, 2, 3, None]}, "obj_bbox[3]"),
        ({"obj_bbox": [[1, 2], 3]}, "obj_bbox[1]"),
        ({"obj_bbox": "1,2,3,4"}, "obj_bbox"),
    ],
)
def test_names_the_prompt_that_is_wrong(fields: dict[str, Any], field: str, picture: str) -> None:
    assert refused(lambda: request.interact_request({"image": picture, **fields})).field == field


def test_reads_typed_shapes(picture: str) -> None:
    shapes = [{"type": "polygon", "points": [1, 2, 3, 4, 5, 6], "client_id": 7}, None]
    asked = request.track_request({"image": picture, "shapes": shapes, "states": []}, OPTIONS)
    assert asked.shapes == (cvataa.TrackableShape(type="polygon", points=[1, 2, 3, 4, 5, 6]), None)
    assert asked.states == (None, None)
    assert asked.typed is True


def test_reads_flat_shapes(picture: str) -> None:
    asked = request.track_request({"image": picture, "shapes": [[1, 2, 3, 4]], "states": ["token"]}, OPTIONS)
    assert asked.shapes == (cvataa.TrackableShape(type="rectangle", points=[1, 2, 3, 4]),)
    assert asked.states == ("token",)
    assert asked.typed is False


@pytest.mark.parametrize("shapes", [[None, None], [], None])
def test_cannot_tell_the_form_of_nulls(shapes: list[None] | None, picture: str) -> None:
    asked = request.track_request({"image": picture, "shapes": shapes, "states": ["a", None]}, OPTIONS)
    assert asked.shapes == (None, None)
    assert asked.states == ("a", None)
    assert asked.typed is None


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"shapes": "x"}, "shapes"),
        ({"shapes": [[1, 2, 3]]}, "shapes[0]"),
        ({"shapes": [[1, 2, 3, None]]}, "shapes[0][3]"),
        ({"shapes": [5]}, "shapes[0]"),
        ({"shapes": [{"type": "rectangle", "points": [1, 2, 3, 4]}, [1, 2, 3, 4]]}, "shapes"),
        ({"shapes": [{"points": [1, 2, 3, 4]}]}, "shapes[0].type"),
        ({"shapes": [{"type": "circle", "points": [1, 2, 3, 4]}]}, "shapes[0].type"),
        ({"shapes": [{"type": ["rectangle"], "points": [1, 2, 3, 4]}]}, "shapes[0].type"),
        ({"shapes": [{"type": "polygon", "points": [1, 2, 3, 4]}]}, "shapes[0].points"),
        ({"shapes": [{"type": "polygon", "points": [1, 2, 3, 4, 5, 6, 7]}]}, "shapes[0].points"),
        ({"shapes": [{"type": "rectangle"}]}, "shapes[0].points"),
        ({"shapes": [{"type": "mask", "points": [0.0] * (contract.MAX_SHAPE_NUMBERS + 1)}]}, "shapes[0].points"),
        ({"states": [5]}, "states[0]"),
        ({"states": [{"a": 1}]}, "states[0]"),
        ({"states": "abc"}, "states"),
        ({"states": [None] * (contract.MAX_TRACKED_OBJECTS + 1)}, "states"),
    ],
)
def test_names_the_shape_or_state_that_is_wrong(fields: dict[str, Any], field: str, picture: str) -> None:
    assert refused(lambda: request.track_request({"image": picture, **fields}, OPTIONS)).field == field


def test_reads_cvats_rectangles_and_defaults(picture: str) -> None:
    box = {"id": 3, "label_id": 5, "type": "rectangle", "points": [9, 8, 1, 2], "rotation": 0.0, "attributes": []}
    asked = request.reid_request({"image0": picture, "image1": picture, "boxes0": [box], "boxes1": []}, OPTIONS)
    assert asked.boxes0 == (request.ReIDBox(points=(1, 2, 9, 8), rotation=0, label_id=5),)
    assert asked.boxes1 == ()
    assert (asked.threshold, asked.max_distance) == (0.5, 50)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"boxes0": None}, "boxes0"),
        ({"boxes1": {}}, "boxes1"),
        ({"boxes0": [[1, 2, 3, 4]]}, "boxes0[0]"),
        ({"boxes0": [{"points": [1, 2, 3]}]}, "boxes0[0].points"),
        ({"boxes0": [{"points": [1, 2, 3, "4"]}]}, "boxes0[0].points[3]"),
        ({"boxes0": [{"points": [1, 2, 3, 4], "label_id": [1]}]}, "boxes0[0].label_id"),
        ({"boxes0": [{"points": [1, 2, 3, 4], "rotation": "x"}]}, "boxes0[0].rotation"),
        ({"boxes1": [{"points": [1, 2, 3, 4]}] * (contract.MAX_REID_BOXES + 1)}, "boxes1"),
        ({"threshold": -1}, "threshold"),
        ({"max_distance": "far"}, "max_distance"),
        ({"image1": None}, "image1"),
    ],
)
def test_names_the_box_that_is_wrong(fields: dict[str, Any], field: str, picture: str) -> None:
    body = {"image0": picture, "image1": picture, "boxes0": [], "boxes1": []} | fields
    assert refused(lambda: request.reid_request(body, OPTIONS)).field == field
