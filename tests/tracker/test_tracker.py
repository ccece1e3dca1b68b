"""A tracker behind the handler: what CVAT sends, what it gets."""

from collections.abc import Callable
from typing import Any

import cvat_sdk.auto_annotation as cvataa
import numpy as np
import PIL.Image
import pytest

Squares = Callable[..., Any]
Frame = Callable[..., str]


def start(worker: Any, image: str, *shapes: Any) -> list[str]:
    status, body = worker.post({"image": image, "shapes": list(shapes), "states": []})
    assert status == 200, body
    return body["states"]


def rectangle(*points: float) -> dict[str, Any]:
    return {"type": "rectangle", "points": list(points)}


@pytest.mark.parametrize("prepare", [False, True])
def test_an_object_is_followed_lost_and_found(squares: Squares, frame: Frame, prepare: bool) -> None:
    worker = squares(prepare=prepare)
    states = start(worker, frame({200: (10, 20, 9)}), rectangle(10, 20, 19, 29))
    seen = []
    for objects in ({200: (12, 20, 9)}, {}, {200: (30, 40, 9)}):
        status, body = worker.post({"image": frame(objects), "shapes": [None], "states": states})
        assert status == 200
        states = body["states"]
        seen.append(body["shapes"][0]["points"])
    assert seen[0][:3] == [12, 20, 21]
    assert seen[1] == seen[0]
    assert seen[2][:3] == [30, 40, 39]
    # What `track` changed in its state is there on the next frame: two seen, template halved twice.
    assert seen[2][3] == pytest.approx(49 + (2 + 50) / 1000)
    assert any("1 of 1 objects lost: not found" in line["message"] for line in worker.log)


def test_the_policy_null_answers_null_and_goes_on(squares: Squares, frame: Frame) -> None:
    worker = squares(options={"lost_shape": "null"})
    states = start(worker, frame({200: (10, 20, 9)}), rectangle(10, 20, 19, 29))
    _, body = worker.post({"image": frame({}), "shapes": [None], "states": states})
    assert body["shapes"] == [None]
    _, body = worker.post({"image": frame({200: (1, 2, 9)}), "shapes": [None], "states": body["states"]})
    assert body["shapes"][0]["points"][:2] == [1, 2]


def test_a_request_may_ask_for_null_by_itself(squares: Squares, frame: Frame) -> None:
    worker = squares()
    states = start(worker, frame({200: (10, 20, 9)}), rectangle(10, 20, 19, 29))
    body = {"image": frame({}), "shapes": [None], "states": states}
    assert worker.post(body | {"lost_shape": "null"})[1]["shapes"] == [None]
    assert worker.post(body)[1]["shapes"] != [None]
    status, refused = worker.post(body | {"lost_shape": "none"})
    assert status == 400
    assert "lost_shape" in str(refused)


@pytest.mark.parametrize("prepare", [False, True])
def test_the_function_gets_what_cvat_s_agent_gives(squares: Squares, frame: Frame, prepare: bool) -> None:
    worker = squares(prepare=prepare)
    image = frame({200: (10, 20, 9)})
    states = start(worker, image, rectangle(10, 20, 19, 29), rectangle(1, 2, 3, 4))
    worker.post({"image": image, "shapes": [None, None], "states": states})
    calls = worker.function.calls
    expected = ["init", "init", "track", "track"]
    if prepare:
        expected = ["preprocess", "init", "init", "preprocess", "track", "track"]
        assert isinstance(calls[0][1], cvataa.TrackingFunctionContext)
        assert isinstance(calls[0][2], PIL.Image.Image)
        assert calls[1][2] is calls[2][2]
        assert calls[4][2] is calls[5][2]
    else:
        assert all(isinstance(call[2], PIL.Image.Image) and call[2].mode == "L" for call in calls)
    assert [call[0] for call in calls] == expected
    init = next(call for call in calls if call[0] == "init")
    assert isinstance(init[1], cvataa.TrackingFunctionShapeContext)
    assert init[1].original_shape_type == "rectangle"
    assert init[3] == cvataa.TrackableShape(type="rectangle", points=[10.0, 20.0, 19.0, 29.0])


def test_starting_answers_with_the_given_shapes(squares: Squares, frame: Frame) -> None:
    worker = squares(types="rectangle,polygon")
    shapes = [rectangle(10.5, 20, 19, 29), {"type": "polygon", "points": [1, 2, 9, 2, 9, 9], "rotation": 4}]
    _, body = worker.post({"image": frame({}), "shapes": shapes, "states": []})
    assert body["shapes"] == [shapes[0], {"type": "polygon", "points": [1, 2, 9, 2, 9, 9]}]
    assert all(isinstance(state, str) and state.isascii() for state in body["states"])


def test_flat_arrays_are_answered_with_flat_arrays(squares: Squares, frame: Frame) -> None:
    # CVAT of 2024 sends the last shape with every state.
    worker = squares()
    image = frame({200: (10, 20, 9)})
    _, body = worker.post({"image": image, "shapes": [[10, 20, 19, 29]], "states": []})
    assert body["shapes"] == [[10, 20, 19, 29]]
    for shapes in (body["shapes"], [None]):
        _, again = worker.post({"image": image, "shapes": shapes, "states": body["states"]})
        assert again["shapes"][0][:3] == [10, 20, 19]
    assert [call[0] for call in worker.function.calls] == ["init", "track", "track"]


def test_each_object_starts_or_goes_on_by_itself(squares: Squares, frame: Frame) -> None:
    worker = squares(types="rectangle,polygon")
    image = frame({200: (10, 20, 9), 100: (50, 50, 5)})
    old = start(worker, image, rectangle(10, 20, 19, 29), {"type": "polygon", "points": [50, 50, 55, 50, 55, 55]})
    worker.function.calls.clear()
    body = {
        "image": image,
        "shapes": [None, rectangle(50, 50, 55, 55), None, rectangle(0, 0, 1, 1), None],
        "states": [old[0], None, None, old[1]],
    }
    status, answer = worker.post(body)
    assert status == 200
    assert [call[0] for call in worker.function.calls] == ["track", "init", "track"]
    assert [shape and shape["type"] for shape in answer["shapes"]] == ["rectangle", "rectangle", None, "polygon", None]
    assert [state is None for state in answer["states"]] == [False, False, True, False, True]


@pytest.mark.parametrize("body", [{}, {"shapes": [], "states": []}, {"shapes": None, "states": None}])
def test_nothing_to_track_is_answered_with_nothing(squares: Squares, frame: Frame, body: dict[str, Any]) -> None:
    worker = squares(prepare=True)
    assert worker.post({"image": frame({}), **body}) == (200, {"shapes": [], "states": []})
    assert worker.post({"image": frame({}), "shapes": [None], "states": [None]}) == (
        200,
        {"shapes": [None], "states": [None]},
    )
    assert worker.function.calls == []


def test_a_frame_of_another_size_is_refused_before_the_function_is_asked(squares: Squares, frame: Frame) -> None:
    worker = squares(prepare=True)
    states = start(worker, frame({}), rectangle(1, 2, 3, 4))
    worker.function.calls.clear()
    status, body = worker.post({"image": frame({}, (80, 100)), "shapes": [None], "states": states})
    assert status == 400
    assert body["error"]["message"] == "Image sizes of the start frame and the current frame are different"
    assert body["error"]["field"] == "states[0]"
    assert worker.function.calls == []


@pytest.mark.parametrize(
    ("shape", "field"),
    [
        ({"type": "polygon", "points": [1, 2, 3, 4, 5, 6]}, "shapes[0]"),
        ({"type": "circle", "points": [1, 2]}, "shapes[0].type"),
        ({"points": [1, 2, 3, 4]}, "shapes[0].type"),
        (rectangle(1, 2, 3), "shapes[0].points"),
        ([1, 2, 3, 4, 5, 6, 7, 8], "shapes[0]"),
        ("rectangle", "shapes[0]"),
    ],
)
def test_shapes_that_cannot_be_tracked_are_refused(squares: Squares, frame: Frame, shape: Any, field: str) -> None:
    status, body = squares().post({"image": frame({}), "shapes": [shape], "states": []})
    assert (status, body["error"]["field"]) == (400, field)


def test_flat_arrays_are_refused_where_rectangles_are_not_tracked(squares: Squares, frame: Frame) -> None:
    status, body = squares(types="mask").post({"image": frame({}), "shapes": [[1, 2, 3, 4]], "states": []})
    assert status == 400
    assert body["error"]["message"] == "Unsupported shape type 'rectangle'"


@pytest.mark.parametrize(
    "points",
    [
        [0, 4, 1, 1, 1, 1],
        [4, 99, 1, 2, 2],
        [4, 0, 0, 1e6, 1e6],
        [1e7, 0, 0, 9999, 999],
        [0.5, 0.5, 1, 1, 1, 1],
        [-1, 2, 1, 1, 1, 1],
        [0, 1, 99, 79, 100, 79],
        [0, 1, -1, 0, -1, 0],
        [0, 1, 0, -1, 0, -1],
        [0, 1, 0, 80, 0, 80],
        [0, 1, 100, 0, 100, 0],
        [0, 1, 5, 0, 4, 1],
        [0, 1, 0, 5, 1, 4],
        [0, 2, 1.5, 1, 2.5, 1],
    ],
)
def test_masks_that_cannot_be_decoded_are_refused(squares: Squares, frame: Frame, points: list[float]) -> None:
    shape = {"type": "mask", "points": points}
    worker = squares(types="mask")
    status, body = worker.post({"image": frame({}), "shapes": [shape], "states": []})
    assert status == 400
    assert body["error"]["field"] == "shapes[0].points"
    assert body["error"]["message"] == "a mask's runs fill its box, and its box lies in the image"
    assert worker.function.calls == []


@pytest.mark.parametrize(
    "points", [[0, 8000, 0, 0, 99, 79], [0, 1, 99, 79, 99, 79], [0, 1, 0, 0, 0, 0], [2, 0, 1, 5, 10, 20, 13, 21]]
)
def test_masks_of_any_size_in_the_image_are_tracked(squares: Squares, frame: Frame, points: list[float]) -> None:
    shape = {"type": "mask", "points": points}
    status, body = squares(types="mask").post({"image": frame({}), "shapes": [shape], "states": []})
    assert status == 200
    assert body["shapes"] == [shape]


@pytest.mark.parametrize("types", ["mask", "polygon"])
def test_masks_and_polygons_are_followed(squares: Squares, frame: Frame, types: str) -> None:
    points = {"mask": [0, 81, 10, 20, 18, 28], "polygon": [10, 20, 19, 20, 19, 29, 10, 29]}[types]
    worker = squares(types=types)
    states = start(worker, frame({200: (10, 20, 9)}), {"type": types, "points": points})
    _, body = worker.post({"image": frame({200: (40, 50, 9)}), "shapes": [None], "states": states})
    found = body["shapes"][0]
    assert found["type"] == types
    assert found["points"] == {"mask": [0, 81, 40, 50, 48, 58], "polygon": [40, 50, 49, 50, 49, 59, 40, 59]}[types]


OUTPUTS = [
    ("rectangle", [5, 6, 1, 2], [1, 2, 5, 6]),
    ("rectangle", [-5, -6, 10, 20], [0, 0, 10, 20]),
    ("rectangle", [np.float32(1.5), np.int64(2), 500, 600], [1.5, 2, 100, 80]),
    ("rectangle", np.array([1.0, 2.0, 3.0, 4.0]), [1, 2, 3, 4]),
    ("polygon", [-5, 10, 50, 10, 50, 20], [0, 10, 50, 10, 50, 20, 0, 110 / 11]),
    ("mask", [0, 16, 98, 78, 101, 81], [0, 4, 98, 78, 99, 79]),
    ("points", [1, 2, 300, 4], [1, 2, 100, 4]),
]


@pytest.mark.parametrize(("kind", "points", "expected"), OUTPUTS)
def test_output_is_put_inside_the_image(
    squares: Squares, frame: Frame, kind: str, points: Any, expected: list[float]
) -> None:
    first = {"mask": [0, 1, 1, 1, 1, 1], "polygon": [1, 1, 5, 1, 5, 5]}.get(kind, [1, 2, 3, 4])
    worker = squares(types=kind)
    states = start(worker, frame({}), {"type": kind, "points": first})
    worker.function.output = cvataa.TrackableShape(type=kind, points=points)
    status, body = worker.post({"image": frame({}), "shapes": [None], "states": states})
    assert status == 200, body
    if kind == "polygon":
        assert min(body["shapes"][0]["points"]) >= 0
    else:
        assert body["shapes"][0]["points"] == expected


@pytest.mark.parametrize(
    "points", [[float("nan"), 1, 2, 3], [1, 2, float("inf"), 4], [5, 5, 5, 9], [200, 200, 210, 210], [1e300, 0, 2, 2]]
)
def test_a_box_that_is_none_counts_as_lost(squares: Squares, frame: Frame, points: list[float]) -> None:
    worker = squares()
    states = start(worker, frame({}), rectangle(1, 2, 3, 4))
    worker.function.output = cvataa.TrackableShape(type="rectangle", points=points)
    status, body = worker.post({"image": frame({}), "shapes": [None], "states": states})
    assert status == 200
    if points != [1e300, 0, 2, 2]:
        assert body["shapes"][0]["points"] == [1, 2, 3, 4]
        assert any("objects lost" in line["message"] for line in worker.log)
    assert all(0 <= value <= 100 for value in body["shapes"][0]["points"])


@pytest.mark.parametrize(
    ("output", "words"),
    [
        (
            cvataa.TrackableShape(type="mask", points=[0, 1, 1, 1, 1, 1]),
            "shape of type 'mask', but original shape was of type 'rectangle'",
        ),
        (
            cvataa.TrackableShape(type="rectangle", points=[1, 2, 3]),
            "rectangle with wrong points: a rectangle has 4 numbers, not 3",
        ),
        (cvataa.TrackableShape(type="rectangle", points=["a", 2, 3, 4]), "shape with points that are not numbers"),
        (cvataa.TrackableShape(type="rectangle", points=[[1], 2, 3, 4]), "shape with points that are not numbers"),
        (cvataa.TrackableShape(type="rectangle", points=[10**400, 2, 3, 4]), "shape with points that are not numbers"),
        ([1, 2, 3, 4], "an object of type 'list' (expected 'TrackableShape' or None)"),
    ],
)
def test_output_that_breaks_the_interface_is_a_500(squares: Squares, frame: Frame, output: Any, words: str) -> None:
    worker = squares()
    states = start(worker, frame({}), rectangle(1, 2, 3, 4))
    worker.function.output = output
    status, body = worker.post({"image": frame({}), "shapes": [None], "states": states})
    assert status == 500
    assert body["error"]["message"] == f"function output {words}"


def test_a_mask_that_does_not_fill_its_box_is_a_500(squares: Squares, frame: Frame) -> None:
    worker = squares(types="mask")
    states = start(worker, frame({}), {"type": "mask", "points": [0, 1, 1, 1, 1, 1]})
    worker.function.output = cvataa.TrackableShape(type="mask", points=[0, 5, 1, 1, 1, 1])
    assert worker.post({"image": frame({}), "shapes": [None], "states": states})[0] == 500
