"""When an event began, as Nuclio's timeout watcher sees it: by a clock that is updated once a second.

In a processor's first 10 s the clock stands still at the time of its start, so that a young request can be killed.
"""

import math
import time

FIRST_UPDATE = 10.0
RESOLUTION = 1.0


class EventClock:
    """Monotonic seconds, stale as in Nuclio."""

    def __init__(self) -> None:
        self.started = time.monotonic()

    def now(self) -> float:
        """The time of the last update."""
        age = time.monotonic() - self.started
        if age < FIRST_UPDATE:
            return self.started
        return self.started + FIRST_UPDATE + math.floor((age - FIRST_UPDATE) / RESOLUTION) * RESOLUTION
