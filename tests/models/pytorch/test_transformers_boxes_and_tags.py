"""The detectors and classifiers of `cvat_functions` over transformers, each architecture with small random weights.

What they return is compared with transformers' own pipelines, and where it has none that takes these networks, with its
own decoding of the same answer.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("timm")

from tools import tiny_networks  # noqa: E402

VOCABULARY = "helmet; person with a bag; cat"


@pytest.mark.parametrize("name", tiny_networks.families()["transformers_detection"])
def test_boxes_are_the_pipeline_s(
    name: str, tmp_path: Path, function: Any, detection: Any, small: PIL.Image.Image
) -> None:
    tiny_networks.save("transformers_detection", name, tmp_path)
    found = transformers.pipeline("object-detection", model=str(tmp_path), threshold=0.0)(small)
    threshold = float(np.median([item["score"] for item in found]))
    wanted = Counter((item["label"], *item["box"].values()) for item in found if item["score"] > threshold)
    detector = function("transformers_detection", tmp_path)
    names = {label.id: label.name for label in detector.spec.labels}
    shapes = detector.detect(detection(conf_threshold=threshold), small)
    # The pipeline cuts coordinates to whole pixels.
    got = Counter((names[shape.label_id], *(int(number) for number in shape.points)) for shape in shapes)
    assert got == wanted
    assert len(wanted) > 2


def test_labels_are_the_network_s_without_gaps(
    tmp_path: Path, function: Any, detection: Any, small: PIL.Image.Image
) -> None:
    """COCO's numbers have gaps, which checkpoints call N/A; ImageNet has two classes of one name."""
    names = {0: "N/A", 1: "crane", 2: "crane"}
    tiny_networks.save("transformers_detection", "rf_detr", tmp_path, id2label=names)
    detector = function("transformers_detection", tmp_path)
    assert [(label.name, label.id) for label in detector.spec.labels] == [("crane", 1)]
    found = transformers.pipeline("object-detection", model=str(tmp_path), threshold=0.0)(small)
    shapes = detector.detect(detection(conf_threshold=0.0), small)
    assert len(shapes) == sum(item["label"] == "crane" for item in found) > 0
    assert {shape.label_id for shape in shapes} == {1}


@pytest.mark.parametrize(
    ("lacks", "said"),
    [
        ("preprocessing", r"no preprocessing that can be read.*preprocessor_config\.json"),
        ("code", "code of its own"),
        ("shapes", "other shapes than its config.json says"),
        ("type", "cannot load .*nobodys_detr.*pip install --upgrade transformers"),
    ],
)
def test_what_a_folder_lacks_is_told(tmp_path: Path, function: Any, lacks: str, said: str) -> None:
    tiny_networks.save("transformers_detection", "rt_detr", tmp_path)
    file = tmp_path / "config.json"
    config = json.loads(file.read_text("utf-8"))
    if lacks == "preprocessing":
        for processor in tmp_path.glob("*processor_config.json"):
            processor.unlink()
    elif lacks == "shapes":
        config["d_model"] *= 2
    else:
        config["model_type"] = "nobodys_detr"
    if lacks == "code":
        config["auto_map"] = {name: f"code.{name}" for name in ("AutoConfig", "AutoModelForObjectDetection")}
        (tmp_path / "code.py").write_text(f"open({str(tmp_path / 'run')!r}, 'w')\n")
    file.write_text(json.dumps(config), "utf-8")
    with pytest.raises((ValueError, FileNotFoundError), match=said):
        function("transformers_detection", tmp_path)
    assert not (tmp_path / "run").exists()


def test_a_wrong_file_is_refused(tmp_path: Path, function: Any) -> None:
    tiny_networks.save("transformers_detection", "yolos", tmp_path)
    with pytest.raises(ValueError, match="it is not the file that was chosen"):
        function("transformers_detection", tmp_path, sha256="0" * 64)
    import hashlib

    right = hashlib.sha256((tmp_path / "model.safetensors").read_bytes()).hexdigest()
    assert function("transformers_detection", tmp_path, sha256=right).spec.labels


def test_a_missing_network_says_what_to_do(tmp_path: Path, function: Any) -> None:
    with pytest.raises(FileNotFoundError, match=r"no model .*generate --bake.*-p model=file:FOLDER"):
        function("transformers_detection", tmp_path / "nothing")


@pytest.mark.parametrize("name", tiny_networks.families()["transformers_classification"])
def test_the_tag_is_the_pipeline_s(
    name: str, tmp_path: Path, function: Any, detection: Any, small: PIL.Image.Image
) -> None:
    tiny_networks.save("transformers_classification", name, tmp_path, problem_type="single_label_classification")
    best = transformers.pipeline("image-classification", model=str(tmp_path))(small)[0]
    classifier = function("transformers_classification", tmp_path)
    (tag,) = classifier.detect(detection(), small)
    assert {label.id: label.name for label in classifier.spec.labels}[tag.label_id] == best["label"]
    assert classifier.detect(detection(conf_threshold=min(1.0, best["score"] + 1e-3)), small) == []


def test_labels_that_do_not_exclude_each_other_are_all_given(
    tmp_path: Path, function: Any, detection: Any, small: PIL.Image.Image
) -> None:
    tiny_networks.save("transformers_classification", "vit", tmp_path, problem_type="multi_label_classification")
    found = transformers.pipeline("image-classification", model=str(tmp_path), top_k=3)(small)
    threshold = (found[1]["score"] + found[2]["score"]) / 2
    classifier = function("transformers_classification", tmp_path)
    names = {label.id: label.name for label in classifier.spec.labels}
    tags = classifier.detect(detection(conf_threshold=threshold), small)
    assert {names[tag.label_id] for tag in tags} == {item["label"] for item in found[:2]}


@pytest.mark.parametrize("name", tiny_networks.families()["transformers_zero_shot"])
def test_phrases_are_found_as_the_library_decodes_them(
    name: str, tmp_path: Path, function: Any, detection: Any, small: PIL.Image.Image
) -> None:
    model = tiny_networks.save("transformers_zero_shot", name, tmp_path)
    processor = transformers.AutoProcessor.from_pretrained(tmp_path)
    words = VOCABULARY.split("; ")
    grounded = "grounding" in name
    inputs = processor(
        images=small, text="helmet. person with a bag. cat." if grounded else [words], return_tensors="pt"
    )
    with torch.inference_mode():
        answer = model(**inputs)
    if grounded:
        inside = [[1], [3, 4, 5, 6], [8]]
        sure = torch.stack([answer.logits[0].sigmoid()[:, places].amax(-1) for places in inside], -1)
        threshold = float(sure.amax(-1).median())
        # The library's own keeps a box for any token, full stops included.
        options = {"threshold": threshold, "text_threshold": threshold, "input_ids": inputs["input_ids"]}
    else:
        threshold, options = 0.0, {"threshold": 0.0, "text_labels": [words]}
    wanted = processor.post_process_grounded_object_detection(answer, target_sizes=[small.size[::-1]], **options)[0]
    finder = function("transformers_zero_shot", tmp_path, labels=VOCABULARY)
    assert [label.name for label in finder.spec.labels] == words
    shapes = finder.detect(detection(conf_threshold=threshold), small)
    got = np.array([shape.points for shape in shapes])
    expected = wanted["boxes"].numpy()
    if grounded:
        number = sure.argmax(-1)[sure.amax(-1) > threshold]
        assert [shape.label_id for shape in shapes] == number.tolist()
        assert all(np.isclose(expected, box, atol=1e-3).all(-1).any() for box in got)
        assert 0 < len(got) <= len(expected)
    else:
        assert [words[shape.label_id] for shape in shapes] == list(wanted["text_labels"])
        np.testing.assert_allclose(got, expected, atol=1e-3)
    assert shapes


def test_a_vocabulary_that_the_network_cannot_read_is_refused(tmp_path: Path, function: Any) -> None:
    tiny_networks.save("transformers_zero_shot", "grounding-dino", tmp_path)
    with pytest.raises(ValueError, match="fewer or shorter phrases"):
        function("transformers_zero_shot", tmp_path, labels="; ".join(f"{'a ' * n}cat" for n in range(20)))
    with pytest.raises(ValueError, match="give each phrase once"):
        function("transformers_zero_shot", tmp_path, labels="cat; cat")
