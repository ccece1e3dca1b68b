"""Requirements, base images and the tables behind them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.version import Version

from cvat_nuclio.data import tables
from cvat_nuclio.deploy.build_secrets import asked_secrets


def own(folder: Path, name: str = "requirements.txt") -> list[str]:
    text = (folder / "nuclio" / name).read_text()
    return [line for line in text.partition("# The runtime's.")[0].splitlines() if line and not line.startswith("#")]


def runtime(folder: Path) -> list[str]:
    text = (folder / "nuclio" / "requirements.txt").read_text().partition("# The runtime's.")[2]
    return [line.partition("==")[0] for line in text.splitlines()[1:]]


def spec(folder: Path, name: str = "function.yaml") -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((folder / "nuclio" / name).read_text())["spec"]
    return found


def test_file_beside_the_function_is_taken_as_it_is(workshop: Any) -> None:
    lines = ["# mine", "numpy<3,>=2  # why", "--prefer-binary", "Foo_Bar[x]~=1.0 ; python_version > '3'", "-r more.txt"]
    (workshop.folder / "requirements.txt").write_text("\n".join(lines) + "\n")
    (workshop.folder / "more.txt").write_text("opencv_python==4.10.0.84\n")
    folder = workshop.generate("detector")
    assert own(folder) == [*lines[1:4], "opencv-python-headless==4.10.0.84"]
    assert "# mine" in (folder / "nuclio" / "requirements.txt").read_text()
    assert runtime(folder) == ["attrs", "cvat-sdk", "msgpack", "nuclio-sdk", "pillow"]


def test_reid_needs_scipy(workshop: Any) -> None:
    assert "scipy" in runtime(workshop.generate("reid"))


def test_a_contrib_opencv_is_the_only_one(workshop: Any) -> None:
    (workshop.folder / "requirements.txt").write_text("opencv-contrib-python==4.10.0.84\n")
    folder = workshop.generate("detector")
    assert own(folder) == ["opencv-contrib-python-headless==4.10.0.84"]
    assert "opencv-python-headless" not in runtime(folder)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("-e .", "bring the code with --add"),
        ("./wheels/x.whl", "bring the code with --add"),
        ("x @ file:///tmp/x", "bring the code with --add"),
        ("-c pins.txt", "put its pins here"),
        ("numpy==2.0 --hash=sha256:00", "leave the hashes out"),
        ("numpy==", "mend the requirements file"),
        ("-r requirements.txt", "includes itself"),
        ("-r absent.txt", "cannot read the requirements"),
    ],
)
def test_lines_that_cannot_work_in_an_image_are_refused(workshop: Any, zoo: Path, text: str, words: str) -> None:
    (workshop.folder / "requirements.txt").write_text(f"\n{text}\n")
    run = workshop.run("--function-file", zoo / "detector.py", "--output", "out", "--requirements", "requirements.txt")
    assert run.status == 2
    assert words in run.err


@pytest.mark.parametrize(
    ("torch", "cuda", "pins", "driver"),
    [
        ("2.15.0", [], ["torch==2.15.0", "torchvision==0.29.2"], "580.65.06"),
        ("2.15.0", ["--cuda", "12"], ["torch==2.10.0", "torchvision==0.25.0"], "525.60.13"),
        ("2.8.0", ["--cuda", "12"], ["torch==2.8.0", "torchvision==0.29.2"], "525.60.13"),
        ("2.8.0", ["--cuda", "13"], ["torch==2.11.0", "torchvision==0.26.0"], "580.65.06"),
        ("2.9.0+cpu", [], ["torch==2.9.0", "torchvision==0.29.2"], "525.60.13"),
    ],
)
def test_torch_brings_its_cuda(
    workshop: Any, packages: Callable[..., Path], torch: str, cuda: list[str], pins: list[str], driver: str
) -> None:
    packages({"torch": torch, "torchvision": "0.29.2"})
    folder = workshop.generate("on_torch", *cuda)
    text = (folder / "nuclio" / "function-gpu.yaml").read_text()
    assert f"NVIDIA driver {driver} or newer" in text
    config = spec(folder, "function-gpu.yaml")
    assert config["build"]["baseImage"] == "python:3.11-slim"
    assert config["resources"]["limits"]["nvidia.com/gpu"] == "1"
    changed = (folder / "nuclio" / "requirements-gpu.txt").is_file()
    assert own(folder, "requirements-gpu.txt" if changed else "requirements.txt") == pins
    assert f"NVIDIA driver {driver}" in (folder / "nuclio" / "README.md").read_text()


@pytest.mark.parametrize(
    ("loaded", "cuda", "pin", "image"),
    [
        ({"onnxruntime": "1.32.0"}, [], "onnxruntime-gpu==1.31.1", "nvidia/cuda:13."),
        ({"onnxruntime": "1.32.0"}, ["--cuda", "12"], "onnxruntime-gpu==1.26.0", "nvidia/cuda:12."),
        ({"onnxruntime": "1.22.1"}, [], "onnxruntime-gpu==1.22.0", "nvidia/cuda:12."),
        ({"onnxruntime-gpu": "1.23.0"}, [], "onnxruntime-gpu==1.23.0", "nvidia/cuda:12."),
        ({"onnxruntime-gpu": "1.99.0"}, [], "onnxruntime-gpu==1.99.0", "nvidia/cuda:13."),
        ({"onnxruntime-gpu": "1.99.0"}, ["--cuda", "12"], "onnxruntime-gpu==1.26.0", "nvidia/cuda:12."),
        ({"onnxruntime": "1.19.2"}, [], "onnxruntime-gpu==1.20.2", "nvidia/cuda:12."),
    ],
)
def test_onnxruntime_takes_cuda_from_the_image(
    workshop: Any, packages: Callable[..., Path], loaded: dict[str, str], cuda: list[str], pin: str, image: str
) -> None:
    folder_of_packages = packages(loaded)
    if "onnxruntime-gpu" in loaded:
        # Both distributions hold the package `onnxruntime`; the real one is installed here.
        assert (folder_of_packages / "onnxruntime").is_dir()
    folder = workshop.generate("on_onnx", *cuda)
    changed = (folder / "nuclio" / "requirements-gpu.txt").is_file()
    assert own(folder, "requirements-gpu.txt" if changed else "requirements.txt") == [pin]
    assert spec(folder, "function-gpu.yaml")["build"]["baseImage"].startswith(image)


def test_an_open_requirement_gets_the_newest_release_that_fits(workshop: Any, packages: Callable[..., Path]) -> None:
    packages({"onnxruntime": "1.32.0"})
    (workshop.folder / "requirements.txt").write_text("onnxruntime>=1.20,<1.25\n")
    assert own(workshop.generate("on_onnx"), "requirements-gpu.txt") == ["onnxruntime-gpu==1.24.4"]


def test_no_gpu_form_without_a_framework_that_has_one(workshop: Any) -> None:
    folder = workshop.generate("detector")
    assert not (folder / "nuclio" / "function-gpu.yaml").exists()
    run = workshop.run(folder, "--cuda", "12")
    assert "--cuda is for functions on torch or ONNX Runtime" in run.err


def test_own_base_images_win(workshop: Any, packages: Callable[..., Path]) -> None:
    packages({"torch": "2.15.0", "torchvision": "0.29.2"})
    folder = workshop.generate("on_torch", "--base-image", "example/cpu:1", "--gpu-base-image", "example/gpu:1")
    assert spec(folder)["build"]["baseImage"] == "example/cpu:1"
    assert spec(folder, "function-gpu.yaml")["build"]["baseImage"] == "example/gpu:1"
    commands = [step["value"] for step in spec(folder)["build"]["directives"]["preCopy"]]
    assert any("python-is-python3" in command for command in commands)


def test_python_follows_what_the_pins_allow(workshop: Any, packages: Callable[..., Path]) -> None:
    packages({"torch": "2.15.0", "torchvision": "0.29.2"}, python=">=3.12")
    config = spec(workshop.generate("on_torch"))
    assert config["build"]["baseImage"] == "python:3.12-slim"
    # The wheels of every Nuclio's own image; nuclio-sdk and msgpack come from the requirements.
    assert config["runtime"] == "python:3.11"


def test_bake_is_the_default_where_weights_are_downloaded(workshop: Any, packages: Callable[..., Path]) -> None:
    packages({"torch": "2.15.0", "torchvision": "0.29.2"})
    commands = [step["value"] for step in spec(workshop.generate("on_torch"))["build"]["directives"]["preCopy"]]
    assert "python bake.py" in commands
    assert commands[-2] == "HF_HUB_OFFLINE=1 TRANSFORMERS_OFFLINE=1"
    assert not (workshop.generate("detector") / "nuclio" / "bake.py").exists()


def test_the_bake_alone_sees_a_build_s_secret(workshop: Any) -> None:
    bundle = workshop.generate("detector", "--bake", "--build-secret", "HF_TOKEN", "--build-secret", "OTHER")
    steps = spec(bundle)["build"]["directives"]["preCopy"]
    assert [step["value"] for step in steps if step["kind"] == "RUN"][-1] == (
        "--mount=type=secret,id=HF_TOKEN,required=true --mount=type=secret,id=OTHER,required=true"
        ' HF_TOKEN="$(cat /run/secrets/HF_TOKEN)" OTHER="$(cat /run/secrets/OTHER)" python bake.py'
    )
    assert asked_secrets({"spec": spec(bundle)}) == {"HF_TOKEN": True, "OTHER": True}
    assert "That step alone sees HF_TOKEN, OTHER" in (bundle / "nuclio" / "README.md").read_text()
    assert workshop.run(bundle, "--no-bake").status
    for name in ("A B", "x;y", "1", ""):
        assert workshop.run("detector.py", "--bake", "--build-secret", name).status


def test_tables_are_whole() -> None:
    for distribution in ("torch", "onnxruntime-gpu"):
        rows = tables.rows(distribution)
        assert {row.cuda_major for row in rows} == {"12", "13"}
        assert all(row.source for row in rows)
        # A newer release is never built for an older CUDA.
        assert [Version(row.cuda) for row in rows] == sorted(Version(row.cuda) for row in rows)
        assert [Version(row.version) for row in rows] == sorted(Version(row.version) for row in rows)
    for row in tables.rows("torch"):
        least, full = tables.drivers(row.cuda)
        assert Version(least) <= Version(full)
        assert row.cuda in tables.read("base_images")["drivers"]["full"]
        assert row.cudnn
        assert set(row.beside) == {"torchvision"}
    for major in ("12", "13"):
        image = tables.cuda_image(major)
        assert image["image"].startswith(f"nvidia/cuda:{image['version']}.")
        assert image["driver"] == tables.drivers(image["version"])[1]
        assert image["python"] in tables.python_versions()
        assert image["source"]
    assert all(item["source"] for item in tables.read("base_images")["frameworks"].values())


def test_releases_between_the_rows_get_the_nearest_older_one() -> None:
    assert tables.row_of("torch", "2.9.0").version == "2.9.1"
    assert tables.row_of("torch", "2.16.1").version == "2.15.0"
    assert tables.row_of("torch", "1.13.1").version == "2.6.0"
    assert not tables.covers("torch", "2.16.1")


@pytest.mark.parametrize("pinned", ["onnxruntime-gpu", "onnxruntime"])
def test_a_release_that_is_newer_than_the_table_is_told(
    workshop: Any, packages: Callable[..., Path], zoo: Path, pinned: str
) -> None:
    packages({pinned: "1.99.0"})
    run = workshop.run("--function-file", zoo / "on_onnx.py", "--output", workshop.folder / "bundle")
    newest = tables.rows("onnxruntime-gpu")[-1].version
    assert f"onnxruntime-gpu 1.99.0 is newer than what is known here; the GPU image gets CUDA for {newest}" in (
        " ".join((run.out + run.err).split())
    )


def test_a_person_has_a_skeleton_to_recognise() -> None:
    person = tables.read("skeletons")["coco-person"]
    assert len(person["points"]) == 17
    assert all(set(edge) <= set(person["points"]) for edge in person["edges"])
    assert len({tuple(point) for point in person["points"].values()}) == 17
