"""When an event began, as Nuclio's timeout watcher sees it: by a clock that is updated once a second.

In a processor's first 10 s the clock stands still at the time of its start, so that a young request can be killed.
"""

import math
import time
from collections.abc import Callable

FIRST_UPDATE = 10.0
RESOLUTION = 1.0


class EventClock:
    """Seconds of `timer`, stale as in Nuclio."""

    def __init__(self, timer: Callable[[], float] = time.monotonic) -> None:
        self._timer = timer
        self.started = timer()

    def now(self) -> float:
        """The time of the last update."""
        age = self._timer() - self.started
        if age < FIRST_UPDATE:
            return self.started
        return self.started + FIRST_UPDATE + math.floor((age - FIRST_UPDATE) / RESOLUTION) * RESOLUTION

    def is_late(self, began: float | None, timeout: float) -> bool:
        """Whether an event that `began` at a time of this clock is over its timeout, in seconds, by the exact time."""
        return began is not None and self._timer() - began > timeout
