"""`cvat_functions.rtmpose_onnx` over a graph that points at the brightest column and row of what it is shown.

So a bright spot in the picture has to come back as a point, in the picture's own pixels, through every box around it.
"""

from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from aa_runtime import FunctionSource, load

pytest.importorskip("onnx")

from tools import tiny_onnx

WIDTH, HEIGHT = 48, 64
SPOT = (97.0, 41.0)


def brightest(file: Path, points: int) -> Path:
    """Outputs `simcc_x` and `simcc_y`, two cells a pixel: the largest value of each column and each row."""
    nodes, outputs = [], []
    for name, axes, size in (("simcc_x", "1, 2", WIDTH), ("simcc_y", "1, 3", HEIGHT)):
        nodes.append(f"""
            thin_{name} = Constant <value_ints = [1, {size}, 1]> ()
            flat_{name} = Constant <value_ints = [1, 1, {2 * size}]> ()
            tile_{name} = Constant <value_ints = [1, {points}, 1]> ()
            max_{name} = ReduceMax <axes = [{axes}], keepdims = 0> (input)
            col_{name} = Reshape (max_{name}, thin_{name})
            two_{name} = Concat <axis = 2> (col_{name}, col_{name})
            row_{name} = Reshape (two_{name}, flat_{name})
            {name} = Tile (row_{name}, tile_{name})""")
        outputs.append(f"float[1, {points}, {2 * size}] {name}")
    head = f"brightest (float[1, 3, {HEIGHT}, {WIDTH}] input) => ({', '.join(outputs)})"
    return tiny_onnx.graph(file, f"{head} {{{''.join(nodes)}}}")


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_onnx.yolo(tmp_path_factory.mktemp("yolo") / "yolo.onnx", ["person", "dog"], side=64)


@pytest.fixture
def spot() -> PIL.Image.Image:
    """Dark noise, and one bright disc."""
    y, x = np.mgrid[0:120, 0:160]
    pixels = np.random.default_rng(0).integers(0, 90, (120, 160, 3), np.uint8)
    near = np.exp(-((x - SPOT[0]) ** 2 + (y - SPOT[1]) ** 2) / 18)[:, :, None]
    return PIL.Image.fromarray((pixels * (1 - near) + 255 * near).astype(np.uint8))


@pytest.mark.parametrize(("points", "last"), [(17, "right_ankle"), (133, "right_pinky_finger4"), (5, "5")])
def test_the_spot_is_found_through_every_box(
    points: int, last: str, detector: Path, tmp_path: Path, detection: Any, spot: PIL.Image.Image
) -> None:
    parameters = {"weights": str(brightest(tmp_path / "pose.onnx", points)), "detector": str(detector)}
    pose = load(FunctionSource(module="cvat_functions.rtmpose_onnx", parameters=parameters))
    (label,) = pose.spec.labels
    names = [part.name for part in label.sublabels]
    assert len(set(names)) == points
    assert names[-1] == last
    context = detection(conf_threshold=0.01)
    boxes = load(FunctionSource(module="cvat_functions.yolo_onnx", parameters={"weights": str(detector)}))
    people = [box.points for box in boxes.detect(context, spot) if box.label_id == 0]
    skeletons = pose.detect(context, spot)
    assert len(skeletons) == len(people) > 0
    held = 0
    for (left, top, right, bottom), skeleton in zip(people, skeletons, strict=True):
        if left + 4 < SPOT[0] < right - 4 and top + 4 < SPOT[1] < bottom - 4:
            held += 1
            # A pixel of the network's is this many of the picture's.
            step = 1.25 * max((right - left) / WIDTH, (bottom - top) / HEIGHT)
            for element in skeleton.elements:
                np.testing.assert_allclose(element.points, SPOT, atol=step + 1)
                assert not element.outside
    assert held


def test_a_detector_without_people_is_refused(detector: Path, tmp_path: Path) -> None:
    weights = str(brightest(tmp_path / "pose.onnx", 17))
    parameters = {"weights": weights, "detector": str(detector), "subject": "cat"}
    with pytest.raises(ValueError, match="no label 'cat': person, dog"):
        load(FunctionSource(module="cvat_functions.rtmpose_onnx", parameters=parameters))
