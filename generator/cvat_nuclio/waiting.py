"""Nothing long is silent: after a second, standard error says what is waited for."""

import itertools
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress

FIRST = 1.0
"""Seconds before anything is said."""
AGAIN = (10.0, 30.0, 60.0)
"""Where there is no line to rewrite: seconds after which it is said again; from then on every minute."""


class Wait:
    """One thing that is waited for; `detail` is the last that is known of it, such as a program's last line."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.detail = ""
        self.begun = time.monotonic()

    def line(self) -> str:
        """`loading func.py … 5 s`."""
        return f"{self.what} … {time.monotonic() - self.begun:.0f} s"


@contextmanager
def waiting(what: str) -> Iterator[Wait]:
    """Says `what … N s` while the block runs."""
    wait = Wait(what)
    with shown(wait):
        yield wait


@contextmanager
def shown(wait: Wait) -> Iterator[None]:
    """Says its line on standard error while the block runs, from a second on.

    A terminal gets one line that is rewritten in place and is gone at the end, another output a line now and then.
    Several may run at once, each in a thread of its own.
    """
    over = threading.Event()
    thread = threading.Thread(target=_tell, args=(wait, over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _tell(wait: Wait, over: threading.Event) -> None:
    if over.wait(FIRST):
        return
    try:
        # Rich is slow to import: whoever waits less than a second need not wait for it.
        progress = _screen.enter()
        if progress is None:
            _in_lines(wait, over)
            return
        try:
            _in_place(wait, over, progress)
        finally:
            _screen.leave()
    except (OSError, ValueError):
        # Nobody reads standard error any more; what is waited for goes on.
        over.wait()


def _in_lines(wait: Wait, over: threading.Event) -> None:
    for moment in itertools.chain(AGAIN, itertools.count(2 * 60, 60)):
        print(wait.line(), file=sys.stderr, flush=True)
        if over.wait(max(moment - (time.monotonic() - wait.begun), 0.0)):
            return


def _in_place(wait: Wait, over: threading.Event, progress: "Progress") -> None:
    task = progress.add_task("", line="")
    try:
        while True:
            progress.update(task, line=f"{wait.line()}  {wait.detail}")
            if over.wait(0.25):
                return
    finally:
        progress.remove_task(task)


class _Screen:
    """The lines at the foot of the terminal; there is one such place, whatever waits."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._progress: Progress | None = None

    def enter(self) -> "Progress | None":
        """Where to show a line, or None where nothing can be rewritten in place."""
        from rich.console import Console
        from rich.progress import Progress, SpinnerColumn, TextColumn

        console = Console(stderr=True)
        if not console.is_interactive:
            return None
        with self._lock:
            if self._progress is None:
                line = TextColumn("{task.fields[line]}", markup=False)
                # Standard output is left alone where it goes elsewhere: rich would put it on standard error.
                self._progress = Progress(
                    SpinnerColumn(), line,
                    console=console, transient=True, redirect_stdout=sys.stdout.isatty(),
                )  # fmt: skip
                self._progress.start()
            self._users += 1
            return self._progress

    def leave(self) -> None:
        """Clears the place after the last line."""
        with self._lock:
            self._users -= 1
            if self._users == 0 and self._progress is not None:
                self._progress.stop()
                self._progress = None


_screen = _Screen()
