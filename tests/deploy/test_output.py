"""nuctl's output: seen while it comes, kept for later, in a place that is the user's own."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cvat_nuclio.deploy import transcript

Records = Callable[[str], list[dict[str, Any]]]
Scene = Callable[..., dict[str, str]]
MakeBundle = Callable[..., Path]

# The second of the lines that come while an image is built; the stand-in waits before it until the test lets it go on.
NEXT = "\x1b[34m(I)\x1b[0m \x1b[37m           nuctl.platform\x1b[0m Docker image was successfully built"


@contextmanager
def deploying(environment: dict[str, str], cwd: Path, *words: object, **streams: Any) -> Iterator[Any]:
    """`cvat-nuclio deploy` that is ended with the block."""
    command = [sys.executable, "-m", "cvat_nuclio", "deploy", "--skip-check", *map(str, words)]
    with subprocess.Popen(command, env=environment, cwd=cwd, stdin=subprocess.DEVNULL, **streams) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


@pytest.fixture
def environment(scene: Scene, records: Records, answering: int, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A build that stands still in the middle; the user's state lies in `state`."""
    monkeypatch.setenv("TERM", "xterm")
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    record = next(record for record in records("deploy") if record["id"] == "deploy-detector-first")
    assert NEXT in record["stdout"]
    return scene(stdout=record["stdout"], hold_before=NEXT, after={"state": "ready", "httpPort": answering})


def log(tmp_path: Path) -> Path:
    return tmp_path / "state" / "cvat-nuclio" / "deploy" / "logs" / "demo-detector.log"


def test_with_verbose_every_line_is_shown_and_kept_as_it_comes(
    environment: dict[str, str], make_bundle: MakeBundle, tmp_path: Path
) -> None:
    with deploying(
        environment, tmp_path, "--verbose", make_bundle(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        seen = ""
        while "Building docker image" not in seen:
            line = process.stdout.readline()
            assert line, seen
            seen = line
        assert line.startswith("demo-detector | ")
        assert "\x1b" not in line
        while "Pushing docker image" not in seen:
            seen = process.stdout.readline()
            assert seen
        kept = log(tmp_path).read_text()
        assert "Building docker image" in kept
        assert "successfully built" not in kept
        (tmp_path / "go").touch()
        rest = process.stdout.read()
        assert process.wait() == 0
    assert "demo-detector | " in rest
    assert "successfully built" in rest
    assert "successfully built" in log(tmp_path).read_text()


def test_on_a_terminal_the_last_line_is_rewritten_in_place(
    environment: dict[str, str], make_bundle: MakeBundle, tmp_path: Path
) -> None:
    ours, theirs = pty.openpty()
    with deploying(environment, tmp_path, make_bundle(), stdout=subprocess.PIPE, stderr=theirs, text=True) as process:
        os.close(theirs)
        seen = b""
        while b"Pushing docker image" not in seen:
            seen += os.read(ours, 4096)
        assert b"deploying demo-detector" in seen
        assert b"\x1b[2K" in seen
        (tmp_path / "go").touch()
        out = process.stdout.read()
        assert process.wait() == 0
    os.close(ours)
    assert "Pushing docker image" not in out
    assert "ready at" in out


def test_a_link_planted_where_the_log_or_the_lock_goes_is_not_followed(
    environment: dict[str, str], make_bundle: MakeBundle, tmp_path: Path
) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    bundle = make_bundle()
    (tmp_path / "go").touch()
    for planted in (log(tmp_path), log(tmp_path).parent.with_name("locks") / "demo-detector.lock"):
        planted.parent.mkdir(parents=True, exist_ok=True)
        planted.unlink(missing_ok=True)
        planted.symlink_to(victim)
        done = run(environment, tmp_path, bundle)
        assert done.returncode == 1
        assert f"cannot open {planted}: it is a link" in done.stdout
        planted.unlink()
    assert victim.read_text() == "precious"
    assert run(environment, tmp_path, bundle).returncode == 0


def test_a_log_folder_that_cannot_be_is_explained(
    environment: dict[str, str], make_bundle: MakeBundle, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    done = run(environment, tmp_path, "--logs", tmp_path / "file" / "x", make_bundle())
    assert done.returncode == 1
    assert "cannot make the folder" in done.stdout
    assert "Traceback" not in done.stderr


def test_a_state_folder_that_cannot_be_is_explained(
    environment: dict[str, str], make_bundle: MakeBundle, tmp_path: Path
) -> None:
    (tmp_path / "state").touch()
    done = run(environment, tmp_path, make_bundle())
    assert done.returncode == 2
    assert "cannot use the folder" in done.stderr
    assert "Traceback" not in done.stderr


def test_two_deploys_of_one_function_at_once(
    environment: dict[str, str], make_bundle: MakeBundle, tmp_path: Path
) -> None:
    bundle = make_bundle()
    with deploying(environment, tmp_path, "--verbose", bundle, stdout=subprocess.PIPE, text=True) as process:
        while "Building docker image" not in process.stdout.readline():
            assert process.poll() is None
        assert "another deploy of demo-detector is running" in run(environment, tmp_path, bundle).stdout
        (tmp_path / "go").touch()
        process.stdout.read()
        assert process.wait() == 0


def test_a_full_disk_ends_the_log_and_not_the_deploy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = Path("/dev/full")
    monkeypatch.setattr(transcript, "open_private", lambda path, mode: full.open(mode))
    shown: list[str] = []
    with transcript.transcript("f", ["nuctl"], tmp_path, shown.append) as log:
        for line in ("one", "two"):
            log.take(line)
    assert shown == ["one", "two"]
    assert "No space left" in str(log.trouble)


def run(environment: dict[str, str], cwd: Path, *words: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "cvat_nuclio", "deploy", "--skip-check", *map(str, words)]
    return subprocess.run(command, env=environment, cwd=cwd, capture_output=True, text=True, timeout=100)


def test_a_function_s_name_is_no_path(scene: Scene, make_bundle: MakeBundle, tmp_path: Path) -> None:
    environment = scene(name="../../x", after={"state": "error"}, exit_code=1)
    run(environment, tmp_path, "--platform", "kube", "--registry", "localhost:1", make_bundle("../../x"))
    names = {path.name for path in (tmp_path / "state").rglob("*") if path.is_file()}
    assert "..%2F..%2Fx.log" in names
    assert json.loads((tmp_path / "calls.jsonl").read_text().splitlines()[0])[0]
