"""A track shows every followed shape within the tolerance, on every frame, and nothing where the object is lost."""

import math

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.track.shown import shown_by_cvat

from cvat_nuclio.cvat.interpolation import Placed
from cvat_nuclio.track.deviation import deviation
from cvat_nuclio.track.keyframes import LONGEST, Keyframe, Keyframes

PLACE = st.floats(0, 500, width=32)
NUMBERS = {"rectangle": 4, "ellipse": 4, "cuboid": 16, "points": 2}


@st.composite
def clips(draw: st.DrawFn) -> list[Placed | None]:
    """What a tracker found on each frame: still, gliding or jumping, and lost now and then."""
    shape_type = draw(st.sampled_from(["rectangle", "ellipse", "cuboid", "points", "polygon", "polyline"]))
    outline = shape_type in ("polygon", "polyline")
    places: list[Placed | None] = []
    shape: Placed | None = None
    for _ in range(draw(st.integers(1, 25))):
        move = draw(st.sampled_from(["still", "glide", "glide", "new", "lost"]))
        if shape is None or move == "new":
            count = draw(st.integers(3, 7)) * 2 if outline or draw(st.booleans()) else 2
            count = NUMBERS[shape_type] if shape_type in NUMBERS and shape_type != "points" else count
            turn = draw(st.integers(0, 359)) if shape_type in ("rectangle", "ellipse") else 0
            shape = Placed(shape_type, tuple(draw(st.lists(PLACE, min_size=count, max_size=count))), turn)
        elif move == "glide":
            way = draw(st.floats(-6, 6))
            turned = (shape.rotation + draw(st.integers(-9, 9))) % 360 if shape_type in ("rectangle", "ellipse") else 0
            shape = Placed(shape_type, tuple(value + way for value in shape.points), turned)
        places.append(None if move == "lost" else shape)
    return places


def chosen(places: list[Placed | None], frames: list[int], tolerance: float, *, backward: bool) -> list[Keyframe]:
    """The keyframes of a clip; the frame after it, where the object is no longer followed, comes first or last."""
    walk = [*zip(frames, places, strict=True), (frames[-1] + 1, None)]
    keyframes = Keyframes(tolerance, backward)
    found = [one for frame, place in (walk[::-1] if backward else walk) for one in keyframes.add(frame, place)]
    return found + list(keyframes.end())


@settings(max_examples=100, deadline=None)
@given(
    clips(),
    st.sampled_from([0.0, 0.5, 3.0]),
    st.booleans(),
    st.lists(st.integers(1, 3), min_size=25, max_size=25),
)
# Half a turn between two frames that are followed, and deleted ones between them.
@example([Placed("rectangle", (0, 0, 9, 9), turn) for turn in (62, 242)], 0.0, False, [2] * 25)
def test_every_frame_is_shown_within_the_tolerance(
    places: list[Placed | None], tolerance: float, backward: bool, steps: list[int]
) -> None:
    frames = [sum(steps[:number]) for number in range(len(places))]  # gaps: deleted frames
    shown = shown_by_cvat(chosen(places, frames, tolerance, backward=backward), frames[-1] + 10)
    for frame, place in zip(frames, places, strict=True):
        if place is None:
            assert frame not in shown
        else:
            assert deviation([shown[frame]], [place]) <= tolerance + 1e-9
    assert all(frame <= frames[-1] for frame in shown)


def box(x: float) -> Placed:
    return Placed("rectangle", (x, 10.0, x + 20, 40.0))


def test_even_motion_needs_its_ends_alone() -> None:
    found = chosen([box(3.0 * frame) for frame in range(60)], list(range(60)), 0.1, backward=False)
    assert [(one.frame, one.outside) for one in found] == [(0, False), (59, False), (60, True)]


def test_a_turn_in_the_way_is_one_keyframe_more() -> None:
    places: list[Placed | None] = [box(30.0 - abs(frame - 30)) for frame in range(60)]
    found = chosen(places, list(range(60)), 0.5, backward=False)
    assert [one.frame for one in found if not one.outside] == [0, 30, 59]


@pytest.mark.parametrize("backward", [False, True])
def test_a_lost_object_is_outside_until_it_is_found(backward: bool) -> None:
    places: list[Placed | None] = [box(1), box(2), None, None, box(5), box(6)]
    found = chosen(places, list(range(6)), 1, backward=backward)
    assert sorted((one.frame, one.outside) for one in found) == [
        (0, False), (1, False), (2, True), (4, False), (5, False), (6, True),
    ]  # fmt: skip


def test_a_clip_of_any_length_holds_few_shapes() -> None:
    keyframes = Keyframes(1.0)
    settled = 0
    for frame in range(10 * LONGEST):
        settled += len(list(keyframes.add(frame, box(7))))
        assert len(keyframes._since) <= LONGEST
    assert settled >= 9


def test_masks_and_half_turns_are_not_interpolated() -> None:
    masks: list[Placed | None] = [Placed("mask", (0.0, 4.0, 0.0, 0.0, 1.0, 1.0))] * 3
    assert [one.frame for one in chosen(masks, [0, 1, 2], 9, backward=False)][:3] == [0, 1, 2]
    turned: list[Placed | None] = [Placed("rectangle", (0, 0, 9, 9), turn) for turn in (0, 90, 180)]
    assert [one.frame for one in chosen(turned, [0, 1, 2], math.inf, backward=False)][:3] == [0, 1, 2]


def test_deviation_is_in_pixels_of_the_corners() -> None:
    assert deviation([box(0)], [box(3)]) == 3
    square, turned = Placed("rectangle", (0, 0, 10, 10)), Placed("rectangle", (0, 0, 10, 10), 90)
    assert deviation([square], [turned]) == pytest.approx(10)
    flat, spike = Placed("polygon", (0, 0, 10, 0, 10, 10)), Placed("polygon", (0, 0, 5, 0, 10, 0, 10, 10))
    assert deviation([flat], [spike]) == 0
    ellipse, upright = Placed("ellipse", (50, 40, 70, 30)), Placed("ellipse", (50, 40, 70, 30), 90)
    assert deviation([ellipse], [upright]) == pytest.approx(20 * math.sqrt(2))
    assert deviation([Placed("points", (0, 0))], [Placed("points", (0, 0, 1, 1))]) == math.inf
