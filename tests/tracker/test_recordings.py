"""Every request that CVAT was recorded to send to a tracker, answered by a real one."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aa_runtime import contract


@pytest.fixture(scope="module")
def exchanges(recordings: Path) -> list[dict[str, Any]]:
    vectors = json.loads((recordings / "vectors" / "tracker.json").read_text())
    return [vector for vector in vectors if vector["request"] is not None]


def accepted(answer: Any, request: dict[str, Any], typed: bool) -> None:
    """CVAT 2.54 needs `states` in a list and each JSON-able; it wraps flat shapes, and its UI needs `points`
    of each. CVAT of 2024 passes all of it to a UI that zips by index."""
    assert set(answer) == {"shapes", "states"}
    count = max(len(request["shapes"]), len(request["states"]))
    assert len(answer["shapes"]) == len(answer["states"]) == count
    for index, (shape, state) in enumerate(zip(answer["shapes"], answer["states"], strict=True)):
        given = [*request["shapes"], *[None] * count][index], [*request["states"], *[None] * count][index]
        if given == (None, None):
            assert (shape, state) == (None, None)
            continue
        assert isinstance(state, str)
        points = shape
        if typed:
            assert set(shape) == {"type", "points"}
            points = shape["points"]
        assert contract.points_fault(shape["type"] if typed else "rectangle", len(points)) is None
        assert all(type(number) in (int, float) for number in points)


def test_every_recorded_request_is_answered_as_cvat_accepts(
    squares: Callable[..., Any], frame: Callable[..., str], exchanges: list[dict[str, Any]]
) -> None:
    number = 0
    for vector in exchanges:
        annotations = vector["function"]["metadata"]["annotations"]
        types = annotations.get("supported_shape_types", "rectangle").replace(" ", "")
        typed = "supported_shape_types" in annotations
        worker = squares(types=types, options={"name": vector["function"]["metadata"]["name"]})
        request = vector["request"]
        size = tuple(request["image"]["$image"]["size"])
        image = frame({200: (10, 20, 30)}, size)
        # Recorded states are those of the recorded function; ours stand in for them, one for one.
        states: list[Any] = []
        for state in request["states"]:
            shape: Any = {"type": types.split(",")[0], "points": [10, 20, 40, 50]} if typed else [10, 20, 40, 50]
            _, body = worker.post({"image": image, "shapes": [shape], "states": []})
            states.append(None if state is None else body["states"][0])
        sent = {"image": image, "shapes": _whole_masks(request["shapes"]), "states": states}
        status, answer = worker.post(sent)
        assert status == 200, (vector["id"], answer)
        accepted(answer, sent, typed)
        number += 1
    assert number >= 80


def _whole_masks(shapes: list[Any]) -> list[Any]:
    """The recording's mask is six arbitrary numbers, which no mask has."""
    return [
        {**shape, "points": [0, 4, 10, 20, 11, 21]} if isinstance(shape, dict) and shape["type"] == "mask" else shape
        for shape in shapes
    ]


def test_recorded_raw_states_of_other_functions_are_refused(
    squares: Callable[..., Any], frame: Callable[..., str], exchanges: list[dict[str, Any]]
) -> None:
    random.seed(1)
    worker = squares()
    for vector in exchanges:
        states = [state for state in vector["request"]["states"] if state is not None]
        if states:
            status, body = worker.post({"image": frame({}), "shapes": [None] * len(states), "states": states})
            assert (status, body["error"]["field"][:7]) == (400, "states[")
