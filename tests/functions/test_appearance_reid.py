"""The ReID function on objects of `bikes.mp4`, whose boxes were read off its frames by eye."""

from collections.abc import Callable
from typing import Any

import numpy as np
import PIL.Image
import pytest
from scipy.optimize import linear_sum_assignment

NAME = "appearance_reid"

# The same things in three frames of one shot; a van hides most of them between 76 and 106.
STREET = {
    76: {
        "man": (408, 53, 494, 173),
        "window": (65, 106, 302, 268),
        "sign": (258, 88, 320, 138),
        "poster": (375, 60, 412, 125),
        "passer-by": (478, 95, 512, 155),
    },
    106: {
        "man": (378, 23, 463, 137),
        "window": (37, 72, 274, 234),
        "sign": (232, 60, 293, 105),
        "poster": (330, 20, 372, 90),
        "passer-by": (450, 60, 480, 120),
        "motorcycle": (530, 150, 640, 272),
    },
    136: {
        "man": (385, 0, 472, 117),
        "window": (44, 50, 281, 212),
        "sign": (240, 35, 300, 80),
        "poster": (345, 0, 385, 70),
        "passer-by": (455, 40, 488, 105),
        "motorcycle": (535, 125, 640, 272),
    },
}
# Three cars; the first drives away and becomes two thirds of its size.
CARS = {
    161: {"dark": (305, 96, 393, 172), "parked": (515, 103, 615, 170), "white": (0, 100, 165, 180)},
    165: {"dark": (326, 96, 412, 170), "parked": (513, 103, 610, 170), "white": (40, 100, 155, 175)},
    181: {"dark": (400, 102, 463, 157), "parked": (515, 98, 610, 165)},
}


@pytest.fixture(scope="module")
def reid(function: Callable[..., Any]) -> Any:
    return function(NAME)


@pytest.fixture(scope="module")
def distances(reid: Any, bikes: list[PIL.Image.Image]) -> Any:
    """Cosine distances, (objects of the first frame, objects of the second), as the runtime measures them."""

    def measure(things: Any, first: Any, second: Any) -> Any:
        rows = [reid.embed(None, bikes[n], list(things[n].values())).astype(float) for n in (first, second)]
        a, b = (r / np.linalg.norm(r, axis=1, keepdims=True) for r in rows)
        return 1 - a @ b.T

    return measure


@pytest.mark.parametrize(
    ("things", "first", "second"), [(STREET, 106, 136), (STREET, 76, 106), (CARS, 161, 165), (CARS, 165, 181)]
)
def test_each_thing_is_matched_with_itself(distances: Any, things: Any, first: Any, second: Any) -> None:
    cost = distances(things, first, second)
    names = [list(things[n]) for n in (first, second)]
    matched = {names[0][i]: names[1][j] for i, j in zip(*linear_sum_assignment(cost), strict=True) if cost[i, j] <= 0.5}
    assert matched == {name: name for name in names[0] if name in names[1]}


def test_the_same_thing_is_nearer_than_cvats_threshold_and_others_are_not(distances: Any) -> None:
    cost = distances(STREET, 106, 136)
    assert np.diag(cost).max() < 0.4
    assert cost[~np.eye(len(cost), dtype=bool)].min() > 0.45


def test_the_same_box_on_the_same_frame_is_at_no_distance(distances: Any) -> None:
    assert np.diag(distances(STREET, 106, 106)) == pytest.approx(0, abs=1e-6)


def test_rows_are_as_long_as_the_spec_says(function: Callable[..., Any], bikes: list[PIL.Image.Image]) -> None:
    for bands in (1, 6):
        reid = function(NAME, bands=bands)
        rows = reid.embed(None, bikes[76], [(0, 0, 640, 272), (0.2, 0.2, 0.4, 0.4), (639, 271, 640, 272)])
        assert rows.shape == (3, reid.spec.embedding_size)
        assert np.isfinite(rows).all()


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "I;16"])
def test_reads_images_of_any_mode(reid: Any, bikes: list[PIL.Image.Image], mode: Any) -> None:
    frames = [bikes[106], bikes[136]]
    if mode == "I;16":
        frames = [PIL.Image.fromarray(np.asarray(f.convert("L")).astype(np.uint16) * 257) for f in frames]
    else:
        frames = [frame.convert(mode) for frame in frames]
    rows = [
        reid.embed(None, frame, list(STREET[n].values())).astype(float)
        for frame, n in zip(frames, (106, 136), strict=True)
    ]
    a, b = (r / np.linalg.norm(r, axis=1, keepdims=True) for r in rows)
    assert (linear_sum_assignment(1 - a @ b.T)[1] == range(len(a))).all()


def test_a_frame_of_one_colour_gives_rows_that_match_nothing(reid: Any) -> None:
    rows = reid.embed(None, PIL.Image.new("RGB", (64, 48), "red"), [(0, 0, 30, 30), (10, 10, 64, 48)])
    assert np.abs(rows).max() == pytest.approx(0, abs=1e-6)
