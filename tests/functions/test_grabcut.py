"""GrabCut on photographs, against regions read off them by eye."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import PIL.Image
import pytest
from cvat_sdk.masks import decode_mask

NAME = "grabcut"


def ellipse(image: Any, centre: Any, radii: Any) -> Any:
    bitmap = np.zeros(image.size[::-1], np.uint8)
    cv2.ellipse(bitmap, centre, radii, 0, 0, 360, 1, cv2.FILLED)
    return bitmap.astype(bool)


@pytest.fixture
def flower(photo: Callable[[str], PIL.Image.Image]) -> Any:
    """The picture, and the large flower in it."""
    image = photo("flower.jpg")
    return image, ellipse(image, (307, 222), (138, 137))


@pytest.fixture
def coffee(photo: Callable[[str], PIL.Image.Image]) -> Any:
    """The picture, and the cup on its saucer."""
    image = photo("coffee.png")
    return image, ellipse(image, (278, 215), (201, 173)) | ellipse(image, (291, 113), (118, 95))


@pytest.fixture(scope="module")
def cut(function: Callable[..., Any], helpers: Any) -> Any:
    """Calls the function as CVAT's agent does and returns the mask's bitmap."""
    grabcut = function(NAME)

    def detect(image: Any, **marks: Any) -> Any:
        shapes = grabcut.detect(None, grabcut.preprocess_image(None, image), helpers.prompts(**marks))
        if not shapes:
            return np.zeros(image.size[::-1], bool)
        assert [shape.type for shape in shapes] == ["mask"]
        return decode_mask(shapes[0].points, image_width=image.width, image_height=image.height)

    return detect


def test_a_box_alone_is_enough(cut: Any, flower: Any, coffee: Any, helpers: Any) -> None:
    assert helpers.mask_iou(cut(flower[0], box=((120, 60), (520, 390))), flower[1]) > 0.95
    assert helpers.mask_iou(cut(coffee[0], box=((70, 10), (490, 392))), coffee[1]) > 0.93


def test_one_point_alone_is_enough_for_a_plain_object(cut: Any, flower: Any, helpers: Any) -> None:
    assert helpers.mask_iou(cut(flower[0], pos=[(300, 220)]), flower[1]) > 0.9


def test_a_point_chooses_what_the_box_leaves_open(cut: Any, flower: Any, helpers: Any) -> None:
    image, _ = flower
    both_flowers = ((100, 60), (520, 426))
    upper = cut(image, box=both_flowers, pos=[(300, 220)])
    lower = cut(image, box=both_flowers, pos=[(350, 410)])
    assert upper[200, 300]
    assert not upper[410, 350]
    assert lower[410, 350]
    assert not lower[200, 300]


def test_a_negative_point_takes_a_part_away(cut: Any, coffee: Any) -> None:
    image, _ = coffee
    box = ((70, 10), (490, 392))
    whole = cut(image, box=box)
    without_coffee = cut(image, box=box, pos=[(120, 200), (350, 370)], neg=[(290, 160)])
    assert whole[160, 290]
    assert not without_coffee[160, 290]
    assert without_coffee[200, 120]
    inside = ellipse(image, (285, 150), (60, 30))
    assert without_coffee[inside].mean() < 0.5 < 0.99 < whole[inside].mean()


def test_positive_points_are_in_the_mask_and_negative_points_are_not(
    cut: Any, photo: Callable[[str], PIL.Image.Image]
) -> None:
    image = photo("chelsea.png")
    mask = cut(image, pos=[(119, 121), (300, 120)], neg=[(200, 150)])
    assert mask[121, 119]
    assert mask[120, 300]
    assert not mask[150, 200]


def test_nothing_lies_outside_the_box(cut: Any, coffee: Any) -> None:
    mask = cut(coffee[0], box=((165, 15), (410, 290)))
    rows, columns = mask.nonzero()
    assert mask.any()
    assert rows.min() >= 14
    assert rows.max() <= 290
    assert columns.min() >= 164
    assert columns.max() <= 410


def test_the_same_click_gives_the_same_mask(cut: Any, coffee: Any) -> None:
    image, _ = coffee
    first, second = (cut(image, pos=[(290, 130)]) for _ in range(2))
    cv2.setRNGSeed(123)
    assert (first == second).all()
    assert (cut(image, pos=[(290, 130)]) == first).all()


def test_corners_of_the_box_come_in_any_order(cut: Any, flower: Any) -> None:
    image, _ = flower
    assert (cut(image, box=((520, 60), (120, 390))) == cut(image, box=((120, 60), (520, 390)))).all()


@pytest.mark.parametrize("marks", [{}, {"neg": [(10, 10)]}, {"box": ((50, 50), (50, 51))}, {"pos": [(-5, 900)]}])
def test_prompts_that_mark_nothing_find_nothing(
    function: Callable[..., Any], helpers: Any, flower: Any, marks: Any
) -> None:
    grabcut = function(NAME)
    picture = grabcut.preprocess_image(None, flower[0])
    assert grabcut.detect(None, picture, helpers.prompts(**marks)) == []


def test_a_large_image_is_cut_as_its_small_copy(cut: Any, flower: Any, helpers: Any) -> None:
    image, region = flower
    large = image.resize((image.width * 6, image.height * 6), PIL.Image.Resampling.BICUBIC)
    mask = cut(large, box=((720, 360), (3120, 2340)))
    small = cv2.resize(mask.astype(np.uint8), image.size, interpolation=cv2.INTER_AREA).astype(bool)
    assert helpers.mask_iou(small, region) > 0.95


def test_a_small_object_on_a_large_image_is_cut_at_the_images_own_detail(cut: Any, flower: Any, helpers: Any) -> None:
    image, region = flower
    canvas = PIL.Image.new("RGB", (1900, 1600), (20, 60, 60))
    canvas.paste(image.resize((160, 107), PIL.Image.Resampling.LANCZOS), (1000, 700))
    mask = cut(canvas, box=((1032, 716), (1128, 796)))
    expected = np.zeros((1600, 1900), bool)
    expected[700:807, 1000:1160] = cv2.resize(region.astype(np.uint8), (160, 107)).astype(bool)
    assert helpers.mask_iou(mask, expected) > 0.9


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "CMYK", "I;16", "I", "F"])
def test_reads_images_of_any_mode(cut: Any, flower: Any, helpers: Any, mode: Any) -> None:
    image, region = flower
    if mode == "I;16":
        image = PIL.Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    else:
        image = image.convert("L").convert(mode) if mode in ("I", "F") else image.convert(mode)
    assert helpers.mask_iou(cut(image, box=((120, 60), (520, 390))), region) > 0.9


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (3, 5), (1, 40), (64, 3)])
def test_no_image_is_too_small(cut: Any, size: Any) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    image, (width, height) = PIL.Image.fromarray(noise), size
    assert cut(image, pos=[(0, 0)])[0, 0]
    assert cut(image, box=((-5, -5), (width + 5, height + 5)), neg=[(0, 0)]).shape == (height, width)
    assert cut(image, box=((0, 0), size), pos=[(width / 2, height / 2)])[height // 2, width // 2]


def test_preprocessing_is_not_touched_by_a_click(function: Callable[..., Any], helpers: Any, flower: Any) -> None:
    grabcut = function(NAME)
    picture = grabcut.preprocess_image(None, flower[0])
    before = picture.bgr.copy()
    grabcut.detect(None, picture, helpers.prompts(pos=[(300, 220)], neg=[(10, 10)]))
    assert (picture.bgr == before).all()
