"""The text detector on photographs of text and of none."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import PIL.Image
import pytest

onnxruntime = pytest.importorskip("onnxruntime")

from cvat_functions.text_regions import offset  # noqa: E402

NAME = "text_detection_onnx"

# Read off `page.png` (384 x 191) by eye: the seven lines of print, as boxes.
PAGE = (
    (7, 13, 292, 34),
    (5, 48, 378, 65),
    (4, 65, 379, 84),
    (4, 83, 378, 103),
    (4, 99, 380, 122),
    (4, 117, 172, 139),
    (17, 167, 242, 190),
)


@pytest.fixture(scope="module")
def detector(function: Callable[..., Any]) -> Any:
    return function(NAME)


def bounds(shape: Any) -> Any:
    points = np.array(shape.points).reshape(-1, 2)
    return (*points.min(axis=0), *points.max(axis=0))


def test_finds_the_lines_of_a_page_in_reading_order(
    detector: Any, photo: Callable[[str], PIL.Image.Image], helpers: Any
) -> None:
    shapes = detector.detect(helpers.detection(), photo("page.png"))
    assert len(shapes) == len(PAGE)
    for shape, line in zip(shapes, PAGE, strict=True):
        assert helpers.box_iou(bounds(shape), line) > 0.7
        assert shape.type.value == "polygon"
        assert len(shape.points) == 8
        assert 0.6 <= shape.score <= 1


def test_finds_no_text_on_a_portrait(detector: Any, photo: Callable[[str], PIL.Image.Image], helpers: Any) -> None:
    assert detector.detect(helpers.detection(), photo("chelsea.png")) == []


def test_finds_handwriting(detector: Any, photo: Callable[[str], PIL.Image.Image], helpers: Any) -> None:
    shapes = detector.detect(helpers.detection(), photo("text.png"))
    outlines = [np.array(shape.points, np.float32).reshape(-1, 2) for shape in shapes]
    assert any(cv2.pointPolygonTest(outline, (220, 85), False) > 0 for outline in outlines)


def test_the_callers_threshold_wins_over_the_functions_own(
    function: Callable[..., Any], photo: Callable[[str], PIL.Image.Image], helpers: Any
) -> None:
    strict = function(NAME, box_threshold=0.9)
    by_default, asked = (strict.detect(helpers.detection(t), photo("text.png")) for t in (None, 0.7))
    assert 0 < len(by_default) < len(asked)
    assert all(shape.score >= 0.9 for shape in by_default)
    assert all(shape.score >= 0.7 for shape in asked)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "I;16", "I", "F"])
def test_reads_images_of_any_mode(
    detector: Any, photo: Callable[[str], PIL.Image.Image], helpers: Any, mode: Any
) -> None:
    grey = photo("page.png")
    if mode == "I;16":
        image = PIL.Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    elif mode == "PA":
        image = grey.convert("P").convert("PA")
    elif mode == "HSV":
        image = grey.convert("RGB").convert("HSV")
    else:
        image = grey.convert(mode)
    shapes = detector.detect(helpers.detection(), image)
    assert any(helpers.box_iou(bounds(shape), PAGE[0]) > 0.7 for shape in shapes)


def test_text_on_a_transparent_ground_is_read_as_on_white(
    detector: Any, photo: Callable[[str], PIL.Image.Image], helpers: Any
) -> None:
    grey = photo("page.png")
    ink = PIL.Image.new("LA", grey.size, (0, 0))
    ink.putalpha(PIL.Image.eval(grey, lambda level: 255 - level))
    assert len(detector.detect(helpers.detection(), ink)) == len(PAGE)


def test_positions_follow_the_image_whatever_its_size(
    detector: Any, photo: Callable[[str], PIL.Image.Image], helpers: Any
) -> None:
    page = photo("page.png")
    for factor in (0.9, 2.5, 8):
        larger = page.resize((round(page.width * factor), round(page.height * factor)), PIL.Image.Resampling.BICUBIC)
        first = detector.detect(helpers.detection(), larger)[0]
        assert helpers.box_iou(np.divide(bounds(first), factor), PAGE[0]) > 0.7


@pytest.mark.parametrize("size", [(1, 1), (3, 500), (2000, 2)])
def test_an_image_too_small_for_text_has_none(detector: Any, helpers: Any, size: Any) -> None:
    assert detector.detect(helpers.detection(), PIL.Image.new("RGB", size, "white")) == []


def test_points_stay_inside_the_image(detector: Any, photo: Callable[[str], PIL.Image.Image], helpers: Any) -> None:
    crop = photo("page.png").crop((40, 0, 250, 60))
    shapes = detector.detect(helpers.detection(), crop)
    assert shapes
    for shape in shapes:
        points = np.array(shape.points).reshape(-1, 2)
        assert (points >= 0).all()
        assert (points <= crop.size).all()


def test_contours_follow_curved_lines_closer_than_boxes(
    function: Callable[..., Any], detector: Any, photo: Callable[[str], PIL.Image.Image], helpers: Any
) -> None:
    page = photo("page.png")

    def area(shapes: Any) -> Any:
        return sum(cv2.contourArea(np.array(shape.points, np.float32).reshape(-1, 2)) for shape in shapes)

    contours = function(NAME, outline="contour").detect(helpers.detection(), page)
    boxes = detector.detect(helpers.detection(), page)
    assert len(contours) == len(boxes) == len(PAGE)
    assert area(contours) < 0.9 * area(boxes)


def test_growing_a_polygon_moves_its_sides_by_the_distance() -> None:
    square = np.array([[10, 20], [110, 20], [110, 60], [10, 60]], np.float32)
    grown = offset(square, 7.5)
    assert grown is not None
    area = 100 * 40 + 2 * (100 + 40) * 7.5 + np.pi * 7.5**2
    assert cv2.contourArea(grown.astype(np.float32)) == pytest.approx(area, rel=0.01)
    assert [*grown.min(axis=0), *grown.max(axis=0)] == pytest.approx([2.5, 12.5, 117.5, 67.5], abs=0.5)


def test_threads_do_not_change_the_answer(
    function: Callable[..., Any], detector: Any, photo: Callable[[str], PIL.Image.Image], helpers: Any
) -> None:
    page = photo("page.png")
    single = function(NAME, threads=1).detect(helpers.detection(), page)
    several = detector.detect(helpers.detection(), page)
    np.testing.assert_allclose([bounds(s) for s in single], [bounds(s) for s in several], atol=0.5)


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"outline": "oval"}, ValueError, "'box' or 'contour'"),
        ({"device": "tpu"}, ValueError, "auto, cpu, cuda"),
    ],
)
def test_wrong_parameters_are_refused(function: Callable[..., Any], parameters: Any, error: Any, message: Any) -> None:
    with pytest.raises(error, match=message):
        function(NAME, **parameters)


def test_cuda_is_refused_where_there_is_none(function: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(RuntimeError, match="cannot use cuda"):
        function(NAME, device="cuda")


class Session:
    """What a machine with a GPU would open."""

    def __init__(self, model: Any, options: Any, providers: Any) -> None:
        self.asked = providers

    def get_providers(self) -> Any:
        return self.asked

    def get_inputs(self) -> Any:
        return [SimpleNamespace(name="x", shape=["N", 3, "H", "W"], type="tensor(float)")]


def test_cuda_comes_first_where_there_is_one_and_the_log_says_so(
    function: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr(
        onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"]
    )
    monkeypatch.setattr(onnxruntime, "InferenceSession", Session)
    session = function(NAME).graph.session
    assert session.asked == ["CUDAExecutionProvider", "CPUExecutionProvider"]
    assert capsys.readouterr().err.endswith("on CUDAExecutionProvider\n")
