"""The README's own example, run as it stands."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import PIL.Image
import pytest


@pytest.fixture
def readme(repository: Path) -> str:
    return (repository / "README.md").read_text("utf-8")


def test_the_example_becomes_a_bundle_that_answers(readme: str, tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n# func\.py\n(.*?)```", readme, re.DOTALL)
    (tmp_path / "func.py").write_text(code)
    PIL.Image.new("RGB", (320, 240), (200, 120, 40)).save(tmp_path / "photo.jpg")
    commands = [line.partition("#")[0] for line in re.findall(r"^cvat-nuclio .*$", readme, re.MULTILINE)]
    assert [line.split()[1] for line in commands] == ["generate", "invoke", "check"]
    for line in commands:
        words = [sys.executable, "-m", "cvat_nuclio", *shlex.split(line)[1:]]
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
    with PIL.Image.open(tmp_path / "result.png") as drawn:
        assert drawn.width >= 320


def test_ci_runs_the_commands_of_the_readme_word_for_word(readme: str, repository: Path) -> None:
    (block,) = re.findall(r"^## Try it\n[^`#]*```\n(.*?)```", readme, re.DOTALL | re.MULTILINE)
    commands = [line.partition("#")[0].strip() for line in block.splitlines()]
    assert commands == ["make demo", "make test"]
    printed = subprocess.run([repository / ".ci/stranger", "--print"], capture_output=True, text=True, check=True)
    assert printed.stdout.splitlines() == commands
    assert ".ci/stranger\n" in (repository / ".ci/run").read_text("utf-8")


def test_every_link_leads_somewhere(repository: Path) -> None:
    pages = [*repository.glob("*.md"), *repository.glob("docs/*.md"), *repository.glob("tests/recordings/*.md")]
    for page in [*pages, *repository.glob("serverless/*/*/README.md")]:
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.relative_to(repository)} links to {target}"
