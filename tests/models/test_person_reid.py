"""`cvat_functions.reid_onnx`: over a graph whose features can be worked out by hand."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from tools import tiny_onnx  # noqa: E402

MEAN, DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


@pytest.fixture
def channel_means(tmp_path: Path) -> Callable[..., Path]:
    """A graph that answers each crop's three mean values, so that colours can be told from its features."""

    def channel_means(
        batch: int | str = "N", width: int | str = 8, height: int | str = 16, kind: str = "vector"
    ) -> Path:
        keep, shape = {"vector": (0, f"{batch}, 3"), "map": (1, f"{batch}, 3, 1, 1")}[kind]
        text = f"""means (float[{batch}, 3, {height}, {width}] x) => (float[{shape}] y) {{
            y = ReduceMean <axes = [2, 3], keepdims = {keep}> (x)
        }}"""
        return tiny_onnx.graph(tmp_path / "means.onnx", text)

    return channel_means


@pytest.fixture
def flags() -> PIL.Image.Image:
    """Red, green and blue stripes, 40 x 60 each."""
    image = PIL.Image.new("RGB", (120, 60))
    for index, colour in enumerate(["red", "#00ff00", "blue"]):
        image.paste(colour, (40 * index, 0, 40 * index + 40, 60))
    return image


STRIPES = [(0.0, 0.0, 40.0, 60.0), (40.4, 5.5, 79.2, 50.0), (81.0, 10.0, 119.5, 60.0)]


def unit(colour: Any) -> np.ndarray:
    feature = (np.array(colour) - MEAN) / DEVIATION
    return feature / np.linalg.norm(feature)


@pytest.mark.parametrize("form", [{}, {"kind": "map"}, {"batch": 1}, {"batch": 2}, {"width": "w", "height": "h"}])
def test_features_are_of_each_box_in_order(create: Any, channel_means: Any, flags: Any, form: Any) -> None:
    function = create("reid_onnx", weights=str(channel_means(**form)))
    assert function.spec.embedding_size == 3
    rows = function.embed(None, flags, STRIPES)
    np.testing.assert_allclose(rows, [unit([1, 0, 0]), unit([0, 1, 0]), unit([0, 0, 1])], atol=1e-4)


def test_many_boxes_go_in_batches(create: Any, channel_means: Any, flags: Any) -> None:
    function = create("reid_onnx", weights=str(channel_means()), batch=4)
    rows = function.embed(None, flags, STRIPES * 5)
    assert rows.shape == (15, 3)
    np.testing.assert_array_equal(rows[:3], rows[12:])


def test_channels_and_normalisation_can_be_chosen(create: Any, channel_means: Any, flags: Any) -> None:
    function = create(
        "reid_onnx", weights=str(channel_means()), mean="0,0,0", deviation="1,1,1", bgr=True
    )  # fmt: skip
    np.testing.assert_allclose(function.embed(None, flags, STRIPES[:1]), [[0, 0, 1]], atol=1e-6)
    with pytest.raises(ValueError, match=r"mean is '1;2;3': three numbers"):
        create("reid_onnx", weights=str(channel_means()), mean="1;2;3")


@pytest.mark.parametrize("box", [(0.0, 0.0, 0.2, 0.3), (119.5, 59.5, 120.0, 60.0)])
def test_a_box_within_a_pixel(create: Any, channel_means: Any, flags: Any, box: Any) -> None:
    rows = create("reid_onnx", weights=str(channel_means())).embed(None, flags.convert("P"), [box])
    assert np.isfinite(rows).all()


def test_a_graph_without_one_vector_a_crop_is_refused(create: Any, tmp_path: Path) -> None:
    file = tiny_onnx.constants(tmp_path / "bad.onnx", {"y": np.zeros((1, 3, 4, 4), np.float32)}, {"x": [1, 3, 8, 8]})
    with pytest.raises(ValueError, match=r"answers \[1, 3, 4, 4\] for 1 crops"):
        create("reid_onnx", weights=str(file))
    file = tiny_onnx.constants(tmp_path / "grey.onnx", {"y": np.zeros((1, 3), np.float32)}, {"x": [1, 1, 8, 8]})
    with pytest.raises(ValueError, match=r"takes \[1, 1, 8, 8\]"):
        create("reid_onnx", weights=str(file))
