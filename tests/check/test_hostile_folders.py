"""Folders of strangers: what is no file, what is nested without end, names that speak to the terminal."""

import os
import shutil
from pathlib import Path

import pytest

from cvat_nuclio.__main__ import main

FUNCTION = "import cvat_sdk.auto_annotation as cvataa\nspec = cvataa.DetectionFunctionSpec(labels=[])\n"


def check(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    capsys.readouterr()
    try:
        status = main(["check", *map(str, arguments)])
    except SystemExit as error:
        status = int(error.code or 0)
    printed = capsys.readouterr()
    return status, printed.out + printed.err


@pytest.fixture
def bundle(tmp_path: Path, repository: Path) -> Path:
    """A sound bundle's files; `func.py` is a test's own."""
    for name in ("function.yaml", "main.py", "func.py"):
        (tmp_path / name).write_bytes((repository / "tests/bench/bundles/detector" / name).read_bytes())
    return tmp_path


@pytest.mark.parametrize("name", ["func.py", "other.py", "function-gpu.yaml", "cvat-nuclio.yaml", "x.json"])
def test_a_pipe_is_not_waited_for(bundle: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    (bundle / name).unlink(missing_ok=True)
    os.mkfifo(bundle / name)

    status, _ = check(capsys, bundle)

    assert status in (0, 1)


@pytest.mark.parametrize("name", ["cvat-nuclio.yaml", "cvat-nuclio.sums"])
def test_a_pipe_beside_the_bundle_is_not_waited_for(
    repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    source = repository / "serverless" / "opencv" / "grabcut"
    shutil.copytree(source / "nuclio", tmp_path / "nuclio")
    for path in source.glob("cvat-nuclio.*"):
        shutil.copy(path, tmp_path)
    (tmp_path / name).unlink()
    os.mkfifo(tmp_path / name)

    status, _ = check(capsys, tmp_path)

    assert status == 0


@pytest.mark.parametrize("text", ["a: " + "[" * 100_000, "{" * 50_000, "- " * 50_000, "? " * 50_000])
def test_yaml_without_end_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    (tmp_path / "function.yaml").write_text(text)

    status, words = check(capsys, tmp_path / "function.yaml")

    assert status == 1
    assert "exceeded max depth of 1000" in words


def test_options_without_end_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "cvat-nuclio.yaml").write_text("a: " + "[" * 100_000)

    assert main(["generate", str(tmp_path)]) == 2
    assert "is not YAML" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["def (\n", "x = 1\0\n", "(" * 100_000, "x=" + "-" * 200_000 + "1"])
def test_a_bundle_s_function_that_is_no_python_is_found(
    bundle: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    (bundle / "func.py").write_text(text)

    status, words = check(capsys, bundle)

    assert status == 1
    assert "func.py" in words
    assert "CN601" in words


def test_a_file_s_name_does_not_speak_to_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "\x1b[31mfunc\u202e.py"
    file.write_text(FUNCTION + "\x1b = 1\n")

    _, words = check(capsys, file)

    assert "\x1b" not in words
    assert "\u202e" not in words
    assert "\\x1b[31mfunc\\u202e.py" in words
