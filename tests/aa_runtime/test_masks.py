import json

import cv2
import numpy as np
import pytest
from cvat_sdk.masks import decode_mask, encode_mask
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from aa_runtime import masks
from aa_runtime.errors import FunctionError
from aa_runtime.geometry import Dropped
from aa_runtime.masks import Mask

bitmaps = hnp.arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12)))


def server_rle(mask: list[int]) -> list[int]:
    """What CVAT's server stores of a detector's `mask` (datumaro's `mask_to_rle`, then the box)."""
    flat = np.array(mask[:-4])
    (edges,) = np.diff(flat, prepend=[not flat[0]], append=[not flat[-1]]).nonzero()
    runs = np.diff(edges, prepend=[0]) if flat[0] else np.diff(edges)
    return runs.tolist() + mask[-4:]


@given(bitmaps)
def test_what_cvat_stores_is_what_the_function_encoded(bitmap: np.ndarray) -> None:
    assume(bitmap.any())
    size = bitmap.shape[::-1]
    points = encode_mask(bitmap)
    sent = json.loads(masks.crop_json(masks.decode(points, size)))
    assert all(type(value) is int for value in sent)
    assert server_rle(sent) == points
    assert len(sent) - 4 == (points[-2] - points[-4] + 1) * (points[-1] - points[-3] + 1)


@given(bitmaps)
def test_encode_is_cvat_sdks_encoding(bitmap: np.ndarray) -> None:
    assume(bitmap.any())
    height, width = bitmap.shape
    whole = encode_mask(bitmap, [0, 0, width, height])
    assert masks.encode(Mask(bitmap.astype(np.uint8), 0, 0)) == whole
    assert masks.encode(masks.decode(whole, (width, height))) == whole


@given(bitmaps, st.integers(-15, 15), st.integers(-15, 15), st.integers(1, 12), st.integers(1, 12))
def test_crops_to_the_image(bitmap: np.ndarray, left: int, top: int, width: int, height: int) -> None:
    rows, columns = bitmap.shape
    runs = encode_mask(bitmap, [0, 0, columns, rows])[:-4]
    points = [*runs, left, top, left + columns - 1, top + rows - 1]
    canvas = np.zeros((60, 60), bool)
    canvas[top + 20 : top + 20 + rows, left + 20 : left + 20 + columns] = bitmap
    expected = canvas[20 : 20 + height, 20 : 20 + width]
    try:
        mask = masks.decode(points, (width, height))
    except Dropped:
        assert not expected.any()
        return
    full = decode_mask(masks.encode(mask), image_width=width, image_height=height)
    assert (full == expected).all()


@given(bitmaps)
def test_writes_rows(bitmap: np.ndarray) -> None:
    assert json.loads(masks.rows_json(bitmap.astype(np.uint8))) == bitmap.astype(int).tolist()


@given(bitmaps, st.integers(0, 50), st.integers(0, 50))
def test_an_outline_is_a_polygon_inside_the_box_or_nothing(bitmap: np.ndarray, left: int, top: int) -> None:
    mask = Mask(bitmap.astype(np.uint8), left, top)
    ring = masks.outline(mask)
    if ring:
        assert len(ring) >= 6
        assert len(ring) % 2 == 0
        assert all(type(value) is int for value in ring)
        x1, y1, x2, y2 = mask.box
        assert all(x1 <= x <= x2 for x in ring[::2])
        assert all(y1 <= y <= y2 for y in ring[1::2])
        assert cv2.contourArea(np.array(ring, np.int32).reshape(-1, 2)) > 0


def test_outlines_the_largest_part_in_image_pixels() -> None:
    pixels = np.zeros((20, 30), np.uint8)
    pixels[1:3, 1:3] = 1
    pixels[5:15, 10:25] = 1
    pixels[8:10, 12:14] = 0  # a hole
    ring = masks.outline(Mask(pixels, 100, 200))
    assert sorted(zip(ring[::2], ring[1::2], strict=True)) == [(110, 205), (110, 214), (124, 205), (124, 214)]


def test_four_pixels_have_an_outline() -> None:
    ring = masks.outline(Mask(np.ones((2, 2), np.uint8), 3, 4))
    assert sorted(zip(ring[::2], ring[1::2], strict=True)) == [(3, 4), (3, 5), (4, 4), (4, 5)]


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (1, 2)])
def test_a_line_has_no_outline(shape: tuple[int, int]) -> None:
    assert masks.outline(Mask(np.ones(shape, np.uint8), 0, 0)) == []


def test_fill_covers_what_the_polygon_covers() -> None:
    filled = masks.fill([2, 3, 7, 3, 7, 5, 2, 5], (10, 8))
    assert filled.pixels[3:5, 2:7].all()
    assert not filled.pixels[:2].any()
    assert filled.pixels.max() == 1
    assert filled.pixels.dtype == np.uint8
    assert filled.box == (0, 0, 9, 7)


@pytest.mark.parametrize("ring", [[2.3, 3.3, 7.7, 3.3, 7.7, 4.7, 2.3, 4.7], [1.2, 1.3, 8.9, 2.2, 4.6, 6.8]])
def test_fill_treats_all_sides_alike(ring: list[float]) -> None:
    pixels = masks.fill(ring, (10, 8)).pixels
    across = masks.fill([10 - value if i % 2 == 0 else value for i, value in enumerate(ring)], (10, 8)).pixels
    down = masks.fill([value if i % 2 == 0 else 8 - value for i, value in enumerate(ring)], (10, 8)).pixels
    assert np.array_equal(pixels[:, ::-1], across)
    assert np.array_equal(pixels[::-1], down)


def test_puts_masks_together() -> None:
    one = np.ones((2, 2), np.uint8)
    whole = masks.full_size([Mask(one, 0, 0), Mask(one, 1, 1)], (4, 3))
    assert whole.tolist() == [[1, 1, 0, 0], [1, 1, 1, 0], [0, 1, 1, 0]]


def test_what_a_mask_leaves_out_does_not_erase_another() -> None:
    left, right = np.array([[1, 1, 0]], np.uint8), np.array([[0, 0, 1]], np.uint8)
    assert masks.full_size([Mask(left, 0, 0), Mask(right, 0, 0)], (3, 1)).tolist() == [[1, 1, 1]]


def test_runs_may_be_empty() -> None:
    assert masks.decode([1, 0, 1, 2, 0, 0, 1, 1], (2, 2)).pixels.tolist() == [[0, 0], [1, 1]]


BOX, BITMAP = "invalid encoded bounding box", "whose encoded bitmap does not match its bounding box"
FEW, PART = "too few elements in its points", "a non-integer value"


@pytest.mark.parametrize(
    ("points", "words"),
    [
        ([], f"with {FEW}"),
        ([1, 2, 3, 4], f"with {FEW}"),
        ([4, 0, 0, 1], f"with {FEW}"),
        ([[1, 2, 3], [4, 5, 6]], f"with {FEW}"),
        ([5, 0, 0, 1, 1], BITMAP),
        ([2, 1, 0, 0, 1, 1], BITMAP),
        ([-1, 5, 0, 0, 1, 1], BITMAP),
        ([5, -1, 0, 0, 1, 1], BITMAP),
        ([1.5, 2.5, 0, 0, 1, 1], f"with {PART}"),
        ([float("nan"), 3, 0, 0, 1, 1], f"with {PART}"),
        ([float("inf"), 3, 0, 0, 1, 1], f"with {PART}"),
        ([float(2**53), 3, 0, 0, 1, 1], f"with {PART}"),
        (["0", "4", "0", "0", "1", "1"], f"with {PART}"),
        ([0, 4, 1, 1, 0, 0], f"with {BOX}"),
        ([0, 1, 5, 0, 4, 0], f"with {BOX}"),
        ([0, 1, 0, 5, 0, 4], f"with {BOX}"),
        ([0, 4, 0.5, 0, 1.5, 1], f"with {PART}"),
        ([0, 2**70, 0, 0, 1, 1], f"with {PART}"),
        ([0, 2**62, 2**62, 2**62, 2**62, 4, 0, 0, 1, 1], BITMAP),
        ([0, 2**40, 0, 0, 2**20 - 1, 2**20 - 1], f"with {BOX}"),
    ],
)
def test_refuses_what_cvat_sdk_refuses(points: list[float], words: str) -> None:
    with pytest.raises(FunctionError) as refusal:
        masks.decode(points, (100, 80))
    assert str(refusal.value) == f"function output mask {words}"


def test_one_pixel_is_a_mask() -> None:
    mask = masks.decode([0, 1, 99, 79, 99, 79], (100, 80))
    assert mask.box == (99, 79, 99, 79)
    assert masks.crop_json(mask) == "[1,99,79,99,79]"
    assert masks.encode(mask) == [0, 1, 99, 79, 99, 79]


def test_a_box_of_a_gibibyte_is_the_largest(monkeypatch: pytest.MonkeyPatch) -> None:
    assert masks.MAX_BOX_PIXELS == 2**30
    monkeypatch.setattr(masks, "MAX_BOX_PIXELS", 12)
    assert masks.decode([0, 12, 0, 0, 3, 2], (100, 80)).box == (0, 0, 3, 2)
    with pytest.raises(FunctionError, match=BOX):
        masks.decode([0, 13, 0, 0, 12, 0], (100, 80))


@pytest.mark.parametrize("box", [(-3, 5, -1, 6), (100, 5, 101, 6), (5, -2, 6, -1), (5, 80, 6, 81)])
def test_drops_a_mask_beside_the_image(box: tuple[int, int, int, int]) -> None:
    x1, y1, x2, y2 = box
    with pytest.raises(Dropped, match="outside the image"):
        masks.decode([0, (x2 - x1 + 1) * (y2 - y1 + 1), *box], (100, 80))


def test_drops_a_mask_that_is_empty_in_the_image() -> None:
    with pytest.raises(Dropped, match="outside the image"):
        masks.decode([0, 1, 1, -1, 0, 0, 0], (100, 80))


def test_drops_an_empty_mask() -> None:
    with pytest.raises(Dropped, match="without extent"):
        masks.decode(encode_mask(np.zeros((4, 4), bool)), (4, 4))


def test_takes_whole_floats() -> None:
    assert masks.decode([0.0, 4.0, 3.0, 4.0, 4.0, 5.0], (100, 80)).box == (3, 4, 4, 5)


def test_writes_no_more_than_json_does() -> None:
    pixels = np.random.default_rng(0).integers(0, 2, (50, 70), np.uint8)
    plain = json.dumps([*pixels.ravel().tolist(), 0, 0, 69, 49])
    assert len(masks.crop_json(Mask(pixels, 0, 0))) <= len(plain)
