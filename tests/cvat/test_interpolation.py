"""Between keyframes: against what CVAT's own code gave, called with random tracks (2.73)."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.track.shown import shown_by_cvat

from cvat_nuclio.cvat.interpolation import Placed, between
from cvat_nuclio.track.keyframes import Keyframe


def recorded(repository: Path) -> list[dict[str, Any]]:
    lines = (repository / "tests/recordings/interpolation.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def placed(shape: dict[str, Any]) -> Placed:
    return Placed(shape["type"], tuple(shape["points"]), shape["rotation"])


def test_interpolated_as_cvat_does(repository: Path) -> None:
    tracks = recorded(repository)
    assert len(tracks) == 120
    for track in tracks:
        kept = [shape for shape in track["keyframes"] if shape["frame"] not in track["deleted"]]
        keyframes = [Keyframe(shape["frame"], placed(shape), shape["outside"]) for shape in kept]
        shown = shown_by_cvat(keyframes, track["end"])
        expected = {one["frame"]: one for one in track["shown"] if not one["outside"]}
        assert set(shown) - set(track["deleted"]) == set(expected)
        for frame, one in expected.items():
            assert shown[frame].points == pytest.approx(one["points"], abs=1e-4), (track, frame)
            assert shown[frame].rotation == pytest.approx(one["rotation"])


def test_half_a_turn_is_not_shown_alike_by_server_and_page() -> None:
    assert between(Placed("rectangle", (0, 0, 9, 9), 10), Placed("rectangle", (0, 0, 9, 9), 190), [0.5]) is None


def test_nothing_is_shown_between_masks() -> None:
    mask = Placed("mask", (0, 4, 0, 0, 1, 1))
    assert between(mask, mask, [0.5]) is None
