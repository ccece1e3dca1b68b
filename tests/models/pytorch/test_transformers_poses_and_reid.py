"""ViTPose over a detector, and ReID by any network's features, with small random weights, beside transformers' own."""

from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from tools import tiny_networks  # noqa: E402

BOXES = [(10.0, 5.0, 70.0, 60.0), (90.5, 20.5, 150.0, 79.0)]


@pytest.mark.parametrize("name", tiny_networks.families()["transformers_pose"])
def test_points_are_those_of_heatmaps_in_each_box(
    name: str, tmp_path: Path, function: Any, detection: Any, small: PIL.Image.Image
) -> None:
    model = tiny_networks.save("transformers_pose", name, tmp_path / "pose")
    tiny_networks.save("transformers_detection", "yolos", tmp_path / "boxes")
    pose = function("transformers_pose", tmp_path / "pose", detector=str(tmp_path / "boxes"), subject="Hat")
    (label,) = pose.spec.labels
    assert [point.name for point in label.sublabels] == ["nose", "left_eye", "right_eye"]
    found = transformers.pipeline("object-detection", model=str(tmp_path / "boxes"), threshold=0.0)(small)
    hats = [item for item in found if item["label"] == "hat"]
    skeletons = pose.detect(detection(conf_threshold=0.0), small)
    assert len(skeletons) == len(hats) > 0

    raw = function("transformers_detection", tmp_path / "boxes").detect(detection(conf_threshold=0.0), small)
    box = next(shape.points for shape in raw if shape.label_id == 2)
    boxes = [[[box[0], box[1], box[2] - box[0], box[3] - box[1]]]]
    processor = transformers.AutoImageProcessor.from_pretrained(tmp_path / "pose")
    inputs = processor(small, boxes=boxes, return_tensors="pt")
    experts = {"dataset_index": torch.zeros(1, dtype=torch.int64)} if name == "vitpose_plus" else {}
    with torch.inference_mode():
        (wanted,) = processor.post_process_pose_estimation(model(**inputs, **experts), boxes=boxes)[0]
    got = [element.points for element in skeletons[0].elements]
    np.testing.assert_allclose(got, np.clip(wanted["keypoints"].numpy(), 0, small.size), atol=1e-3)
    hidden = [element.outside for element in skeletons[0].elements]
    assert hidden == [float(score) < 0.3 for score in wanted["scores"].reshape(-1)]


def test_a_detector_without_the_subject_is_refused(tmp_path: Path, function: Any) -> None:
    tiny_networks.save("transformers_pose", "vitpose", tmp_path / "pose")
    tiny_networks.save("transformers_detection", "yolos", tmp_path / "boxes")
    with pytest.raises(ValueError, match="no label 'person': cat, dog, hat"):
        function("transformers_pose", tmp_path / "pose", detector=str(tmp_path / "boxes"))


@pytest.mark.parametrize("name", tiny_networks.families()["transformers_reid"])
def test_rows_are_the_network_s_features_of_each_box(
    name: str, tmp_path: Path, function: Any, small: PIL.Image.Image
) -> None:
    model = tiny_networks.save("transformers_reid", name, tmp_path)
    embedder = function("transformers_reid", tmp_path)
    rows = embedder.embed(None, small, BOXES)
    assert rows.shape == (2, embedder.spec.embedding_size)
    processor = transformers.AutoImageProcessor.from_pretrained(tmp_path)
    crops = [small.crop((10, 5, 70, 60)), small.crop((90, 20, 150, 79))]
    with torch.inference_mode():
        pixels = torch.cat([processor(images=crop, return_tensors="pt")["pixel_values"] for crop in crops])
        answer = getattr(model, "vision_model", model)(pixel_values=pixels)
    np.testing.assert_allclose(rows, answer.pooler_output.flatten(1).numpy(), atol=1e-4)
    assert np.abs(rows[0] - rows[1]).max() > 1e-3


def test_the_same_looks_are_joined_by_the_runtime(
    tmp_path: Path, function: Any, ask: Any, picture: PIL.Image.Image
) -> None:
    """Two boxes that changed places: the join is by looks."""
    tiny_networks.save("transformers_reid", "dinov3_vit", tmp_path)
    embedder = function("transformers_reid", tmp_path)
    places = [(20, 20, 120, 120), (360, 100, 480, 220)]
    boxes = [
        {"id": n, "label_id": 1, "type": "rectangle", "points": [float(v) for v in box]} for n, box in enumerate(places)
    ]
    answer = ask(
        embedder, image0=picture, image1=picture, boxes0=boxes, boxes1=boxes[::-1], threshold=0.9, max_distance=1000
    )
    assert answer == [1, 0]
