"""Each kind of function from the first click to the end, on the demo's four functions."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cvat_nuclio.cvat.mask_crops import rle_to_bitmap

pytest.importorskip("playwright")
NewTab = Callable[..., Any]


def test_a_click_gives_a_mask_at_the_clicked_place(tab: NewTab, samples: Path) -> None:
    page = tab()
    page.choose("GrabCut")
    page.give(samples / "coffee.jpg")
    inside, outside = (290, 120), (60, 350)
    before = [page.pixel(*place) for place in (inside, outside)]
    page.click(290, 160)
    (shape,) = page.answered("report.shapes.length == 1")["shapes"]
    bitmap = rle_to_bitmap(shape["mask"], 600, 400)
    assert (bitmap[160, 290], bitmap[inside[::-1]], bitmap[outside[::-1]]) == (True, True, False)
    after = [page.pixel(*place) for place in (inside, outside)]
    assert after[1] == before[1]
    # The mask's own blue lies over the picture.
    assert after[0][2] - before[0][2] > 20 > after[0][0] - before[0][0]


def test_clicks_ask_again_and_undo_takes_them_back(tab: NewTab, samples: Path) -> None:
    page = tab()
    page.choose("GrabCut")
    page.give(samples / "coffee.jpg")
    page.drag((150, 10), (440, 260))
    first = page.answered("report.shapes.length == 1")
    page.click(300, 230, button="right")
    second = page.answered(f"report.call != '{first['call']}'")
    assert '"neg_points": [[300' in second["request"]["text"]
    assert not rle_to_bitmap(second["shapes"][0]["mask"], 600, 400)[230, 300]
    page.page.locator("#times").get_by_text("1 further").wait_for()
    page.page.click("#undo")
    third = page.answered(f"report.call != '{second['call']}'")
    assert third["shapes"][0]["mask"] == first["shapes"][0]["mask"]
    page.page.click("#clear")
    page.until("app.answer.report === null")


def test_a_detector_is_asked_at_once_and_its_table_is_tied_to_the_picture(tab: NewTab, samples: Path) -> None:
    page = tab()
    page.choose("PP-OCRv4")
    page.give(samples / "letter.png")
    report = page.answered("report.shapes.length > 5")
    rows = page.page.locator("tr[data-shape]")
    assert rows.count() == len(report["shapes"])
    (x0, y0), *_, (x1, y1) = sorted(report["shapes"][0]["points"])
    middle = ((x0 + x1) / 2, (y0 + y1) / 2)
    before = page.pixel(*middle)
    rows.nth(0).hover()
    assert page.pixel(*middle) != before
    page.page.mouse.move(*page.place(*middle))
    page.until("document.querySelectorAll('tr.on').length == 1")
    slider = page.page.get_by_role("slider", name="Threshold")
    slider.fill("0.99")
    slider.dispatch_event("change")
    assert '"threshold": 0.99' in page.answered(f"report.call != '{report['call']}'")["request"]["text"]


def test_a_dragged_box_is_tracked_over_20_frames(tab: NewTab, samples: Path) -> None:
    page = tab()
    page.choose("Correlation tracker")
    page.give(samples / "table.mp4")
    page.drag((150, 40), (330, 190))
    page.page.click("#step")
    page.answered("report.milliseconds.length == 2")
    assert page.page.evaluate("app.frame") == 1
    page.page.click("#play")
    report = page.answered("report.done")
    frames = [shape["frame"] for shape in report["shapes"]]
    assert frames == list(range(24))
    middles = np.array([np.mean(shape["points"], axis=0) for shape in report["shapes"]])
    # The camera pans to the right and down: what lies on the table goes to the left and up.
    moved = middles[20] - middles[0]
    assert -110 < moved[0] < -40
    assert page.page.locator("#speed").get_by_text("frames/s").is_visible()
    assert page.page.locator("#objects").inner_text() == "object 1: followed"
    page.page.locator("#slider").fill("5")
    page.until("app.frame == 5")
    edge = min(report["shapes"][5]["points"])
    assert page.pixel(edge[0], edge[1] + 40)[2] > 150


def test_boxes_on_two_frames_are_joined_by_lines(tab: NewTab, samples: Path) -> None:
    page = tab()
    page.choose("Appearance ReID")
    page.give(samples / "table.mp4")
    page.page.select_option("#frame1", "2")
    page.until("app.stage.slides.length == 2")
    page.drag((150, 40), (330, 190))
    page.drag((145, 38), (325, 188), slide=1)
    report = page.answered("report.shapes.length > 0")
    assert page.page.evaluate("app.kind.joined().length") == 1
    other = page.page.evaluate("[app.stage.slides[1].x, app.stage.slides[1].y]")
    middle = np.mean([(240, 115), np.add((235, 113), other)], axis=0)
    line = [page.pixel(*middle + offset) for offset in range(-6, 7)]
    colour = [int(part) for part in report["shapes"][0]["color"][4:-1].split(",")]
    assert min(np.abs(np.subtract(pixel, colour)).max() for pixel in line) < 30
    slider = page.page.get_by_role("slider", name="Distance")
    slider.fill("1")
    slider.dispatch_event("change")
    page.answered(f"report.call != '{report['call']}'")
    assert page.page.evaluate("app.kind.joined().length") == 0


@pytest.mark.parametrize("cvat", ["G1", "G2"])
def test_the_generation_is_a_switch(tab: NewTab, samples: Path, cvat: str) -> None:
    page = tab()
    page.choose("GrabCut")
    page.give(samples / "coffee.jpg")
    page.page.locator(f"input[value={cvat}]").check(force=True)
    page.click(290, 160)
    report = page.answered("report.milliseconds.length")
    assert report["cvat"] == cvat
    if cvat == "G1":
        assert "'shapes' came in late 2025" in page.page.locator("#fault").inner_text()
