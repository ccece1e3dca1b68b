"""What is said while something long runs."""

import io
import sys
import threading
import time
from collections.abc import Callable

import pytest
import rich.progress  # noqa: F401 - a busy machine takes seconds for it

from cvat_nuclio.waiting import waiting


class Watched(io.StringIO):
    """Standard error that tells when something was written; a terminal where `tty` is set."""

    def __init__(self, *, tty: bool = False) -> None:
        super().__init__()
        self._tty = tty
        self.changed = threading.Condition()

    def isatty(self) -> bool:
        return self._tty

    def write(self, text: str) -> int:
        with self.changed:
            self.changed.notify_all()
            return super().write(text)

    def wait_for(self, words: str) -> bool:
        """Whether the words come within half a minute, which is for a broken program alone."""
        with self.changed:
            return self.changed.wait_for(lambda: words in self.getvalue(), 30)


@pytest.fixture
def stderr(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], Watched]:
    def put(tty: bool) -> Watched:
        watched = Watched(tty=tty)
        monkeypatch.setattr(sys, "stderr", watched)
        monkeypatch.setenv("TERM", "xterm" if tty else "dumb")
        for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
            monkeypatch.delenv(name, raising=False)
        return watched

    return put


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cvat_nuclio.waiting.FIRST", 0.0)


def test_what_is_short_is_not_mentioned(stderr: Callable[[bool], Watched], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cvat_nuclio.waiting.FIRST", 60.0)
    watched = stderr(False)
    with waiting("loading"):
        pass
    assert watched.getvalue() == ""


def test_without_a_terminal_a_line_says_what_and_how_long(stderr: Callable[[bool], Watched]) -> None:
    watched = stderr(False)
    with waiting("loading [the] function"):
        assert watched.wait_for("loading [the] function … 0 s\n")


def test_without_a_terminal_it_is_said_again(
    stderr: Callable[[bool], Watched], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cvat_nuclio.waiting.AGAIN", (0.01, 0.02))
    watched = stderr(False)
    with waiting("loading"):
        assert watched.wait_for("loading … 0 s\n" * 3)


def test_on_a_terminal_the_lines_of_all_that_waits_are_rewritten_and_gone_at_the_end(
    stderr: Callable[[bool], Watched],
) -> None:
    watched = stderr(True)
    with waiting("one") as one, waiting("two"):
        one.detail = "step 3 of [5]"
        assert watched.wait_for("one … 0 s")
        assert watched.wait_for("two … 0 s")
        assert watched.wait_for("step 3 of [5]")
    assert watched.getvalue().rstrip("\r").endswith("\x1b[2K\x1b[?25h")  # erased, and the cursor shown again
    assert "\n" * 3 not in watched.getvalue()


def test_a_closed_standard_error_disturbs_nothing(stderr: Callable[[bool], Watched]) -> None:
    stderr(False).close()
    with waiting("loading"):
        time.sleep(0.05)


def test_errors_of_what_runs_pass_through(stderr: Callable[[bool], Watched]) -> None:
    stderr(False)
    with pytest.raises(KeyError), waiting("loading"):
        raise KeyError
