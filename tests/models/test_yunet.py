"""`cvat_functions.yunet_opencv` over a graph with YuNet's outputs, whose answer depends on the picture.

Beside it are numbers decoded here by the rule of its paper (Wu et al., Machine Intelligence Research 2023): a cell's
offset, and the logarithm of its size.
"""

from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from aa_runtime import FunctionSource, load

pytest.importorskip("onnx")

from tools import tiny_onnx

SIDE = 64
STRIDES = (8, 16, 32)
HEAD = tiny_onnx.YUNET


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_onnx.yunet(tmp_path_factory.mktemp("yunet") / "face.onnx", SIDE)


@pytest.fixture
def noise() -> PIL.Image.Image:
    pixels = np.random.default_rng(1).integers(0, 255, (SIDE, SIDE, 3), np.uint8)
    return PIL.Image.fromarray(pixels)


def decoded(weights: Path, image: PIL.Image.Image) -> np.ndarray:
    """Rows of left, top, right, bottom, ten coordinates, score."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(weights), providers=["CPUExecutionProvider"])
    blob = np.asarray(image)[:, :, ::-1].transpose(2, 0, 1)[None].astype(np.float32)
    answer = dict(zip([item.name for item in session.get_outputs()], session.run(None, {"input": blob}), strict=True))
    rows = []
    for stride in STRIDES:
        cls, obj, box, points = (answer[f"{name}_{stride}"][0] for name in HEAD)
        for cell in range(len(cls)):
            place = np.array([cell % (SIDE // stride), cell // (SIDE // stride)])
            centre, size = (place + box[cell, :2]) * stride, np.exp(box[cell, 2:]) * stride
            spots = (points[cell].reshape(5, 2) + place) * stride
            score = np.sqrt(float(cls[cell, 0]) * float(obj[cell, 0]))
            rows.append([*(centre - size / 2), *(centre + size / 2), *spots.ravel(), score])
    return np.array(rows)


def test_faces_are_what_the_graph_s_numbers_mean(weights: Path, noise: PIL.Image.Image, detection: Any) -> None:
    wanted = decoded(weights, noise)
    threshold = float(np.sort(wanted[:, -1])[-8])
    parameters = {"weights": str(weights), "overlap": 1.0}
    boxes = load(FunctionSource(module="cvat_functions.yunet_opencv", parameters=parameters))
    found = boxes.detect(detection(conf_threshold=threshold - 1e-4), noise)
    expected = wanted[wanted[:, -1] >= threshold - 1e-4]
    assert len(found) == len(expected) >= 8
    for shape in found:
        assert np.isclose(expected[:, :4], shape.points, atol=0.01).all(1).any()
    skeletons = load(FunctionSource(module="cvat_functions.yunet_opencv", parameters={**parameters, "skeletons": True}))
    poses = skeletons.detect(detection(conf_threshold=threshold - 1e-4), noise)
    assert len(poses) == len(expected)
    for pose in poses:
        points = [value for element in pose.elements for value in element.points]
        assert np.isclose(expected[:, 4:14], points, atol=0.01).all(1).any()


def test_a_large_picture_is_shrunk_and_its_faces_are_in_its_own_pixels(
    weights: Path, noise: PIL.Image.Image, detection: Any
) -> None:
    small = load(FunctionSource(module="cvat_functions.yunet_opencv", parameters={"weights": str(weights)}))
    parameters = {"weights": str(weights), "longest": SIDE}
    large = load(FunctionSource(module="cvat_functions.yunet_opencv", parameters=parameters))
    picture = noise.resize((SIDE * 3, SIDE * 3), PIL.Image.Resampling.NEAREST)
    context = detection(conf_threshold=0.5)
    again = large.detect(context, picture)
    shrunk = small.detect(context, picture.resize((SIDE, SIDE)))
    assert len(again) == len(shrunk) > 0
    for one, other in zip(again, shrunk, strict=True):
        np.testing.assert_allclose(one.points, np.multiply(other.points, 3), atol=0.01)
