"""Where a system has no `fcntl`, Unix signals and flags of `os.open`, commands work or say what is missing."""

import subprocess
import sys
from pathlib import Path

import pytest

ZOO = Path(__file__).parent / "zoo"
GOOD = ZOO / "CN324-project" / "good"
HIDING = """
import os, signal, sys
for name in ("fcntl", "resource", "termios", "pwd", "grp"):
    sys.modules[name] = None
for name in ("SIGUSR1", "SIGUSR2", "SIGCONT", "SIGKILL"):
    delattr(signal, name)
for name in ("killpg", "geteuid", "O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC"):
    delattr(os, name)
from cvat_nuclio.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


def run(folder: Path, *words: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", HIDING, *map(str, words)]
    environment = {"PATH": str(folder), "XDG_STATE_HOME": str(folder), "HOME": str(folder)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False, env=environment)
    assert "Traceback" not in done.stderr, done.stderr
    return done


@pytest.mark.parametrize("command", ["check", "generate", "serve", "invoke", "deploy", "logs", "bench", "track"])
def test_every_command_explains_itself(command: str, tmp_path: Path) -> None:
    assert run(tmp_path, command, "--help").returncode == 0


def test_a_bundle_is_checked_and_its_deploy_is_shown(tmp_path: Path) -> None:
    assert run(tmp_path, "check", GOOD).returncode == 0
    done = run(tmp_path, "deploy", "--dry-run", "--skip-check", GOOD)
    assert done.returncode == 0
    assert "nuctl deploy --project-name cvat" in done.stdout


@pytest.mark.parametrize("command", ["serve", "bench", "invoke"])
def test_what_serves_is_refused_with_the_reason(command: str, tmp_path: Path) -> None:
    picture = Path(__file__).parent.parent / "docs" / "pictures" / "demo.jpg"
    done = run(tmp_path, command, GOOD, *([picture] if command == "invoke" else []))
    assert done.returncode == 2
    assert "needs Linux or macOS" in done.stderr
    assert "this system has no fcntl, resource, SIGUSR1, SIGUSR2" in done.stderr
    assert "WSL2" in done.stderr


def test_what_is_kept_for_the_user_alone_is_kept_there_too(tmp_path: Path) -> None:
    code = "from cvat_nuclio.state_keys import kept_key; print(kept_key('local', 'nuclio', 'x'))"
    hiding = HIDING.partition("from cvat_nuclio")[0] + code
    environment = {"XDG_STATE_HOME": str(tmp_path), "HOME": str(tmp_path)}
    keys = {
        subprocess.run(
            [sys.executable, "-c", hiding], capture_output=True, text=True, timeout=60, check=True, env=environment
        ).stdout
        for _ in range(2)
    }
    assert len(keys) == 1
