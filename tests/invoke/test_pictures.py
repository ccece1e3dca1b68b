"""The pictures that `--output` writes: each shape where it is, in its label's colour."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cvat_nuclio.invoke.call_picture import skeleton_edges
from cvat_nuclio.invoke.call_report import Kept
from cvat_nuclio.invoke.draw import Canvas, color_of, outline, rotated
from cvat_nuclio.invoke.frame_files import Frame

RED = (255, 0, 0)
SIZE = (700, 500)


def drawn(kept: Kept, edges: dict[str, Any] | None = None) -> Any:
    """Where a shape changed a grey picture: nearly red pixels."""
    canvas = Canvas.on(Image.new("RGB", SIZE, (100, 100, 100)), {"a": RED}, edges)
    canvas.draw(kept, " ")
    pixels = np.asarray(canvas.image).astype(int)
    return (pixels[..., 0] - pixels[..., 1]) > 40


@pytest.mark.parametrize(
    ("kept", "on", "off"),
    [
        (Kept(0, "rectangle", "a", (100, 100, 300, 200)), [(100, 150), (200, 100), (200, 150)], [(350, 150)]),
        (
            Kept(0, "rectangle", "a", (100, 140, 300, 160), 90.0),
            [(200, 60), (200, 240), (190, 150)],
            [(110, 150), (290, 150)],
        ),
        (Kept(0, "ellipse", "a", (300, 250, 400, 200)), [(400, 250), (300, 200), (300, 250)], [(398, 205)]),
        (Kept(0, "polygon", "a", (100, 100, 300, 100, 100, 300)), [(200, 100), (150, 150)], [(290, 290)]),
        (Kept(0, "polyline", "a", (100, 100, 300, 100, 300, 300)), [(200, 100), (300, 200)], [(200, 200)]),
        (Kept(0, "points", "a", (100, 100, 300, 300)), [(100, 100), (300, 300)], [(200, 200)]),
        (
            Kept(0, "mask", "a", (0, 600, 100, 100, 129, 119)),
            [(110, 110), (129, 119)],
            [(131, 121)],
        ),
    ],
)
def test_a_shape_is_drawn_where_it_is(kept: Kept, on: list[tuple[int, int]], off: list[tuple[int, int]]) -> None:
    changed = drawn(kept)
    assert all(changed[y, x] for x, y in on)
    assert not any(changed[y, x] for x, y in off)


def test_a_skeleton_has_its_edges_and_no_hidden_keypoint() -> None:
    elements = (
        Kept(0, "points", "nose", (100, 100)),
        Kept(0, "points", "tail", (300, 100)),
        Kept(0, "points", "paw", (200, 300), outside=True),
    )
    changed = drawn(Kept(0, "skeleton", "a", elements=elements), {"a": [("nose", "tail"), ("tail", "paw")]})
    assert changed[100, 200]
    assert not changed[300, 200]
    assert not changed[200, 250]


def test_a_mask_that_cannot_be_opened_does_not_stop_the_picture() -> None:
    assert drawn(Kept(0, "mask", "a", (5, 5, 0, 0, 1, 1))).sum() < 2000


def test_an_angle_turns_clockwise_as_in_cvat() -> None:
    corners = outline(Kept(0, "rectangle", "a", (0, 0, 10, 10), 45.0))
    assert corners[0] == pytest.approx((5, 5 - 50**0.5))
    assert rotated([(0, 0), (2, 2)], 0) == [(0, 0), (2, 2)]


def test_names_do_not_lie_on_each_other() -> None:
    canvas = Canvas.on(Image.new("RGB", SIZE), {})
    for _ in range(8):
        canvas.text((50, 60), "name", RED)
    boxes = canvas._taken
    assert len({box[1] for box in boxes}) == 8
    assert all(box[1] >= 0 and box[3] <= SIZE[1] for box in boxes)


def test_neighbouring_labels_differ_in_colour() -> None:
    colors = [np.array(color_of(number)) for number in range(12)]
    for one in range(11):
        assert np.abs(colors[one] - colors[one + 1]).sum() > 120


def test_edges_come_from_cvats_markup() -> None:
    svg = (
        '<line data-type="edge" data-node-from="1" data-node-to="2"></line><line data-node-from="2" data-node-to="9">'
        '</line><circle data-node-id="1" data-label-name="a b"></circle><circle data-node-id="2" data-label-name="c">'
    )
    assert skeleton_edges(svg) == [("a b", "c")]


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "I;16", "CMYK", "1", "F", "LA"])
def test_every_mode_can_be_drawn_on(mode: str, tmp_path: Path) -> None:
    path = tmp_path / ("a.tiff" if mode in ("CMYK", "F") else "a.png")
    image = Image.linear_gradient("L")
    (image.convert("I").convert("I;16") if mode == "I;16" else image.convert(mode)).save(path)
    picture = Frame.of("a", path.read_bytes()).picture()
    assert picture.mode == "RGB"
    assert np.ptp(np.asarray(picture)) > 100


def test_a_tracker_gives_a_strip_or_an_animation(
    deploy: Callable[..., str], invoke: Callable[..., tuple[int, str]], image: Path, tmp_path: Path
) -> None:
    answers = [{"shapes": [[i, i, 30 + i, 30 + i]], "states": [i]} for i in range(4)]
    for name, frames in (("track.png", 1), ("track.gif", 4)):
        url = deploy("tracker", *answers)
        status, text = invoke(url, *[image] * 4, "--shape", "0,0,30,30", "--output", tmp_path / name)
        assert status == 0, text
        with Image.open(tmp_path / name) as picture:
            assert getattr(picture, "n_frames", 1) == frames


def test_reid_gives_both_images_with_a_line(
    deploy: Callable[..., str], invoke: Callable[..., tuple[int, str]], image: Path, tmp_path: Path, pixels: Any
) -> None:
    path = tmp_path / "pair.png"
    boxes = ["--box0", "10,40,20,50", "--box1", "10,40,20,50"]
    invoke(deploy("reid", [0]), image, image, *boxes, "--output", path)
    matched = pixels(path)
    invoke(deploy("reid", [-1]), image, image, *boxes, "--output", path)
    alone = pixels(path)
    assert matched.shape == alone.shape
    middle = matched.shape[1] // 2 - 40
    row = matched.shape[0] // 2
    assert np.ptp(matched[row - 4 : row + 4, middle], axis=-1).max() > 60
    assert np.ptp(alone[row - 4 : row + 4, middle], axis=-1).max() == 0


def test_a_picture_that_cannot_be_written(
    deploy: Callable[..., str], invoke: Callable[..., tuple[int, str]], image: Path, tmp_path: Path
) -> None:
    status, text = invoke(deploy("detector", []), image, "--output", tmp_path / "a.xyz")
    assert status == 2
    assert ".png" in text
    assert not list(tmp_path.glob(".a*"))
