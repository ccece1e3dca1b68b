import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from aa_runtime import contract, geometry
from aa_runtime.errors import FunctionError
from aa_runtime.geometry import Dropped, repair

SIZE = (100, 80)
number = st.floats(-500, 600, allow_nan=False, width=32)
anything = st.floats(allow_nan=False, allow_infinity=False)
FIXED = {"rectangle": 4, "ellipse": 4, "cuboid": 16}


def flat(count: int, of: st.SearchStrategy[float] = number) -> st.SearchStrategy[list[float]]:
    return st.lists(of, min_size=count, max_size=count)


def test_keeps_a_rectangle_inside_the_image() -> None:
    assert repair("rectangle", [10, 20, 50, 60], 0, SIZE) == ([10, 20, 50, 60], 0)


def test_orders_corners() -> None:
    assert repair("rectangle", [50, 60, 10, 20], 0, SIZE) == ([10, 20, 50, 60], 0)


def test_clips_a_rectangle() -> None:
    assert repair("rectangle", [-10, -20, 500, 60], 0, SIZE) == ([0, 0, 100, 60], 0)


@pytest.mark.parametrize(
    ("box", "why"),
    [
        ([10, 20, 10, 60], geometry.NO_EXTENT),
        ([10, 60, 40, 60], geometry.NO_EXTENT),
        ([-50, 10, -10, 20], geometry.OUTSIDE),
        ([120, 10, 140, 20], geometry.OUTSIDE),
        ([10, -50, 20, -10], geometry.OUTSIDE),
        ([10, 90, 20, 110], geometry.OUTSIDE),
        ([10, math.nan, 40, 60], geometry.NOT_FINITE),
        ([10, 20, math.inf, 60], geometry.NOT_FINITE),
    ],
)
@pytest.mark.parametrize("rotation", [0, 30, 90])
def test_drops_rectangles_of_which_nothing_is_left(box: list[float], why: str, rotation: float) -> None:
    with pytest.raises(Dropped, match=why):
        repair("rectangle", box, rotation, SIZE)


@pytest.mark.parametrize("box", [[-5, 10, 1e-6, 20], [10, -5, 20, 1e-6]])
def test_drops_a_rectangle_that_reaches_the_image_by_nothing(box: list[float]) -> None:
    with pytest.raises(Dropped, match=geometry.OUTSIDE):
        repair("rectangle", box, 0, SIZE)


@pytest.mark.parametrize(
    ("given_", "expected"), [(-10, 350), (370, 10), (360, 0), (-1e-20, 0), (720.5, 0.5), (359.5, 359.5)]
)
def test_turns_rotation_into_what_cvat_accepts(given_: float, expected: float) -> None:
    assert repair("rectangle", [30, 30, 60, 50], given_, SIZE)[1] == pytest.approx(expected)


def test_leaves_a_rotated_box_whose_corner_sticks_out() -> None:
    box = [40.0, -4.0, 80.0, 36.0]
    assert repair("rectangle", box, 45, SIZE)[0] == pytest.approx(box)


@pytest.mark.parametrize("quarter", [90, 180, 270])
def test_clips_quarter_turns_exactly(quarter: float) -> None:
    box, _ = repair("rectangle", [-30.0, 10.0, 50.0, 30.0], quarter, SIZE)
    outline = geometry.corners(box, quarter)
    x1, y1, x2, y2 = geometry.bounding_box([v for corner in outline for v in corner])
    whole = geometry.corners([-30.0, 10.0, 50.0, 30.0], quarter)
    wx1, wy1, wx2, wy2 = geometry.bounding_box([v for corner in whole for v in corner])
    assert (x1, y1, x2, y2) == pytest.approx((max(wx1, 0), max(wy1, 0), min(wx2, 100), min(wy2, 80)))


@pytest.mark.parametrize(("turn", "same"), [(-90, 270), (450, 90), (-180, 180), (720, 0), (-30, 330), (390, 30)])
def test_corners_take_any_number_of_turns(turn: float, same: float) -> None:
    box = [10.0, 20.0, 40.0, 30.0]
    assert np.allclose(geometry.corners(box, turn), geometry.corners(box, same))


def test_corners_turn_clockwise_from_the_top_left() -> None:
    assert geometry.corners([10.0, 20.0, 40.0, 30.0], 90) == [(30, 10), (30, 40), (20, 40), (20, 10)]


GRID = np.stack(np.meshgrid(np.linspace(0.5, 99.5, 60), np.linspace(0.5, 79.5, 50)), -1).reshape(-1, 2)


def distances(ring: list[tuple[float, float]]) -> np.ndarray:
    """How far inside a convex ring each point of the image's GRID lies; negative outside."""
    start = np.array(ring)
    along = np.roll(start, -1, axis=0) - start
    normal = np.stack([-along[:, 1], along[:, 0]], -1) / np.maximum(np.linalg.norm(along, axis=1), 1e-9)[:, None]
    signed = ((GRID[:, None] - start[None]) * normal[None]).sum(-1)
    area = np.sum(start[:, 0] * np.roll(start[:, 1], -1) - start[:, 1] * np.roll(start[:, 0], -1))
    return np.min(signed * np.sign(area), axis=1)


@given(flat(4, st.floats(-150, 250, width=32)), st.floats(0, 360))
def test_a_shrunk_box_keeps_its_part_of_the_image(box: list[float], rotation: float) -> None:
    (x1, x2), (y1, y2) = sorted(box[::2]), sorted(box[1::2])
    assume(x2 - x1 > 1 and y2 - y1 > 1)
    before = distances(geometry.corners([x1, y1, x2, y2], rotation))
    try:
        kept, turned = repair("rectangle", box, rotation, SIZE)
    except Dropped:
        assert (before <= 1e-3).all()
        return
    after = distances(geometry.corners(kept, turned))
    assert (after[before > 1e-3] > 0).all()
    assert (before[after > 1e-3] > 0).all()
    assert math.hypot(kept[2] - kept[0], kept[3] - kept[1]) <= 2 * math.hypot(*SIZE)


@given(st.lists(st.tuples(number, number), min_size=3, max_size=3))
def test_a_cut_triangle_covers_the_same_pixels(corners: list[tuple[float, float]]) -> None:
    before = distances(corners)
    try:
        kept, _ = repair("polygon", [value for corner in corners for value in corner], 0, SIZE)
    except Dropped:
        assert (before <= 1e-3).all()
        return
    after = distances(list(zip(kept[::2], kept[1::2], strict=True)))
    assert (after[before > 1e-2] > 0).all()
    assert (before[after > 1e-2] > 0).all()


@given(st.sampled_from(["rectangle", "polygon", "polyline", "points", "ellipse", "cuboid"]), st.data())
def test_whatever_is_kept_is_what_cvat_accepts(shape_type: str, data: st.DataObject) -> None:
    count = FIXED.get(shape_type) or 2 * data.draw(st.integers(1, 8))
    points = data.draw(flat(count, st.one_of(number, anything)))
    rotation = data.draw(anything)
    try:
        kept, turned = repair(shape_type, points, rotation, SIZE)
    except Dropped:
        return
    assert 0 <= turned < 360
    assert all(isinstance(value, float) and math.isfinite(value) for value in kept)
    if shape_type in FIXED:
        assert len(kept) == FIXED[shape_type]
    if shape_type not in ("ellipse", "cuboid") and not turned:
        assert all(0 <= value <= SIZE[i % 2] for i, value in enumerate(kept))
    if shape_type == "polygon":
        assert len(kept) >= 6
    if shape_type == "polyline":
        assert len(kept) >= 4
    again, turned_again = repair(shape_type, kept, turned, SIZE)
    assert again == pytest.approx(kept, abs=1e-4)
    assert turned_again == turned


def test_cuts_a_polygon_where_it_crosses_the_border() -> None:
    kept, _ = repair("polygon", [-10, 40, 10, 20, 10, 60], 0, SIZE)
    assert sorted(zip(kept[::2], kept[1::2], strict=True)) == [(0, 30), (0, 50), (10, 20), (10, 60)]


@pytest.mark.parametrize(
    ("points", "why"),
    [
        ([10, 10, 20, 20], geometry.NO_EXTENT),
        ([10, 10, 10, 10, 10, 10], geometry.NO_EXTENT),
        ([10, 10, 20, 20, 30, 30, 15, 15], geometry.NO_EXTENT),
        ([-10, 5, -20, 5, -20, 50], geometry.OUTSIDE),
        ([-10, 5, 0, 5, -5, 50], geometry.OUTSIDE),
    ],
)
def test_drops_polygons_without_area_in_the_image(points: list[float], why: str) -> None:
    with pytest.raises(Dropped, match=why):
        repair("polygon", points, 0, SIZE)


def test_removes_repeated_vertices() -> None:
    assert repair("polygon", [10, 10, 10, 10, 50, 10, 50, 50, 10, 10], 0, SIZE)[0] == [10, 10, 50, 10, 50, 50]


def test_cuts_both_ends_of_a_polyline() -> None:
    assert repair("polyline", [-10, 10, 50, 10, 110, 10], 0, SIZE)[0] == [0, 10, 50, 10, 100, 10]


def test_does_not_close_a_polyline() -> None:
    assert repair("polyline", [10, 10, 50, 10, 50, 100], 0, SIZE)[0] == [10, 10, 50, 10, 50, 80]


@pytest.mark.parametrize(
    ("shape_type", "least"), [(name, least) for name, least in contract.LEAST_NUMBERS.items() if name != "mask"]
)
def test_too_few_points_are_dropped_alike_from_none_on(shape_type: str, least: int) -> None:
    for count in range(0, least, 2):
        with pytest.raises(Dropped, match=geometry.NO_EXTENT):
            repair(shape_type, [5.0] * count, 0, SIZE)
    for count in range(1, least, 2):
        with pytest.raises(FunctionError, match="wrong points"):
            repair(shape_type, [5.0] * count, 0, SIZE)


def test_a_polyline_may_end_where_it_began() -> None:
    around = [10, 10, 50, 10, 50, 50, 10, 10]
    assert repair("polyline", around, 0, SIZE)[0] == around


@pytest.mark.parametrize(
    ("points", "why"),
    [
        ([10, 10, 10, 10], geometry.NO_EXTENT),
        ([10, 10], geometry.NO_EXTENT),
        ([-5, 5, -5, 20], geometry.OUTSIDE),
        ([-5, 5, 0, 5], geometry.OUTSIDE),
    ],
)
def test_drops_polylines_without_length_in_the_image(points: list[float], why: str) -> None:
    with pytest.raises(Dropped, match=why):
        repair("polyline", points, 0, SIZE)


def test_moves_single_points_to_the_border_unless_all_are_outside() -> None:
    assert repair("points", [10, 10, 120, -3], 0, SIZE)[0] == [10, 10, 100, 0]
    with pytest.raises(Dropped, match="outside"):
        repair("points", [-10, 10, 120, -3], 0, SIZE)


@pytest.mark.parametrize("point", [[0, 0], [100, 80], [0.5, 0.5], [90, 10]])
def test_a_point_on_the_border_is_inside(point: list[float]) -> None:
    assert repair("points", point, 0, SIZE)[0] == point


@pytest.mark.parametrize("point", [[-0.1, 10], [100.1, 10], [10, -0.1], [10, 80.1], [110, 90]])
def test_a_point_beyond_the_border_is_outside(point: list[float]) -> None:
    with pytest.raises(Dropped, match="outside"):
        repair("points", point, 0, SIZE)


@pytest.mark.parametrize(
    ("shape_type", "points"),
    [
        ("rectangle", [0, 10, 1, 20]),
        ("rectangle", [10, 0, 20, 1]),
        ("ellipse", [0, 10, 1, 0]),
        ("ellipse", [10, 0, 20, 1]),
        ("cuboid", [0, 10, 0, 50, 1, 10, 1, 50, 1, 5, 1, 45, 0, 5, 0, 45]),
        ("cuboid", [10, 0, 50, 0, 10, 1, 50, 1, 5, 1, 45, 1, 5, 0, 45, 0]),
    ],
)
def test_a_millionth_of_a_pixel_is_no_extent(shape_type: str, points: list[float]) -> None:
    def thin(extent: float) -> list[float]:
        return [extent if value == 1 else value for value in points]

    for extent in (0.0, 1e-6):
        with pytest.raises(Dropped, match=geometry.NO_EXTENT):
            repair(shape_type, thin(extent), 0, SIZE)
    repair(shape_type, thin(2e-6), 0, SIZE)


def test_puts_an_ellipse_the_way_cvat_writes_it() -> None:
    assert repair("ellipse", [30, 40, 10, 50], 30, SIZE) == ([30, 40, 50, 30], 30)


@pytest.mark.parametrize(
    ("points", "why"),
    [
        ([30, 40, 30, 20], geometry.NO_EXTENT),
        ([30, 40, 50, 40], geometry.NO_EXTENT),
        ([-30, 40, -20, 30], geometry.OUTSIDE),
        ([50, 40, 1e30, 30], "^far larger than the image$"),
        ([50, 40, 5000, 30], "^far larger than the image$"),
    ],
)
def test_drops_ellipses_without_radius_outside_or_beyond_reason(points: list[float], why: str) -> None:
    with pytest.raises(Dropped, match=why):
        repair("ellipse", points, 0, SIZE)


def reach(rx: float, ry: float, rotation: float) -> tuple[float, float]:
    """How far an ellipse reaches right and down from its centre, measured on its outline."""
    around, turn = np.linspace(0, 2 * math.pi, 100_001), math.radians(rotation)
    x, y = rx * np.cos(around), ry * np.sin(around)
    return (x * math.cos(turn) - y * math.sin(turn)).max(), (x * math.sin(turn) + y * math.cos(turn)).max()


@pytest.mark.parametrize("rotation", [0, 30, 90, 160])
def test_an_ellipse_is_kept_where_any_of_it_lies_in_the_image(rotation: float) -> None:
    rx, ry = 40, 15
    right, down = reach(rx, ry, rotation)
    for cx, cy, step in [
        (-right, 40, (1, 0)),
        (100 + right, 40, (-1, 0)),
        (50, -down, (0, 1)),
        (50, 80 + down, (0, -1)),
    ]:
        inside = [cx + 0.01 * step[0], cy + 0.01 * step[1]]
        assert repair("ellipse", [*inside, inside[0] + rx, inside[1] - ry], rotation, SIZE)[0][:2] == inside
        outside = [cx - 0.01 * step[0], cy - 0.01 * step[1]]
        with pytest.raises(Dropped, match=geometry.OUTSIDE):
            repair("ellipse", [*outside, outside[0] + rx, outside[1] - ry], rotation, SIZE)


@pytest.mark.parametrize("rotation", [0, 30, 170])
def test_an_ellipse_may_reach_eight_image_sizes_beyond_the_image(rotation: float) -> None:
    most = 8 * 100
    wide, tall = reach(500, 10, rotation)[0], reach(10, 500, rotation)[1]
    for (rx, ry), cx, cy, step in [
        ((500, 10), wide - most, 40, (1, 0)),
        ((500, 10), 100 + most - wide, 40, (-1, 0)),
        ((10, 500), 50, tall - most, (0, 1)),
        ((10, 500), 50, 80 + most - tall, (0, -1)),
    ]:
        near = [cx + 0.01 * step[0], cy + 0.01 * step[1]]
        assert repair("ellipse", [*near, near[0] + rx, near[1] - ry], rotation, SIZE)[0][:2] == near
        far = [cx - 0.01 * step[0], cy - 0.01 * step[1]]
        with pytest.raises(Dropped, match="far larger"):
            repair("ellipse", [*far, far[0] + rx, far[1] - ry], rotation, SIZE)


def box(x1: float, y1: float, x2: float, y2: float) -> list[float]:
    """A cuboid that spans this box."""
    return [x1, y1, x1, y2, x2, y1, x2, y2, x2, y1, x2, y2, x1, y1, x1, y2]


def test_a_cuboid_that_touches_the_border_from_outside_is_outside() -> None:
    for bounds in ((-10, 30, 0, 40), (100, 30, 120, 40), (30, -10, 40, 0), (30, 80, 40, 90)):
        with pytest.raises(Dropped, match=geometry.OUTSIDE):
            repair("cuboid", box(*bounds), 0, SIZE)


def test_a_cuboid_may_reach_eight_image_sizes_beyond_the_image() -> None:
    everywhere = box(-800, -800, 900, 880)
    assert repair("cuboid", everywhere, 0, SIZE)[0] == everywhere
    for bounds in ((-801, 0, 10, 10), (0, -801, 10, 10), (0, 0, 901, 10), (0, 0, 10, 881)):
        with pytest.raises(Dropped, match="far larger"):
            repair("cuboid", box(*bounds), 0, SIZE)


def test_keeps_an_ellipse_whose_turned_end_reaches_the_image() -> None:
    points = [50.0, -30.0, 90.0, -31.0]
    with pytest.raises(Dropped):
        repair("ellipse", points, 0, SIZE)
    assert repair("ellipse", points, 90, SIZE) == (points, 90)


def test_keeps_a_cuboid_as_it_is() -> None:
    cuboid = [-10.0, 10, -10, 50, 40, 10, 40, 50, 50, 5, 50, 45, 60, 5, 60, 45]
    assert repair("cuboid", cuboid, 45, SIZE) == (cuboid, 0)


@pytest.mark.parametrize(
    ("cuboid", "why"),
    [
        ([5.0] * 16, geometry.NO_EXTENT),
        (box(30, 10, 30, 50), geometry.NO_EXTENT),
        (box(10, 30, 50, 30), geometry.NO_EXTENT),
        ([-10.0, -20] * 7 + [-5, -6], geometry.OUTSIDE),
        ([10.0, 20] * 7 + [1e6, 30], "far larger"),
    ],
)
def test_drops_cuboids_without_extent_outside_or_beyond_reason(cuboid: list[float], why: str) -> None:
    with pytest.raises(Dropped, match=why):
        repair("cuboid", cuboid, 0, SIZE)


@pytest.mark.parametrize(
    ("shape_type", "counts"),
    [
        ("rectangle", (0, 2, 5, 8)),
        ("ellipse", (0, 6)),
        ("cuboid", (0, 8)),
        ("polygon", (7,)),
        ("polyline", (5,)),
        ("points", (3,)),
    ],
)
def test_a_wrong_count_of_numbers_is_the_functions_fault(shape_type: str, counts: tuple[int, ...]) -> None:
    for count in counts:
        with pytest.raises(FunctionError, match=shape_type):
            repair(shape_type, [float(i) for i in range(count)], 0, SIZE)
