"""What an image installs: all that the function loads, at versions that go together, asked of a folder of wheels."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cvat_nuclio.generate import closure

from .test_closure import wheel

SPEC = """
import cvat_sdk.auto_annotation as cvataa

spec = cvataa.DetectionFunctionSpec(labels=[cvataa.label_spec("x", 0)])


def detect(context, image):
    return []
"""
RUNTIME = {
    "attrs": "26.1.0", "cvat-sdk": "2.80.0", "msgpack": "1.2.4", "numpy": "2.4.6", "nuclio-sdk": "0.6.3",
    "opencv-python-headless": "5.0.0", "pillow": "13.0.0",
}  # fmt: skip


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workshop: Any) -> Path:
    """The only place to look in; it has what the runtime needs, and an old numpy with an OpenCV for it."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    for name, version in RUNTIME.items():
        requires = ["numpy>=2"] if name.startswith("opencv") else []
        wheel(folder, name.replace("-", "_"), version, *requires)
    wheel(folder, "numpy", "1.26.4")
    wheel(folder, "opencv_python_headless", "4.10.0", "numpy>=1.21")
    config = tmp_path / "pip.conf"
    config.write_text(f"[global]\nno-index = true\nfind-links = {folder}\n")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", str(config))
    monkeypatch.setattr("cvat_nuclio.generate.forms.resolve", closure.resolve)
    return folder


def lines(folder: Path, name: str) -> list[str]:
    text = (folder / "nuclio" / name).read_text()
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def generate(workshop: Any, requirements: str, source: str = SPEC, status: int = 0) -> Any:
    (workshop.folder / "func.py").write_text(source)
    (workshop.folder / "requirements.txt").write_text(requirements)
    run = workshop.run("--function-file", "func.py", "--output", "out")
    assert run.status == status, run.err
    return run


def test_what_requirements_bring_along_is_pinned(workshop: Any, index: Path) -> None:
    wheel(index, "detect", "2.0", "weights>=1")
    wheel(index, "weights", "1.5")

    generate(workshop, "detect\n")

    assert "detect" in lines(workshop.folder / "out", "requirements.txt")
    assert "-c constraints.txt" in lines(workshop.folder / "out", "requirements.txt")
    pins = lines(workshop.folder / "out", "constraints.txt")
    assert {"detect==2.0", "weights==1.5"} < set(pins)
    assert pins == sorted(pins)
    assert "constraints.txt" in (workshop.folder / "out" / "nuclio" / "function.yaml").read_text()


def test_what_the_function_loads_and_no_line_asks_for_is_added(
    workshop: Any, index: Path, packages: Callable[..., Path]
) -> None:
    packages({"engine": "3.1", "detect": "2.0"})
    wheel(index, "detect", "2.0")
    wheel(index, "engine", "3.1", "deep")
    wheel(index, "deep", "0.1")

    run = generate(workshop, "detect\n", "import detect, engine\n" + SPEC)

    assert "engine, which the function loads, is asked for nowhere in requirements.txt beside the function" in run.err
    assert "engine==3.1" in lines(workshop.folder / "out", "requirements.txt")
    assert "deep==0.1" in lines(workshop.folder / "out", "constraints.txt")


def test_what_a_line_brings_along_is_not_added(workshop: Any, index: Path, packages: Callable[..., Path]) -> None:
    packages({"engine": "3.1", "detect": "2.0"})
    wheel(index, "detect", "2.0", "engine")
    wheel(index, "engine", "3.1")

    assert generate(workshop, "detect\n", "import detect, engine\n" + SPEC).err == ""


def test_another_build_of_what_is_loaded_will_do(workshop: Any, index: Path, packages: Callable[..., Path]) -> None:
    packages({"engine": "3.1"})
    wheel(index, "engine_gpu", "3.1")

    assert generate(workshop, "engine-gpu\n", "import engine\n" + SPEC).err == ""


def test_the_runtime_s_versions_follow_the_function_s(workshop: Any, index: Path) -> None:
    generate(workshop, "numpy<2\n")

    assert "opencv-python-headless==4.10.0" in lines(workshop.folder / "out", "requirements.txt")
    assert "numpy==1.26.4" in lines(workshop.folder / "out", "constraints.txt")


def test_what_the_runtime_cannot_work_with_is_refused(workshop: Any, index: Path) -> None:
    wheel(index, "cvat_sdk", "2.39.0")

    run = generate(workshop, "cvat-sdk==2.39.0\n", status=2)

    assert "the requirements cannot be installed together" in run.err
    assert "cvat-sdk" in run.err
    assert not (workshop.folder / "out").exists()


def test_without_an_index_it_says_that_nothing_is_pinned(
    workshop: Any, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in index.iterdir():
        path.unlink()

    run = generate(workshop, "numpy\n")

    assert "what the requirements bring along is not pinned" in run.err
    assert "-c constraints.txt" not in lines(workshop.folder / "out", "requirements.txt")


def test_the_pins_of_a_bundle_stay_when_no_index_answers(workshop: Any, index: Path) -> None:
    wheel(index, "detect", "2.0")
    generate(workshop, "detect\n")
    before = lines(workshop.folder / "out", "constraints.txt")
    for path in index.iterdir():
        path.unlink()

    assert workshop.run("out", "--check").status == 0
    assert "not pinned" in workshop.run("out").err
    assert lines(workshop.folder / "out", "constraints.txt") == before


def test_torch_for_the_cpu_comes_without_cuda(workshop: Any, index: Path, packages: Callable[..., Path]) -> None:
    packages({"torch": "2.15.0", "torchvision": "0.29.2"})
    wheel(index, "torch", "2.15.0", "nvidia_blas")
    wheel(index, "nvidia_blas", "1")
    wheel(index, "torchvision", "0.29.2", "torch==2.15.0")
    folder = workshop.generate("on_torch")

    url = "--extra-index-url https://download.pytorch.org/whl/cpu"
    assert url in lines(folder, "requirements.txt")
    assert url not in lines(folder, "requirements-gpu.txt")
    assert "-c constraints.txt" in lines(folder, "requirements-gpu.txt")
    assert "torch==2.15.0" in lines(folder, "constraints.txt")
    assert workshop.run(folder, "--no-cpu-index").status == 0
    assert url not in lines(folder, "requirements.txt")


def test_what_an_image_downloads_is_said(
    workshop: Any, monkeypatch: pytest.MonkeyPatch, packages: Callable[..., Path]
) -> None:
    sizes = {"torch": 900_000_000, "nvidia-blas": 2_000_000_000, "triton": 300_000_000, "numpy": 20_000_000}

    def resolve(lines: list[str], *, python: str, tried: dict[str, str]) -> closure.Closure:
        return closure.Closure(pins=dict.fromkeys(sizes, "1.0"), sizes=sizes)

    monkeypatch.setattr("cvat_nuclio.generate.forms.resolve", resolve)
    packages({"torch": "2.15.0", "torchvision": "0.29.2"})
    (workshop.folder / "func.py").write_text("import torch\n" + SPEC)

    run = workshop.run("--function-file", "func.py", "--output", "out")

    assert "packages to download: 0.2 GB, 3.2 GB" in run.out
    assert (
        "0.2 GB of packages for the CPU, 3.2 GB for the GPU" in (workshop.folder / "out/nuclio/README.md").read_text()
    )
    assert workshop.run("out", "--check").status == 0
