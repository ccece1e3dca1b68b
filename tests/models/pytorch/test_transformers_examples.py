"""`cvat_functions.transformers_examples`, OWLv2 asked with pictures, against transformers' `image_guided_detection`."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from tools import tiny_networks  # noqa: E402

BOXES = {"1.png": (0, 0, 60, 40), "2.png": (10, 20, 50, 70), "3.png": (30, 5, 80, 60)}
LABELS = ("hat", "cat", "hat")


@pytest.fixture
def folders(tmp_path: Path, small: PIL.Image.Image) -> tuple[Path, Path]:
    """The network's and the examples'."""
    examples = tmp_path / "examples"
    examples.mkdir()
    for file, box in BOXES.items():
        small.crop(box).save(examples / file)
    rows = [{"label": label, "file": file} for label, file in zip(LABELS, BOXES, strict=True)]
    (examples / "examples.json").write_text(json.dumps(rows))
    tiny_networks.save("transformers_zero_shot", "owlv2", tmp_path / "owl")
    return tmp_path / "owl", examples


def library_s(network: Path, examples: Path, picture: PIL.Image.Image) -> tuple[Any, Any]:
    """Scores (patches, examples) and boxes (patches, 4) in pixels, an example at a time."""
    model = transformers.Owlv2ForObjectDetection.from_pretrained(network).eval()
    processor = transformers.AutoProcessor.from_pretrained(network)
    pixels = processor.image_processor(images=picture, return_tensors="pt")["pixel_values"]
    scores = []
    for file in BOXES:
        with PIL.Image.open(examples / file) as cut:
            query = processor.image_processor(images=cut.convert("RGB"), return_tensors="pt")["pixel_values"]
        with torch.inference_mode():
            answer = model.image_guided_detection(pixel_values=pixels, query_pixel_values=query)
        scores.append(answer.logits[0, :, 0].sigmoid().numpy())
    x, y, width, height = answer.target_pred_boxes[0].numpy().T
    corners = np.stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2], -1)
    # The picture is padded to a square below or at the right.
    return np.stack(scores, -1), corners * max(picture.size)


def test_boxes_are_those_of_image_guided_detection(
    folders: tuple[Path, Path], function: Any, detection: Any, small: PIL.Image.Image
) -> None:
    scores, boxes = library_s(*folders, small)
    by_label = np.stack([scores[:, [0, 2]].max(-1), scores[:, 1]], -1)
    threshold = float(np.median(by_label.max(-1)))
    finder = function("transformers_examples", folders[0], examples=str(folders[1]), overlap=1.0)
    assert [label.name for label in finder.spec.labels] == ["hat", "cat"]
    shapes = finder.detect(detection(conf_threshold=threshold), small)
    sure = np.flatnonzero(by_label.max(-1) > threshold)
    wanted = sorted((int(by_label[index].argmax()), *boxes[index].round(2)) for index in sure)
    got = sorted((shape.label_id, *np.round(shape.points, 2)) for shape in shapes)
    np.testing.assert_allclose(got, wanted, atol=0.02)
    assert len(wanted) > 2


def test_of_boxes_that_overlap_the_surest_stays(
    folders: tuple[Path, Path], function: Any, detection: Any, small: PIL.Image.Image
) -> None:
    find = [
        function("transformers_examples", folders[0], examples=str(folders[1]), overlap=overlap).detect(
            detection(conf_threshold=0.0), small
        )
        for overlap in (1.0, 0.3)
    ]
    assert 0 < len(find[1]) < len(find[0])
    assert {(shape.label_id, *shape.points) for shape in find[1]} < {(s.label_id, *s.points) for s in find[0]}


def test_what_was_computed_is_kept_and_of_this_network_alone(
    folders: tuple[Path, Path], function: Any, detection: Any, small: PIL.Image.Image, tmp_path: Path
) -> None:
    network, examples = folders

    def found(network: Path) -> list[Any]:
        finder = function("transformers_examples", network, examples=str(examples))
        return [shape.points for shape in finder.detect(detection(conf_threshold=0.0), small)]

    first, kept = found(network), (examples / "queries.npz").stat()
    assert found(network) == first
    assert (examples / "queries.npz").stat().st_mtime_ns == kept.st_mtime_ns
    other = transformers.Owlv2ForObjectDetection.from_pretrained(network)
    with torch.no_grad():
        other.class_head.dense0.weight.mul_(-1)
    other.save_pretrained(tmp_path / "other")
    transformers.AutoProcessor.from_pretrained(network).save_pretrained(tmp_path / "other")
    found(tmp_path / "other")
    assert (examples / "queries.npz").stat().st_mtime_ns != kept.st_mtime_ns


def test_examples_from_a_task_make_a_bundle_by_the_page_s_command(
    repository: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    standin_place: Any,
) -> None:
    from cvat_nuclio.__main__ import main
    from cvat_nuclio.cvat_server import Annotations, Marks

    page = (repository / "docs/models.md").read_text("utf-8")
    (line,) = re.findall(r"^cvat-nuclio (generate .*--examples-from-task 7 .*)$", page, re.M)
    cache = tiny_networks.in_cache(tmp_path, "google/owlv2-base-patch16-ensemble")
    tiny_networks.save("transformers_zero_shot", "owlv2", cache)
    scope = standin_place.task([{"name": "hat"}, {"name": "cat"}])
    hat, cat = (label.id for label in scope.labels)
    plain = {"type": "rectangle", "occluded": False, "z_order": 0, "attributes": [], "group": 0, "source": "manual"}
    shapes = [
        {**plain, "frame": 0, "label_id": hat, "points": [10.5, 10.0, 60.0, 40.0], "rotation": 0.0},
        {**plain, "frame": 2, "label_id": cat, "points": [-5.0, 20.0, 45.0, 70.0], "rotation": 90.0},
        {**plain, "frame": 1, "label_id": cat, "points": [1.0, 1.0, 3.0, 3.0], "rotation": 0.0},
    ]
    job = scope.jobs[0]
    Annotations(standin_place.connection, job.id).add({"shapes": shapes}, Marks())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    words = [*line.replace(" 7 ", f" {scope.task_id} ").split(), *standin_place.words]
    assert main(words) == 0
    told = capsys.readouterr().out
    assert "examples of hat (1), cat (1)" in told
    bundle = tmp_path / "like-these/nuclio"
    rows = json.loads((bundle / "examples/examples.json").read_text())
    assert [(row["label"], row["frame"]) for row in rows] == [("hat", 0), ("cat", 2)]
    for row, size in zip(rows, [(50, 30), (45, 50)], strict=True):
        with PIL.Image.open(bundle / "examples" / row["file"]) as cut:
            assert cut.size == size
    assert (bundle / "examples/queries.npz").is_file(), "the image has the embeddings, and need not compute them"
    assert '"hat"' in (bundle / "function.yaml").read_text()
    assert main(["generate", "--check", "like-these"]) == 0
    assert main([*words, "--examples-from-task", f"{scope.task_id}:2..2"]) == 0
    assert len(json.loads((bundle / "examples/examples.json").read_text())) == 1
    assert main([*words, "--examples-from-task", f"{scope.task_id}:3..3"]) == 2
    assert "no rectangle is drawn on the 1 frames" in capsys.readouterr().err
