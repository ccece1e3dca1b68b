"""One function for each way to fail; what the user reads."""

import stat
import sys
from pathlib import Path
from typing import Any

import pytest

# What must be said, in this order.
WORDS = {
    "absent_module": ["could not be imported", "No module named 'no_such_package'", "line 2", "--python PATH"],
    "syntax": ["could not be imported", "SyntaxError", "syntax.py"],
    "raises": ["could not be imported", "RuntimeError: the weights are not there", "raises.py, line 1"],
    "exits": ["could not be imported", "SystemExit: 3"],
    "dies": ["Python died", "killed by SIGKILL", "about to die"],
    "no_spec": ["not a function that CVAT accepts", "function has no 'spec' attribute", "global `spec`"],
    "class_alone": ["no 'spec' attribute", "add `create = Detector` at the end of the file, and give -p weights=TYPE:"],
    "other_spec": ["unknown kind: builtins.dict"],
    # cvat-sdk's own words.
    "same_id": ["not a function that CVAT accepts", "label y has same ID as another label (0)"],
    "empty_name": ["Invalid value for `name`, length must be greater than or equal to `1`"],
    "unknown_shape_type": ["Invalid value for `value` (blob)"],
    # What cvat-sdk lets pass, and CVAT does not.
    "blank_name": ["empty name"],
    "same_name": ["label 'x' is there twice"],
    "same_sublabel": ["sublabel of 's' 'k' is there twice"],
    "same_attribute": ["attribute of 'x' 'a' is there twice"],
    "unsafe_sublabel": ["sublabel 'a\"b' of 's' cannot stand in a skeleton's picture"],
    "no_labels": ["no labels"],
    "no_shape_types": ["names no shape types"],
    "needs_parameter": [
        "could not be created",
        "missing 1 required positional argument: 'weights'",
        "-p NAME=TYPE:VALUE",
    ],
    "inner_type_error": ["could not be created", "object of type 'int' has no len()", "load it by itself"],
    "missing_file": ["could not be imported", "FileNotFoundError", "labels.txt"],
}


def test_every_broken_function_has_its_words(broken: Path) -> None:
    assert {path.stem for path in broken.glob("*.py")} == {*WORDS, "hangs"}


@pytest.mark.parametrize("name", WORDS)
def test_failure_is_explained(workshop: Any, broken: Path, name: str) -> None:
    run = workshop.run("--function-file", broken / f"{name}.py", "--output", "out")
    assert run.status == 2
    assert "Traceback" not in run.err
    position = 0
    for words in WORDS[name]:
        assert words in run.err[position:], run.err
        position = run.err.index(words, position)
    assert not (workshop.folder / "out").exists()


@pytest.mark.parametrize("has_init", [True, False])
def test_a_file_that_is_a_part_of_a_package_is_to_be_named_as_a_module(
    workshop: Any, monkeypatch: pytest.MonkeyPatch, has_init: bool
) -> None:
    package = workshop.folder / "src/mine"
    package.mkdir(parents=True)
    spec = 'cvataa.DetectionFunctionSpec(labels=[cvataa.label_spec("x", 0)])'
    detect = "def detect(context, image):\n    return []\n"
    (package / "f.py").write_text(
        f"import cvat_sdk.auto_annotation as cvataa\nfrom .part import X\nspec = {spec}\n{detect}"
    )
    (package / "part.py").write_text("X = 1\n")
    if has_init:
        (package / "__init__.py").touch()
    run = workshop.run("--function-file", package / "f.py", "--output", workshop.folder / "out")
    assert run.status == 2
    assert f"it is a part of a package: in {package.parent}, cvat-nuclio generate mine.f" in run.err
    monkeypatch.chdir(package.parent)
    assert workshop.run("mine.f", "--output", workshop.folder / "out").status == 0


def test_function_that_hangs_is_waited_for_aloud_and_stopped(
    workshop: Any, broken: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cvat_nuclio.waiting.FIRST", 0.0)
    run = workshop.run("--function-file", broken / "hangs.py", "--output", "out", "--timeout", "5")
    assert run.status == 2
    assert f"loading {broken / 'hangs.py'} … " in run.err
    assert "did not load within 5 s" in run.err
    assert "\n       waiting for the moon\n" in run.err


def test_noise_on_every_channel_does_no_harm(workshop: Any) -> None:
    assert (workshop.generate("noisy") / "nuclio" / "function.yaml").is_file()


def test_parameters_arrive_with_their_types(workshop: Any) -> None:
    given = {"size": "int:3", "scale": "float:inf", "word": 'str:it\'s "q"', "flag": "bool:no"}
    folder = workshop.generate("factory", *(f"-p{name}={text}" for name, text in given.items()))
    text = (folder / "nuclio" / "function.yaml").read_text("utf-8")
    for value in ("3", "inf", "False"):
        assert f'"name": "{value}"' in text
    scope: dict[str, Any] = {"__file__": str(folder / "nuclio" / "model_handler.py")}
    exec(compile((folder / "nuclio" / "model_handler.py").read_text(), "model_handler.py", "exec"), scope)
    assert dict(scope["SOURCE"].parameters) == {"size": 3, "scale": float("inf"), "word": 'it\'s "q"', "flag": False}


@pytest.mark.parametrize(
    ("parameter", "words"),
    [
        ("size", "not NAME=VALUE"),
        ("size=3", "parameter type not specified"),
        ("size=list:3", "unsupported parameter type 'list'"),
        ("size=int:x", "'x' is no int"),
    ],
)
def test_bad_parameters_are_named(workshop: Any, zoo: Path, parameter: str, words: str) -> None:
    run = workshop.run("--function-file", zoo / "factory.py", "--output", "out", "-p", parameter)
    assert run.status == 2
    assert words in run.err


def test_parameters_for_a_function_without_create(workshop: Any, zoo: Path) -> None:
    run = workshop.run("--function-file", zoo / "detector.py", "--output", "out", "-p", "a=int:1")
    assert "function takes no parameters" in run.err


def test_interpreter_without_cvat_sdk(workshop: Any, zoo: Path) -> None:
    bare = workshop.folder / "python"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    bare.chmod(bare.stat().st_mode | stat.S_IXUSR)
    run = workshop.run("--function-file", zoo / "detector.py", "--output", "out", "--python", "./python")
    assert run.status == 2
    assert "has no cvat-sdk" in run.err
    assert "pip install" in run.err


def test_interpreter_that_is_not_there(workshop: Any, zoo: Path) -> None:
    run = workshop.run("--function-file", zoo / "detector.py", "--output", "out", "--python", "./nothing")
    assert "cannot run" in run.err


def test_function_file_that_is_not_there(workshop: Any) -> None:
    run = workshop.run("--function-file", "nothing.py", "--output", "out")
    assert "there is no" in run.err


def test_module_that_is_not_there(workshop: Any) -> None:
    run = workshop.run("--function-module", "no_such_package.function", "--output", "out")
    assert "No module named 'no_such_package'" in run.err
