"""The wheel, installed in an environment of its own and used outside the checkout."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

PAGE = ("playground/page/index.html", "playground/page/kinds/tracker.js", "playground/page/samples/table.mp4")
FUNCTION = """\
import cvat_sdk.auto_annotation as cvataa

spec = cvataa.DetectionFunctionSpec(labels=[cvataa.label_spec("thing", 0, type="rectangle")])


def detect(context, image):
    return [cvataa.rectangle(0, [1.0, 2.0, 30.0, 40.0])]
"""


def run(*command: str | Path, cwd: Path) -> str:
    env = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}
    answer = subprocess.run(
        list(map(str, command)), cwd=cwd, env=env, capture_output=True, text=True, timeout=600, check=False
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout


@pytest.fixture(scope="module")
def wheel(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, so that nothing of the build stays in the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(repository / name, source)
    for name in ("generator", "templates", "serverless/aa_runtime", "functions"):
        shutil.copytree(repository / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder, source, cwd=folder)
    return next(folder.glob("*.whl"))


def test_wheel_holds_three_packages_and_their_data(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0] for name in names if ".dist-info" not in name} == {
        "cvat_nuclio", "aa_runtime", "cvat_functions",
    }  # fmt: skip
    for needed in ("templates/main.py.j2", "data/frameworks.yaml", "generate/probe_script.py", "py.typed", *PAGE):
        assert f"cvat_nuclio/{needed}" in names
    assert "aa_runtime/state/__init__.py" in names


def test_wheel_holds_every_module(wheel: Path, repository: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for parent in (repository / "generator", repository / "serverless", repository / "functions"):
        for package in ("cvat_nuclio", "aa_runtime", "cvat_functions"):
            for path in (parent / package).rglob("*.py"):
                assert path.relative_to(parent).as_posix() in names


def test_installed_tool_generates_a_bundle_that_works(wheel: Path, tmp_path: Path) -> None:
    run(sys.executable, "-m", "venv", "venv", cwd=tmp_path)
    python = tmp_path / "venv" / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", wheel, "pytest", cwd=tmp_path)
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "thing.py").write_text(FUNCTION)
    tool = tmp_path / "venv" / "bin" / "cvat-nuclio"
    run(tool, "generate", "--function-file", "thing.py", "--output", "thing", cwd=tmp_path / "work")
    nuclio = tmp_path / "work" / "thing" / "nuclio"
    assert "1 passed" in run(python, "-m", "pytest", "-q", cwd=nuclio)
    assert "stale" not in run(tool, "generate", "--check", "thing", cwd=tmp_path / "work")
    pytest.importorskip("onnx")
    from tools import tiny_onnx

    # A ready function of the wheel travels with its weights, and answers where the tool is not.
    tiny_onnx.yunet(tmp_path / "work" / "yunet.onnx", 320)
    run(tool, "generate", "--model", "yunet.onnx", "--output", "faces", cwd=tmp_path / "work")
    nuclio = tmp_path / "work" / "faces" / "nuclio"
    assert (nuclio / "cvat_functions" / "yunet_opencv.py").is_file()
    asked = "import main, nuclio_sdk, cvat_functions; print(cvat_functions.__file__)"
    assert str(nuclio) in run(python, "-c", asked, cwd=nuclio)
    assert "cvat-nuclio" not in (nuclio / "requirements.txt").read_text().partition("\n")[2]
