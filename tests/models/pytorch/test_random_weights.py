"""`tools.random_weights`: what it lays where, and that it never lays anything beside a function of the checkout."""

import shutil
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("openvino")

from tools import random_weights


@pytest.fixture
def checkout(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of `serverless/` as it is committed, with somebody's own weights beside one function."""
    copy = tmp_path / "checkout" / "serverless"
    patterns = shutil.ignore_patterns(
        "aa_runtime", "__pycache__", "*.pth", "yolo.onnx", "person_reid.onnx", "mask_rcnn.*"
    )
    shutil.copytree(repository / "serverless", copy, ignore=patterns)
    (copy / "onnx/yolo/nuclio/yolo.onnx").write_bytes(b"real weights")
    monkeypatch.setattr(random_weights, "SERVERLESS", copy)
    return copy


@pytest.fixture
def weights(checkout: Path) -> random_weights.Weights:
    """Those beside a function: torchvision's and the hub's take a minute, and lie in caches anyhow."""
    return {bundle: made for bundle, made in random_weights.small().items() if made[0].startswith("serverless")}


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_weights_lie_in_a_copy_and_the_checkout_is_left_alone(
    checkout: Path, weights: random_weights.Weights, tmp_path: Path
) -> None:
    before = contents(checkout)
    laid = list(random_weights.lay(tmp_path / "random", random_weights.bundles(), weights))
    assert contents(checkout) == before
    copy = tmp_path / "random/serverless"
    assert {str(file.relative_to(tmp_path / "random")) for file in laid} == {path for path, _ in weights.values()}
    assert all(file.exists() for file in laid)
    assert (copy / "onnx/yolo/nuclio/yolo.onnx").read_bytes() != b"real weights"
    assert (copy / "onnx/text-detection/nuclio/ch_PP-OCRv4_det_infer.onnx").exists()
    assert len(list(copy.glob("*/*/cvat-nuclio.yaml"))) == len(list(checkout.glob("*/*/cvat-nuclio.yaml")))


def test_what_was_generated_comes_back_and_nothing_else(
    checkout: Path, weights: random_weights.Weights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    list(random_weights.lay(tmp_path / "random", random_weights.bundles(), weights))
    before = contents(checkout)
    generated = tmp_path / "random/serverless/onnx/yolo"

    def regenerate(*_: object, **__: object) -> object:
        (generated / "nuclio/main.py").write_text("new")
        (generated / "nuclio/func.py").write_text("not generated")
        sums = generated / "cvat-nuclio.sums"
        sums.write_text("".join(line for line in sums.read_text().splitlines(True) if "requirements-gpu" not in line))
        return type("Done", (), {"returncode": 0})

    monkeypatch.setattr("subprocess.run", regenerate)
    assert random_weights.generate(tmp_path / "random") == 0
    after = contents(checkout)
    changed = {name for name in before | after if before.get(name) != after.get(name)}
    assert changed == {
        f"onnx/yolo/{name}" for name in ("nuclio/main.py", "cvat-nuclio.sums", "nuclio/requirements-gpu.txt")
    }
    assert "onnx/yolo/nuclio/requirements-gpu.txt" not in after
