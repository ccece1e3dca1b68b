"""A checkout of CVAT's own functions, and environments that hold nothing but what a requirements file names."""

import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import attrs
import pytest
import uv
import yaml

WANTED = (
    "CVAT_SOURCE has to name a checkout of cvat-ai/cvat-models, or of cvat-ai/cvat up to May 2026, which has its "
    "functions in ai-models/: make test-ai-models CVAT_SOURCE=FOLDER"
)


def functions() -> dict[str, Path]:
    """The folders with a function, by their path in the checkout (`detector/yolo`); none without a checkout."""
    source = Path(os.environ.get("CVAT_SOURCE") or os.devnull)
    root = source / "ai-models" if (source / "ai-models").is_dir() else source
    return {
        path.parent.relative_to(root).as_posix(): path.parent.resolve() for path in sorted(root.glob("*/*/func.py"))
    }


@attrs.frozen
class Environment:
    """A virtual environment."""

    folder: Path

    @property
    def python(self) -> str:
        return str(self.folder / "bin/python")

    def pip(self, *words: str) -> None:
        """`uv pip WORDS`: as pip, and what two environments share is downloaded once."""
        run(uv.find_uv_bin(), "pip", words[0], "--python", self.python, *words[1:])

    def run(self, *words: str, cwd: Path, **variables: str) -> str:
        """`python WORDS`; its output."""
        return run(self.python, *words, cwd=cwd, **variables)

    def install_as_the_image_does(self, bundle: Path) -> None:
        """What function.yaml has pip do while the image is built."""
        build = yaml.safe_load((bundle / "function.yaml").read_text("utf-8"))["spec"]["build"]
        for step in build["directives"]["preCopy"]:
            if step["kind"] == "RUN" and "-m pip" in step["value"]:
                for command in step["value"].split(" && "):
                    words = shlex.split(command.replace("/tmp/", f"{bundle}/"))
                    assert words[:3] == ["python", "-m", "pip"]
                    self.pip(*(word for word in words[3:] if word != "-y"))


def run(*words: str, cwd: Path | None = None, **variables: str) -> str:
    """Standard output and error of a command that has to succeed."""
    done = subprocess.run(
        words, cwd=cwd, env={**os.environ, **variables}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=1800, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{shlex.join(words)}\n{done.stdout[-6000:]}"
    return done.stdout


@pytest.fixture
def environment(tmp_path: Path) -> Callable[[str], Environment]:
    """`environment(NAME)`: a new one without any package."""

    def environment(name: str) -> Environment:
        run(uv.find_uv_bin(), "venv", "-q", "--python", sys.executable, str(tmp_path / name))
        return Environment(tmp_path / name)

    return environment
