"""Whole bundles, compared file by file: `pytest tests/generate/test_golden.py --snapshot-update` after a change."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

KUBERNETES = [
    "--replicas", "2", "--min-replicas", "1", "--max-replicas", "3", "--node-selector", "gpu=yes", "--toleration",
    "nvidia.com/gpu:NoSchedule", "--toleration", "team=cv", "--shm", "1Gi", "--image-pull-secret", "registry",
]  # fmt: skip
LIMITS = ["--memory", "4Gi", "--cpu", "2", "--env", "OMP_NUM_THREADS=2", "--max-body", "64Mi", "--event-timeout", "90s"]

CASES: dict[str, tuple[str, list[str]]] = {
    "detector": ("detector", ["--skeleton-edge", "arm:shoulder,elbow", "--skeleton-edge", "arm:elbow,hand", *LIMITS]),
    "interactor": ("interactor", ["--interactor-answer", "mask", "--help-message", "Click on it", "--workers", "3"]),
    "tracker": ("tracker", ["--lost-shape", "null", "--workers", "2", *KUBERNETES]),
    "tracker in memory": ("tracker", ["--state", "in-memory"]),
    "reid": ("reid", ["--bake"]),
    "torch": ("on_torch", ["--gpus", "2", "--prebuilt", "example/thing:1.0", "--apt", "libgomp1"]),
    "torch, CUDA 12": ("on_torch", ["--cuda", "12", "--no-bake", "--cpu-index-url", "https://example.org/cpu"]),
    "onnx": ("on_onnx", ["--bake", "--prebuilt", "example/thing"]),
    "onnx, CUDA 12": ("on_onnx", ["--cuda", "12", "--base-image", "example/base:1"]),
}


@pytest.mark.parametrize("case", CASES)
def test_bundle_is_as_it_was(
    case: str, workshop: Any, packages: Callable[..., Path], text_of: Callable[..., Any], snapshot: SnapshotAssertion
) -> None:
    packages({"torch": "2.15.0+cpu", "torchvision": "0.29.2", "onnxruntime": "1.32.0"})
    function, arguments = CASES[case]
    assert text_of(workshop.generate(function, *arguments)) == snapshot
