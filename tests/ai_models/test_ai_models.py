"""CVAT's own functions for its agents, unchanged, become bundles that work.

Each with its own requirements, as CVAT's agent has it, and the bundle's in another environment, as the image has it.
`conftest.WANTED` says where the functions come from: none of their code is here.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import PIL.Image
import PIL.ImageDraw
import pytest
from tests.ai_models.conftest import WANTED, Environment, functions

from cvat_nuclio.__main__ import main
from cvat_nuclio.serve import running

FUNCTIONS = functions()
#: No index has the commit that they name.
RELEASED = {"sam-2 @ git+https://github.com/facebookresearch/sam2.git": "sam2==1.1.0"}
HUB = "hub-cache"


@attrs.frozen
class Case:
    """How a function is loaded over the weights that `weights.py` makes, and asked."""

    weights: str
    parameters: tuple[str, ...]
    asked: tuple[str, ...]
    kept: frozenset[str]
    """The types of what CVAT keeps."""


CASES = {
    "detector/yolo": Case("yolo", ("model=file:best.pt",), (), frozenset({"rectangle"})),
    "detector/transformers": Case(
        "transformers", ("model=file:detector", "task=str:object-detection"), (), frozenset({"rectangle"})
    ),
    "tracker/sam2": Case(
        "sam2", ("model_id=str:facebook/sam2.1-hiera-tiny",), ("--shape", "polygon:100,80,180,80,180,160,100,160"),
        frozenset({"polygon"}),
    ),
    "interactor/sam2": Case("sam2_of_transformers", ("model_id=file:sam2",), ("--pos", "140,120"), frozenset({"mask"})),
}  # fmt: skip


def test_each_function_of_the_checkout_is_tried_here() -> None:
    assert FUNCTIONS, WANTED
    assert set(FUNCTIONS) <= set(CASES), "functions that this test does not know"
    assert {"detector/yolo", "tracker/sam2"} <= set(FUNCTIONS), "functions that were there are gone"


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    """A box that moves."""
    files = []
    for shift in (0, 4):
        picture = PIL.Image.linear_gradient("L").resize((320, 240)).convert("RGB")
        PIL.ImageDraw.Draw(picture).rectangle((100 + shift, 80, 180 + shift, 160), fill=(240, 200, 60))
        files.append(tmp_path / f"{shift}.png")
        picture.save(files[-1])
    return files


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_of_cvat_s_becomes_a_bundle_that_answers(
    name: str,
    tmp_path: Path,
    environment: Callable[[str], Environment],
    pictures: list[Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    case, source = CASES[name], FUNCTIONS[name]
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(released((source / "requirements.txt").read_text("utf-8")))
    # Whatever is not here must be nowhere: no test downloads weights.
    for variable, value in {"HF_HOME": str(tmp_path / HUB), "HF_HUB_OFFLINE": "1", "YOLO_OFFLINE": "true"}.items():
        monkeypatch.setenv(variable, value)
    theirs = environment("theirs")
    theirs.pip("install", "-q", "-r", str(requirements))
    weights = tmp_path / HUB if name == "tracker/sam2" else tmp_path
    weights.mkdir(exist_ok=True)
    shutil.copy(Path(__file__).with_name("weights.py"), tmp_path)
    theirs.run("weights.py", case.weights, str(weights), cwd=tmp_path)

    monkeypatch.chdir(tmp_path)
    # PyTorch's own index of wheels for the CPU is not asked: the usual one is enough.
    words = ["--requirements", str(requirements), "--python", theirs.python, "--no-cpu-index", "--output", "made"]
    parameters = [word for one in case.parameters for word in ("-p", one)]
    assert main(["generate", str(source / "func.py"), *words, *parameters]) == 0, capsys.readouterr().err
    bundle = tmp_path / "made/nuclio"
    assert (bundle / "func.py").read_bytes() == (source / "func.py").read_bytes()

    image = environment("image")
    image.install_as_the_image_does(bundle)
    image.pip("install", "-q", "pytest")
    tested = image.run("-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null", "--rootdir=.", cwd=bundle)
    assert " passed" in tested
    assert "skipped" not in tested

    capsys.readouterr()
    shown = pictures if name.startswith("tracker") else pictures[:1]
    with running(tmp_path / "made", python=image.python) as server:
        asked = ["--function", str(bundle / "function.yaml"), "--json", *case.asked]
        status = main(["invoke", server.url, *map(str, shown), *asked])
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (status, report["error"]) == (0, None)
    assert {item["type"] for item in report["kept"]} == case.kept
    assert report["dropped"] == []


def released(requirements: str) -> str:
    """The requirements, with releases in the place of commits that no index has; the only thing that is changed."""
    lines = []
    for line in requirements.splitlines():
        found = next((pin for commit, pin in RELEASED.items() if line.startswith(commit)), line)
        lines.append(found)
    return "\n".join(lines) + "\n"
