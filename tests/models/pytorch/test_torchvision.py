"""cvat-sdk's torchvision functions, unmodified, over random weights that lie where torchvision looks for real ones.

What they return is compared with torchvision's own model, run beside them. What the runtime does to them:
test_torchvision_placement.py.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from cvat_sdk.masks import decode_mask

torch = pytest.importorskip("torch")
pytest.importorskip("torchvision")
pytest.importorskip("skimage")

from tools import random_checkpoints  # noqa: E402
from torchvision.transforms.functional import pil_to_tensor  # noqa: E402

#: COCO's cat and dog among torchvision's 91 categories, blanks included.
CAT, DOG = 17, 18
#: What real networks are kept from by their size, the test by these: the shorter and longer side in pixels.
SMALL = {"min_size": 96, "max_size": 192}


def prefer(label: int) -> Callable[[Any], object]:
    """A change that makes a detector see `label` in every box."""

    def change(model: Any) -> None:
        with torch.no_grad():
            model.roi_heads.box_predictor.cls_score.bias[label] = 9

    return change


def expected(model: Any, image: PIL.Image.Image, **settings: Any) -> dict[str, np.ndarray]:
    model.transform.min_size, model.transform.max_size = (SMALL["min_size"],), SMALL["max_size"]
    for name, value in settings.items():
        setattr(model.roi_heads, name, value)
    with torch.inference_mode():
        return {name: value.numpy() for name, value in model([pil_to_tensor(image) / 255])[0].items()}


def test_detection(create: Any, detection: Any, torch_home: Path, small: PIL.Image.Image) -> None:
    name = "fasterrcnn_mobilenet_v3_large_320_fpn"
    model = random_checkpoints.of_torchvision(torch_home, name, change=prefer(CAT))
    function = create("cvat_sdk.auto_annotation.functions.torchvision_detection", model_name=name, **SMALL)
    labels = {label.id: label for label in function.spec.labels}
    assert labels[CAT].name == "cat"
    assert labels[CAT].type == "rectangle"
    assert len(labels) == 81  # the 80 categories and the background; the blanks are left out

    wanted = expected(model, small)
    assert len(wanted["boxes"]) > 3
    threshold = float(np.median(wanted["scores"]))
    shapes = function.detect(detection(conf_threshold=threshold), small)
    above = wanted["scores"] >= threshold
    np.testing.assert_allclose([shape.points for shape in shapes], wanted["boxes"][above], atol=1e-3)
    assert {shape.label_id for shape in shapes} == {CAT}


def test_instance_segmentation(create: Any, detection: Any, torch_home: Path, small: PIL.Image.Image) -> None:
    name = "maskrcnn_resnet50_fpn"
    model = random_checkpoints.of_torchvision(torch_home, name, change=prefer(DOG))
    settings = {"detections_per_img": 3}
    function = create(
        "cvat_sdk.auto_annotation.functions.torchvision_instance_segmentation",
        model_name=name, box_detections_per_img=3, **SMALL,
    )  # fmt: skip
    assert {label.type for label in function.spec.labels} == {"mask"}
    wanted = expected(model, small, **settings)
    assert len(wanted["masks"]) == 3

    shapes = function.detect(detection(), small)
    assert [shape.label_id for shape in shapes] == [DOG] * 3
    for shape, mask, box in zip(shapes, wanted["masks"], wanted["boxes"], strict=True):
        inside = np.zeros((80, 160), bool)
        left, top, right, bottom = (int(v) for v in (*np.floor(box[:2]), *np.ceil(box[2:])))
        inside[top:bottom, left:right] = mask[0][top:bottom, left:right] >= 0.5
        assert (decode_mask(shape.points, image_width=160, image_height=80) == inside).all()

    polygons = function.detect(detection(conv_mask_to_poly=True), small)
    assert {shape.type.value for shape in polygons} <= {"polygon"}
    assert all(len(shape.points) >= 6 for shape in polygons)


def test_keypoint_detection(create: Any, detection: Any, torch_home: Path, small: PIL.Image.Image) -> None:
    name = "keypointrcnn_resnet50_fpn"
    model = random_checkpoints.of_torchvision(torch_home, name, change=prefer(1))
    function = create(
        "cvat_sdk.auto_annotation.functions.torchvision_keypoint_detection",
        model_name=name, box_detections_per_img=2, **SMALL,
    )  # fmt: skip
    person = function.spec.labels[1]
    assert (person.name, person.type, len(person.sublabels)) == ("person", "skeleton", 17)
    wanted = expected(model, small, detections_per_img=2)

    skeletons = function.detect(detection(), small)
    assert len(skeletons) == len(wanted["keypoints"]) == 2
    for skeleton, points in zip(skeletons, wanted["keypoints"], strict=True):
        assert [element.label_id for element in skeleton.elements] == list(range(17))
        np.testing.assert_allclose([element.points for element in skeleton.elements], points[:, :2], atol=0.05)


def test_classification(create: Any, detection: Any, torch_home: Path, small: PIL.Image.Image) -> None:
    name = "mobilenet_v3_small"
    teapot = 849

    def change(model: Any) -> None:
        with torch.no_grad():
            model.classifier[-1].bias[teapot] = 6

    random_checkpoints.of_torchvision(torch_home, name, change=change)
    function = create("cvat_sdk.auto_annotation.functions.torchvision_classification", model_name=name)
    labels = function.spec.labels
    assert (labels[teapot].name, labels[teapot].type) == ("teapot", "tag")
    # CVAT does not list a function that names a label twice.
    assert len({label.name for label in labels}) == len(labels) == 1000
    (tag,) = function.detect(detection(), small)
    assert tag.label_id == teapot
    # exp(6) against 999 classes near 1: about 0.29.
    assert function.detect(detection(conf_threshold=0.2), small) != []
    assert function.detect(detection(conf_threshold=0.5), small) == []


def test_without_weights_it_wants_to_download(
    create: Any, torch_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What `generate --bake` does once in the image, and nothing does at run time."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(AssertionError, match=r"downloads .*squeezenet1_1"):
        create("cvat_sdk.auto_annotation.functions.torchvision_classification", model_name="squeezenet1_1")
