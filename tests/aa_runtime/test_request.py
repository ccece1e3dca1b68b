import base64
import json
from collections.abc import Callable
from typing import Any

import cvat_sdk.auto_annotation as cvataa
import pytest

from aa_runtime import Options, RequestError, contract, errors, fields, request

OPTIONS = Options()


def refused(call: Callable[[], object]) -> str:
    """Status, field and message of what the call raises, as they stand in the log."""
    with pytest.raises(RequestError) as caught:
        call()
    return errors.describe(caught.value).log


@pytest.mark.parametrize(
    "form", [dict, json.dumps, lambda b: json.dumps(b).encode(), lambda b: bytearray(json.dumps(b), "utf-8")]
)
def test_takes_a_body_as_dict_text_or_bytes(form: Callable[[dict[str, Any]], object]) -> None:
    assert fields.parse_body(form({"image": "x", "threshold": 0.5})) == {"image": "x", "threshold": 0.5}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (None, "400 empty body: a JSON object is expected"),
        (b"", "400 empty body: a JSON object is expected"),
        ("", "400 empty body: a JSON object is expected"),
        (b"{", "400 not JSON: Expecting property name"),
        (b"\xff\xfe{", "400 not JSON: 'utf-16"),
        (b"[1]", "400 a JSON object is expected, not an array"),
        ("null", "400 a JSON object is expected, not null"),
        ("3", "400 a JSON object is expected, not a number"),
        ([], "400 a JSON object is expected, not an array"),
        (7, "400 a JSON object is expected, not a number"),
        (b'{"threshold": NaN}', "400 NaN is not JSON"),
        (b'{"threshold": -Infinity}', "400 -Infinity is not JSON"),
        (b"[" * 200_000, "400 JSON nested too deeply"),
        (b'{"a":' * 200_000, "400 JSON nested too deeply"),
        (b'{"threshold": ' + b"1" * 5000 + b"}", "400 not JSON: Exceeds the limit"),
    ],
)
def test_refuses_bodies_that_are_no_json_object(body: object, words: str) -> None:
    assert refused(lambda: fields.parse_body(body)).startswith(words)


def test_of_a_repeated_key_the_last_counts_as_in_a_parsed_body() -> None:
    assert fields.parse_body(b'{"threshold": 1, "threshold": 0.5}') == {"threshold": 0.5}


@pytest.mark.parametrize(("sent", "expected"), [(None, None), (0.5, 0.5), (1, 1.0), (0, 0.0), ("0.5", 0.5)])
def test_reads_the_threshold(sent: object, expected: float | None, picture: str) -> None:
    asked = request.detect_request({"image": picture, "threshold": sent}, OPTIONS)
    assert asked.threshold == expected
    assert asked.image.size == (100, 80)


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (-0.1, "a number from 0 to 1 is expected"),
        (1.1, "a number from 0 to 1 is expected"),
        ("half", "a number is expected, not this string"),
        ("", "a number is expected, not this string"),
        (True, "a number is expected, not a boolean"),
        ([0.5], "a number is expected, not an array"),
        ({}, "a number is expected, not an object"),
        (float("nan"), "a finite number of sensible size is expected"),
        (float("inf"), "a finite number of sensible size is expected"),
        ("nan", "a finite number of sensible size is expected"),
        ("inf", "a finite number of sensible size is expected"),
        (10**400, "a finite number of sensible size is expected"),
        ("1e999", "a finite number of sensible size is expected"),
    ],
)
def test_refuses_thresholds(sent: object, words: str, picture: str) -> None:
    assert refused(lambda: request.detect_request({"image": picture, "threshold": sent}, OPTIONS)) == (
        f"400 threshold: {words}"
    )


def test_reads_prompts(picture: str) -> None:
    asked = request.interact_request(
        {"image": picture, "pos_points": [[1, 2.5], [-3, 400]], "neg_points": [], "obj_bbox": [[9, 8], [1, 2]]}
    )
    assert asked.pos_points == ((1.0, 2.5), (-3.0, 400.0))
    assert asked.neg_points == ()
    assert asked.bounding_box == ((1.0, 2.0), (9.0, 8.0))
    assert asked.encoded == base64.b64decode(picture)


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
    ("fields", "words"),
    [
        ({"pos_points": {"x": 1}}, "400 pos_points: an array is expected, not an object"),
        ({"pos_points": [1, 2]}, "400 pos_points[0]: an array of numbers is expected, not a number"),
        ({"pos_points": [[1, 2], [1]]}, "400 pos_points[1]: a pair [x, y] is expected"),
        ({"pos_points": [[1, 2, 3]]}, "413 pos_points[0]: 3 numbers; at most 2 are accepted"),
        ({"neg_points": [[1, "2"]]}, "400 neg_points[0][1]: a number is expected, not a string"),
        ({"neg_points": [[True, 2]]}, "400 neg_points[0][0]: a number is expected, not a boolean"),
        ({"neg_points": [[float("nan"), 2]]}, "400 neg_points[0][0]: a finite number of sensible size is expected"),
        ({"neg_points": [[1, 1e300]]}, "400 neg_points[0][1]: a finite number of sensible size is expected"),
        ({"neg_points": [[10**400, 1]]}, "400 neg_points[0][0]: a finite number of sensible size is expected"),
        (
            {"pos_points": [[1, 2]] * (contract.MAX_PROMPT_POINTS + 1)},
            "413 pos_points: 10001 entries; at most 10000 are accepted",
        ),
        ({"obj_bbox": [[1, 2]]}, "400 obj_bbox: one box of two points is expected"),
        ({"obj_bbox": [[1, 2], [3, 4], [5, 6], [7, 8]]}, "400 obj_bbox: one box of two points is expected"),
        ({"obj_bbox": [1, 2, 3]}, "400 obj_bbox: two points [[x, y], [x, y]] are expected"),
        ({"obj_bbox": [1, 2, 3, 4, 5]}, "413 obj_bbox: 5 entries; at most 4 are accepted"),
        ({"obj_bbox": [1, 2, 3, None]}, "400 obj_bbox[3]: a number is expected, not null"),
        ({"obj_bbox": [[1, 2], 3]}, "400 obj_bbox[1]: an array of numbers is expected, not a number"),
        ({"obj_bbox": "1,2,3,4"}, "400 obj_bbox: an array is expected, not a string"),
    ],
)
def test_names_the_prompt_that_is_wrong(fields: dict[str, Any], words: str, picture: str) -> None:
    assert refused(lambda: request.interact_request({"image": picture, **fields})) == words


def test_reads_typed_shapes(picture: str) -> None:
    shapes = [{"type": "polygon", "points": [1, 2, 3, 4, 5, 6], "client_id": 7}, None]
    asked = request.track_request({"image": picture, "shapes": shapes, "states": []}, OPTIONS)
    assert asked.shapes == (cvataa.TrackableShape(type="polygon", points=[1, 2, 3, 4, 5, 6]), None)
    assert asked.states == (None, None)
    assert asked.typed is True
    assert asked.image.size == (100, 80)


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
    ("fields", "words"),
    [
        ({"shapes": "x"}, "400 shapes: an array is expected, not a string"),
        ({"shapes": [[1, 2, 3]]}, "400 shapes[0]: a rectangle has 4 numbers, not 3"),
        ({"shapes": [[1, 2, 3, None]]}, "400 shapes[0][3]: a number is expected, not null"),
        ({"shapes": [5]}, "400 shapes[0]: an array of numbers is expected, not a number"),
        (
            {"shapes": [{"type": "rectangle", "points": [1, 2, 3, 4]}, [1, 2, 3, 4]]},
            "400 shapes: objects and arrays are mixed",
        ),
        ({"shapes": [{"points": [1, 2, 3, 4]}]}, "400 shapes[0].type: one of CVAT's shape types is expected"),
        (
            {"shapes": [{"type": "circle", "points": [1, 2, 3, 4]}]},
            "400 shapes[0].type: one of CVAT's shape types is expected",
        ),
        (
            {"shapes": [{"type": ["rectangle"], "points": [1, 2, 3, 4]}]},
            "400 shapes[0].type: one of CVAT's shape types is expected",
        ),
        (
            {"shapes": [{"type": "polygon", "points": [1, 2, 3, 4]}]},
            "400 shapes[0].points: a polygon has at least 6 numbers, not 4",
        ),
        (
            {"shapes": [{"type": "polygon", "points": [1, 2, 3, 4, 5, 6, 7]}]},
            "400 shapes[0].points: a polygon has an even count of numbers, not 7",
        ),
        ({"shapes": [{"type": "rectangle"}]}, "400 shapes[0].points: an array of numbers is expected, not null"),
        (
            {"shapes": [{"type": "mask", "points": [0.0] * (contract.MAX_SHAPE_NUMBERS + 1)}]},
            "413 shapes[0].points: 100001 numbers; at most 100000 are accepted",
        ),
        ({"states": [5]}, "400 states[0]: a state of this function is expected, not a number"),
        ({"states": [{"a": 1}]}, "400 states[0]: a state of this function is expected, not an object"),
        ({"states": "abc"}, "400 states: an array is expected, not a string"),
        (
            {"states": [None] * (contract.MAX_TRACKED_OBJECTS + 1)},
            "413 states: 10001 entries; at most 10000 are accepted",
        ),
    ],
)
def test_names_the_shape_or_state_that_is_wrong(fields: dict[str, Any], words: str, picture: str) -> None:
    assert refused(lambda: request.track_request({"image": picture, **fields}, OPTIONS)) == words


def test_reads_cvats_rectangles_and_defaults(picture: str) -> None:
    box = {"id": 3, "label_id": 5, "type": "rectangle", "points": [9, 8, 1, 2], "rotation": 0.0, "attributes": []}
    asked = request.reid_request({"image0": picture, "image1": picture, "boxes0": [box], "boxes1": []}, OPTIONS)
    assert asked.boxes0 == (request.ReIDBox(points=(1, 2, 9, 8), rotation=0, label_id=5),)
    assert asked.boxes1 == ()
    assert (asked.threshold, asked.max_distance) == (0.5, 50)
    assert asked.image0.size == asked.image1.size == (100, 80)


def test_what_a_reid_request_says_wins_over_the_defaults(picture: str) -> None:
    boxes = [{"points": [1, 2, 9, 8], "rotation": 30}, {"points": [1, 2, 9, 8], "label_id": "5"}]
    body = {"image0": picture, "image1": picture, "boxes0": boxes, "boxes1": [], "threshold": 0.25, "max_distance": 9}
    asked = request.reid_request(body, OPTIONS)
    assert [(box.rotation, box.label_id) for box in asked.boxes0] == [(30, None), (0, "5")]
    assert (asked.threshold, asked.max_distance) == (0.25, 9)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"boxes0": None}, "400 boxes0: missing: an array of CVAT's rectangles is expected"),
        ({"boxes1": {}}, "400 boxes1: an array is expected, not an object"),
        ({"boxes0": [[1, 2, 3, 4]]}, "400 boxes0[0]: one of CVAT's rectangles is expected, not an array"),
        ({"boxes0": [{"points": [1, 2, 3]}]}, "400 boxes0[0].points: a rectangle has 4 numbers, not 3"),
        ({"boxes0": [{"points": [1, 2, 3, "4"]}]}, "400 boxes0[0].points[3]: a number is expected, not a string"),
        (
            {"boxes0": [{"points": [1, 2, 3, 4], "label_id": [1]}]},
            "400 boxes0[0].label_id: a label's id is expected, not an array",
        ),
        (
            {"boxes0": [{"points": [1, 2, 3, 4], "rotation": "x"}]},
            "400 boxes0[0].rotation: a number is expected, not a string",
        ),
        (
            {"boxes1": [{"points": [1, 2, 3, 4]}] * (contract.MAX_REID_BOXES + 1)},
            "413 boxes1: 2049 entries; at most 2048 are accepted",
        ),
        ({"threshold": -1}, "400 threshold: a number of at least 0 is expected"),
        ({"max_distance": "far"}, "400 max_distance: a number is expected, not this string"),
        ({"image1": None}, "400 image1: missing: base64 text of an image file is expected"),
    ],
)
def test_names_the_box_that_is_wrong(fields: dict[str, Any], words: str, picture: str) -> None:
    body = {"image0": picture, "image1": picture, "boxes0": [], "boxes1": []} | fields
    assert refused(lambda: request.reid_request(body, OPTIONS)) == words


def test_as_many_as_the_limits_say_are_accepted(picture: str) -> None:
    most = contract.MAX_COORDINATE
    images = {"image0": picture, "image1": picture}
    prompts = request.interact_request({"image": picture, "neg_points": [[-most, most]] * contract.MAX_PROMPT_POINTS})
    tracks = request.track_request({"image": picture, "states": [None] * contract.MAX_TRACKED_OBJECTS}, OPTIONS)
    mask = {"type": "mask", "points": [0] * contract.MAX_SHAPE_NUMBERS}
    shape = request.track_request({"image": picture, "shapes": [mask]}, OPTIONS).shapes[0]
    boxes = [{"points": [1, 2, 3, 4]}] * contract.MAX_REID_BOXES
    asked = request.reid_request({**images, "boxes0": boxes, "boxes1": [], "max_distance": most}, OPTIONS)
    assert prompts.neg_points == ((-most, most),) * contract.MAX_PROMPT_POINTS
    assert tracks.states == (None,) * contract.MAX_TRACKED_OBJECTS
    assert shape is not None
    assert len(shape.points) == contract.MAX_SHAPE_NUMBERS
    assert len(asked.boxes0) == contract.MAX_REID_BOXES
    assert asked.max_distance == most
