"""Tab completion: what the shells are told, and what they get back."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cvat_nuclio.__main__ import main


def completed(line: str, folder: Path) -> list[str]:
    """What argcomplete's shell code gets when it asks for the end of a line."""
    answer = folder / "answer"
    environment = {
        **os.environ, "_ARGCOMPLETE": "1", "COMP_LINE": line, "COMP_POINT": str(len(line)), "_ARGCOMPLETE_IFS": "\n",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(answer), "_ARGCOMPLETE_SHELL": "bash",
    }  # fmt: skip
    subprocess.run([sys.executable, "-m", "cvat_nuclio"], cwd=folder, env=environment, check=True, timeout=60)
    return [word.strip() for word in answer.read_text().split("\n")]


def test_commands_options_choices_and_files_are_completed(tmp_path: Path) -> None:
    (tmp_path / "street.py").write_text("")
    assert completed("cvat-nuclio gen", tmp_path) == ["generate"]
    assert {"--gpu-base-image", "--gpu-parameter", "--gpus"} <= set(completed("cvat-nuclio generate --gpu", tmp_path))
    assert set(completed("cvat-nuclio generate --state ", tmp_path)) == {"token", "in-memory"}
    assert completed("cvat-nuclio serve stre", tmp_path) == ["street.py"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_takes_its_code(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    code = capsys.readouterr().out
    assert "cvat-nuclio" in code
    if found := shutil.which(shell):
        subprocess.run([found, "-n", "/dev/stdin"], input=code, text=True, check=True, timeout=30)
    else:
        assert {"bash": "complete ", "zsh": "compdef ", "fish": "complete --command cvat-nuclio"}[shell] in code


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["serve", "x", "--worker", "2"], "serve: error: unrecognized arguments: --worker 2; did you mean --workers?"),
        (["generate", "x", "--require=a"], "did you mean --requirements?"),
        (["check", "x", "--zzz"], "cvat-nuclio check: error: unrecognized arguments: --zzz\n"),
    ],
)
def test_an_unknown_option_is_no_short_form_of_another(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err
