"""AA functions: what reading cannot decide is no error, and a function that is loaded answers for itself."""

import sys
from pathlib import Path

import pytest

from cvat_nuclio.__main__ import main
from cvat_nuclio.check import check, check_paths
from cvat_nuclio.check.ask_function import loader

HEAD = "from types import SimpleNamespace\n\nimport cvat_sdk.auto_annotation as cvataa\n\n"
DETECTOR = 'cvataa.DetectionFunctionSpec(labels=[cvataa.label_spec("cat", 0)])'
TRACKER = 'cvataa.TrackingFunctionSpec(supported_shape_types=["rectangle"])'
# All of these are sound: the methods are there, only not under `def`.
SOUND = {
    "a namespace": f"""
def find(context, image):
    return []

def create():
    return SimpleNamespace(spec={DETECTOR}, detect=find)
""",
    "attributes of the object": f"""
class Tracker:
    spec = {TRACKER}

    def __init__(self):
        self.track = self._track
        self.init_tracking_state = lambda context, image, shape: shape

    def _track(self, context, image, state):
        return state

create = Tracker
""",
    "names given by code": f"""
spec = {DETECTOR}
globals()["detect"] = lambda context, image: []
""",
    "a class made by code": f"""
def create():
    return type("Made", (), {{"spec": {DETECTOR}, "detect": lambda self, context, image: []}})()
""",
    "a name for another function": f"""
def find(context, image):
    return []

spec = {DETECTOR}
detect = find
""",
    "another file's class": f"""
from base import Base

class Function(Base):
    spec = {DETECTOR}

def create():
    return Function()
""",
    "delegation": f"""
class Function:
    spec = {DETECTOR}

    def __getattr__(self, name):
        return lambda context, image: []

create = Function
""",
    "one of two classes": f"""
class Small:
    spec = {DETECTOR}

    def detect(self, context, image):
        return []

class Large(Small):
    pass

def create(large: bool = False):
    return Large() if large else Small()
""",
}
BASE = "class Base:\n    def detect(self, context, image):\n        return []\n"
# Only running them shows what is missing, or that nothing can be called.
UNSOUND = {
    "needs the method detect": f"def create():\n    return SimpleNamespace(spec={DETECTOR})\n",
    "cannot be called with 2 arguments": f"""
def create():
    return SimpleNamespace(spec={DETECTOR}, detect=lambda image: [])
""",
    "nobody awaits it": f"""
async def find(context, image):
    return []

def create():
    return SimpleNamespace(spec={DETECTOR}, detect=find)
""",
    "is str, not a function": f"def create():\n    return SimpleNamespace(spec={DETECTOR}, detect='later')\n",
}


def written(folder: Path, text: str) -> Path:
    (folder / "base.py").write_text(BASE)
    file = folder / "func.py"
    file.write_text(HEAD + text)
    return file


@pytest.mark.parametrize("name", SOUND)
def test_what_reading_cannot_decide_is_no_error(tmp_path: Path, name: str) -> None:
    assert check_paths([written(tmp_path, SOUND[name])]) == []


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_function_that_is_loaded_is_clean(tmp_path: Path, name: str) -> None:
    checked = check([written(tmp_path, SOUND[name])], ask=loader(sys.executable))
    assert (checked.findings, checked.only_read) == ([], [])


@pytest.mark.parametrize("problem", UNSOUND)
def test_a_loaded_function_is_asked(tmp_path: Path, problem: str) -> None:
    file = written(tmp_path, UNSOUND[problem])
    assert check_paths([file]) == []
    (finding,) = check([file], ask=loader(sys.executable)).findings
    assert problem in finding.message
    assert finding.rule in ("CN702", "CN706")


def test_nothing_runs_unless_it_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path, SOUND["a namespace"] + f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    assert main(["check", str(file)]) == 0
    assert not (tmp_path / "ran").exists()
    assert "func.py: read, not loaded: --load runs the code" in capsys.readouterr().err
    assert main(["check", str(file), "--load"]) == 0
    assert (tmp_path / "ran").exists()
    assert "read, not loaded" not in capsys.readouterr().err


def test_what_cannot_be_loaded_is_read_and_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path, f"import no_such_package\n\nspec = {DETECTOR}\n")
    assert main(["check", str(file), "--python", sys.executable]) == 1
    out, err = capsys.readouterr()
    assert "needs the method detect" in out
    assert "func.py: read, not loaded" in err
    assert "no_such_package" in err


def test_a_bundles_function_is_loaded_with_its_parameters(tmp_path: Path) -> None:
    written(tmp_path, f"def create(name):\n    return SimpleNamespace(spec={DETECTOR}, **{{name: len}})\n")
    (tmp_path / "function.yaml").write_text(
        'metadata: {name: a, annotations: {type: detector, spec: \'[{"name": "cat"}]\'}}\n'
        "spec: {description: d, handler: 'main:handler', runtime: 'python:3.11'}\n"
    )
    source = "FunctionSource(file='func.py', parameters={'name': 'find'})"
    (tmp_path / "main.py").write_text(f"from aa_runtime import FunctionSource\n\nSOURCE = {source}\n\n\n"
                                      "def handler(context, event):\n    return ''\n")  # fmt: skip
    checked = check([tmp_path / "function.yaml"], ask=loader(sys.executable), select=["CN702"])
    assert [finding.file.name for finding in checked.findings] == ["func.py"]
    assert checked.only_read == []


@pytest.mark.parametrize("name", ["func.py", "helper.py"])
def test_a_syntax_error_is_found_in_the_folder_and_in_the_bundle(tmp_path: Path, name: str) -> None:
    written(tmp_path, f"import helper\n\nspec = {DETECTOR}\n\n\ndef detect(context, image):\n    return []\n")
    (tmp_path / "helper.py").write_text("def size(image):\n    return 1\n")
    with (tmp_path / name).open("a") as file:
        file.write("def broken(:\n")
    (finding,) = check_paths([tmp_path])
    assert (finding.rule, finding.file.name) == ("CN601", name)
