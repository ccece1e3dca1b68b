"""How far a run is, and how fast."""

import threading
import time
from datetime import timedelta

from ..waiting import Wait


class FrameProgress(Wait):
    """Counts frames of one run; `waiting.shown` tells of it. `advance` may be called from several threads."""

    def __init__(self, what: str, total: int, done: int = 0) -> None:
        super().__init__(what)
        self.total = total
        self.done = self._before = done
        self._lock = threading.Lock()

    def advance(self, count: int = 1) -> None:
        with self._lock:
            self.done += count

    @property
    def rate(self) -> float:
        """Frames a second of this process."""
        return (self.done - self._before) / max(time.monotonic() - self.begun, 1e-3)

    def line(self) -> str:
        """`task 12: 137 of 300 frames, 8.3 frames/s, 0:00:20 left`."""
        rate, rest = self.rate, self.total - self.done
        left = f", {timedelta(seconds=round(rest / rate))} left" if rate and rest else ""
        return f"{self.what}: {self.done} of {self.total} frames, {rate:.1f} frames/s{left}"
