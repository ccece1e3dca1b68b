"""How far a run is: a line that is rewritten in place, or one now and then where nothing can be."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import attrs

FIRST, EVERY = 10.0, 30.0
"""Seconds before a line and between two, where there is no terminal."""


@attrs.define
class FrameProgress:
    """Counts frames of one run. `advance` may be called from several threads."""

    total: int
    done: int = 0
    begun: float = attrs.field(factory=time.monotonic)
    _before: int = attrs.field(init=False)
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False)

    def __attrs_post_init__(self) -> None:
        self._before = self.done

    def advance(self, count: int = 1) -> None:
        """So many more are done."""
        with self._lock:
            self.done += count

    @property
    def rate(self) -> float:
        """Frames a second of this process."""
        return (self.done - self._before) / max(time.monotonic() - self.begun, 1e-3)

    def line(self) -> str:
        """`137 of 300 frames, 8.3 frames/s, 20 s left`."""
        rate = self.rate
        left = f", {_clock((self.total - self.done) / rate)} left" if rate and self.done < self.total else ""
        return f"{self.done} of {self.total} frames, {rate:.1f} frames/s{left}"


def _clock(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60} min {whole % 60} s" if whole < 3600 else f"{whole // 3600} h {whole % 3600 // 60} min"


@contextmanager
def shown(what: str, progress: FrameProgress) -> Iterator[None]:
    """Shows the progress on standard error while the block runs."""
    over = threading.Event()
    thread = threading.Thread(target=_show, args=(what, progress, over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _show(what: str, progress: FrameProgress, over: threading.Event) -> None:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    console = Console(stderr=True)
    try:
        if not console.is_interactive:
            _in_lines(what, progress, over)
            return
        line = TextColumn("{task.fields[line]}", markup=False)
        columns = (TextColumn("{task.description}", markup=False), BarColumn(), line)
        with Progress(*columns, console=console, transient=True, redirect_stdout=sys.stdout.isatty()) as bar:
            task = bar.add_task(what, total=progress.total, line="")
            while not over.wait(0.25):
                bar.update(task, completed=progress.done, line=progress.line())
    except (OSError, ValueError):
        over.wait()  # nobody reads standard error any more; the run goes on


def _in_lines(what: str, progress: FrameProgress, over: threading.Event) -> None:
    pause = FIRST
    while not over.wait(pause):
        print(f"{what}: {progress.line()}", file=sys.stderr, flush=True)
        pause = EVERY
