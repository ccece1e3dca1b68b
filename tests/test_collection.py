"""Where an extra is not installed the tests are still collected, and the last line says what was left out."""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

#: Distributions whose packages have other names.
NAMES = {"scikit-image": "skimage", "scikit-learn": "sklearn", "scikit-video": "skvideo"}
#: The extras that tests ask for while they are collected, and the command that a run without one must name.
COMMAND = {
    "demo": "make test",
    "torch": "make test-models",
    "onnx": "make test",
    "openvino": "make test",
    "browser": "make test-page",
}
HIDING = """\
from importlib.machinery import PathFinder

found = PathFinder.find_spec
PathFinder.find_spec = lambda name, *more: None if name.partition(".")[0] in {names!r} else found(name, *more)
"""


def packages(repository: Path, extra: str) -> list[str]:
    """The packages that an extra installs."""
    extras = tomllib.loads((repository / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    return [NAMES.get(name, name) for name in (re.split("[<>=]", requirement)[0] for requirement in extras[extra])]


@pytest.fixture
def collect(repository: Path, tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """`collect(hidden, files)`: the exit status and the output of a run that only collects, some packages hidden."""

    def collect(hidden: Iterable[str], files: Iterable[Path] = ()) -> tuple[int, str]:
        (tmp_path / "hiding.py").write_text(HIDING.format(names=set(hidden)))
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "--collect-only", "-qq", "-p", "hiding", "-p", "no:cacheprovider", *files],
            cwd=repository,
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=600,
        )
        return done.returncode, done.stdout

    return collect


def test_every_module_is_collected_without_any_extra(repository: Path, collect: Callable[..., Any]) -> None:
    status, said = collect({name for extra in COMMAND for name in packages(repository, extra)})
    assert status == 0, said[-5000:]


@pytest.mark.parametrize("extra", COMMAND)
def test_every_guarded_module_is_collected_without_one(
    extra: str, repository: Path, collect: Callable[..., Any]
) -> None:
    guarded = [file for file in repository.glob("tests/**/test_*.py") if "importorskip(" in file.read_text("utf-8")]
    status, said = collect(packages(repository, extra), guarded)
    assert status == 0, said[-5000:]
    last = said.splitlines()[-1]
    assert last.startswith("Not run: tests/")
    assert f"`{COMMAND[extra]}` runs them" in last


def test_a_skip_is_a_failure_where_nothing_may_be_left_out(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text((repository / "tests" / "conftest.py").read_text("utf-8"))
    (tmp_path / "test_it.py").write_text(
        "import pytest\n\n\ndef test_it() -> None:\n    pytest.importorskip('absent')\n"
    )
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    whole, complete = (
        subprocess.run([*words, *more], cwd=tmp_path, capture_output=True, text=True, timeout=100)
        for more in ([], ["--complete"])
    )
    assert whole.returncode == 0
    assert complete.returncode == 1
    assert complete.stdout.splitlines()[-1].startswith("Not run: test_it.py")
