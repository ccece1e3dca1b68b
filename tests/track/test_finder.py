"""What a detector finds, set against what is followed; and answers of a ReID function that fit nothing."""

from types import SimpleNamespace
from typing import Any

import pytest

from cvat_nuclio.errors import UserError
from cvat_nuclio.track.finder import ReID, overlapping
from cvat_nuclio.track.subjects import Followed


def box(x: float, y: float = 0, side: float = 10, label: int = 1) -> Followed:
    return Followed.of({"label_id": label, "type": "rectangle", "points": [x, y, x + side, y + side]}, 0)


def test_the_most_overlap_in_sum() -> None:
    """The first known box has most in common with the first found one, and leaves it to the second."""
    known, found = [box(0), box(3)], [box(1), box(-4)]
    assert overlapping(known, found) == [(0, 1), (1, 0)]


def test_boxes_that_share_too_little_are_two_objects() -> None:
    assert overlapping([box(0)], [box(5.3)]) == [(0, 0)]  # 47 of 153
    assert overlapping([box(0)], [box(5.5)]) == []  # 45 of 155


def test_other_labels_are_other_objects() -> None:
    assert overlapping([box(0, label=1)], [box(0, label=2)]) == []


def test_nothing_known_and_nothing_found() -> None:
    assert overlapping([], [box(0)]) == overlapping([box(0)], []) == []


def test_boxes_without_area() -> None:
    assert overlapping([box(0, side=0)], [box(0, side=0)]) == []


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ({"type": "mask", "points": [0, 6, 4, 5, 6, 6]}, (4, 5, 7, 7)),
        ({"type": "ellipse", "points": [50, 40, 70, 30]}, (30, 30, 70, 50)),
        ({"type": "polygon", "points": [1, 8, 5, 2, 9, 9]}, (1, 2, 9, 9)),
    ],
)
def test_the_box_around_a_shape(shape: dict[str, Any], expected: tuple[float, ...]) -> None:
    assert Followed.of({"label_id": 1, **shape}, 0).box == expected


def test_the_box_around_a_skeleton_is_that_of_what_is_seen() -> None:
    elements = [
        {"label_id": number, "type": "points", "points": points, "outside": outside}
        for number, points, outside in [(2, [3, 4], False), (3, [9, 1], False), (4, [90, 90], True)]
    ]
    skeleton = {"label_id": 1, "type": "skeleton", "points": [], "elements": elements}
    assert Followed.of(skeleton, 0).box == (3, 1, 9, 4)


@pytest.mark.parametrize("answer", [None, [0], [0, 0], [0, 2], [-2, 0], [0.0, 1], [True, 0], {"0": 1}])
def test_answers_that_are_no_matching(answer: Any) -> None:
    function = SimpleNamespace(listed=SimpleNamespace(id="f"), ask=lambda pictures, body: answer)
    with pytest.raises(UserError, match="does not fit the request"):
        ReID(function).same((0, b""), (1, b""), [box(0), box(30)], [box(1), box(31)])  # type: ignore[arg-type]


def test_a_matching() -> None:
    asked: list[Any] = []

    def ask(pictures: Any, body: Any) -> list[int]:
        asked.append((pictures, body))
        return [1, -1]

    function = SimpleNamespace(listed=SimpleNamespace(id="f"), ask=ask)
    pairs = ReID(function, 70).same((4, b"a"), (9, b"b"), [box(0), box(30)], [box(1), box(31)])  # type: ignore[arg-type]
    assert pairs == [(0, 1)]
    ((pictures, body),) = asked
    assert pictures == {4: b"a", 9: b"b"}
    assert (body["frame0"], body["frame1"], body["max_distance"]) == (4, 9, 70)
    assert [each["points"] for each in body["boxes1"]] == [[1, 0, 11, 10], [31, 0, 41, 10]]
