"""`make demo`, and the commands that it prints."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest


@pytest.fixture(scope="module")
def demo(repository: Path) -> Any:
    """What the demo printed."""
    done = subprocess.run([sys.executable, "-m", "tools.demo"], cwd=repository, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_leaves_a_picture_and_an_answer_of_each_function(demo: Any, repository: Path) -> None:
    folder = repository / "build/demo"
    kept = {}
    for name in ("text-detection", "grabcut", "correlation-tracker", "appearance-reid"):
        answer = json.loads((folder / f"{name}.json").read_text())
        assert answer["function"] == name
        assert answer["dropped"] == []
        kept[answer["kind"]] = answer["kept"]
    assert [shape["label"] for shape in kept["detector"]] == ["text"] * 7
    assert [shape["type"] for shape in kept["interactor"]] == ["mask"]
    assert {shape["frame"] for shape in kept["tracker"]} == set(range(61))
    assert len({shape["track"] for shape in kept["reid"]}) == 5
    with PIL.Image.open(folder / "correlation-tracker.gif") as picture:
        assert getattr(picture, "n_frames", 1) == 61
    for name in ("text-detection", "grabcut", "appearance-reid"):
        PIL.Image.open(folder / f"{name}.png").verify()


def test_draws_in_colour_on_the_lines_of_the_grey_page_and_nowhere_else(demo: Any, repository: Path) -> None:
    with PIL.Image.open(repository / "build/demo/text-detection.png") as picture:
        _, saturation, _ = picture.convert("HSV").split()
    scale = picture.width / 384

    def coloured(*box: int) -> bool:
        x1, y1, x2, y2 = (round(edge * scale) for edge in box)
        return bool(np.asarray(saturation.crop((x1, y1, x2, y2))).max() > 100)

    assert coloured(5, 13, 292, 34)
    assert coloured(5, 48, 378, 140)
    assert not coloured(300, 0, 384, 40)
    assert not coloured(180, 130, 384, 160)


@pytest.mark.parametrize("step", ["generate", "invoke"])
def test_printed_commands_can_be_pasted(demo: Any, repository: Path, step: Any) -> None:
    commands = [line for line in demo.splitlines() if f"cvat-nuclio {step} " in line and "grabcut" in line]
    (command,) = commands
    done = subprocess.run(["bash", "-c", command], cwd=repository, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_printed_server_starts(demo: Any, repository: Path) -> None:
    (command,) = [line for line in demo.splitlines() if "cvat-nuclio serve " in line]
    server = subprocess.Popen(
        ["bash", "-c", f"exec {command} --dashboard-port 0"], cwd=repository, stderr=subprocess.PIPE, text=True
    )
    try:
        seen = ""
        while "dashboard" not in seen.lower():
            assert server.stderr is not None
            line = server.stderr.readline()
            assert line, seen
            seen += line
    finally:
        server.terminate()
        server.communicate(timeout=30)
    assert server.returncode == 0
