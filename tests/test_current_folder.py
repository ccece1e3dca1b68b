"""Whatever lies in the folder where a command is run, its own Pythons import the standard library and packages."""

import subprocess
import sys
from pathlib import Path

import PIL.Image
import pytest

NAMES = ("types", "queue", "logging", "yaml", "json", "attrs", "numpy", "site", "aa_runtime", "main", "worker")
FUNCTION = """\
import logging
import queue
import cvat_sdk.auto_annotation as cvataa
import beside

assert queue.Queue and logging.getLogger
spec = cvataa.DetectionFunctionSpec(labels=[cvataa.label_spec(beside.LABEL, 0)])


def detect(context, image):
    return [cvataa.rectangle(0, [1, 2, 30, 40])]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a function, a module of its own beside it, and files named like what every program imports."""
    folder = tmp_path_factory.mktemp("current")
    for name in NAMES:
        (folder / f"{name}.py").write_text(f"raise SystemExit('{name}.py of the current folder was imported')\n")
    (folder / "function.py").write_text(FUNCTION)
    (folder / "beside.py").write_text("LABEL = 'from beside'\n")
    PIL.Image.new("RGB", (80, 60)).save(folder / "image.png")
    generated = run(folder, "generate", "--function-file", "function.py", "--output", "bundle")
    assert generated.returncode == 0, generated.stderr
    assert (folder / "bundle" / "nuclio" / "beside.py").is_file()
    return folder


def run(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    program = Path(sys.executable).with_name("cvat-nuclio")
    return subprocess.run([program, *words], cwd=folder, capture_output=True, text=True, timeout=300)


@pytest.mark.parametrize(
    "words",
    [
        ["generate", "bundle"],
        ["generate", "--check", "bundle"],
        ["check", "bundle"],
        ["invoke", "bundle", "image.png", "--json"],
        ["bench", "--requests", "2", "--clients", "1", "bundle"],
    ],
)
def test_a_command_works_beside_files_named_like_modules(folder: Path, words: list[str]) -> None:
    done = run(folder, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "of the current folder was imported" not in done.stdout + done.stderr
