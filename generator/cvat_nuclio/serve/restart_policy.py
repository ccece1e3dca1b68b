"""A function's container: whatever runs the function, and Docker's restart policy around it."""

import asyncio
import contextlib
import time
from collections.abc import Callable

from .engine_log import Log, Record
from .function_settings import Settings
from .nuclio_processor import NuclioProcessor
from .processor import Processor
from .slot import Panic

# Docker's: the first wait, doubled each time up to the last; a container that ran long enough begins anew.
FIRST_WAIT, LAST_WAIT, RAN_LONG = 0.1, 60.0, 10.0


Function = Processor | NuclioProcessor
"""One start of a function on either engine."""


class Container:
    """Starts a function again when it has died, on the same ports, as often as its policy allows.

    `state` is Nuclio's word (building, ready, unhealthy), `cause` says why it is unhealthy. `exit_status` is that of
    the last start, once there will be no other.
    """

    def __init__(self, settings: Settings, make: Callable[[], Function], log: Log) -> None:
        self.settings = settings
        self.function = make()
        self.on_change: Callable[[], None] = lambda: None
        self.exit_status: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.restarts = 0
        self._make = make
        self._log = log
        self._last_failure = ""
        self._keeping: asyncio.Task[None] | None = None

    @property
    def state(self) -> str:
        """Nuclio's word for it."""
        if self.function.is_ready:
            return "ready"
        return "unhealthy" if self.cause else "building"

    @property
    def cause(self) -> str:
        """The last words of the last death, empty while none was."""
        lines = (self.function.failure or self._last_failure).strip().splitlines()
        return " | ".join(reversed(lines[-2:]))

    async def start(self, host: str, port: int) -> None:
        """Returns when the function answers; from then on it is kept running. Raises Panic, OSError."""
        self.function.on_change = self.on_change
        await self.function.start(host, port)
        self._keeping = asyncio.create_task(self._keep(host))

    async def _keep(self, host: str) -> None:
        wait, began = FIRST_WAIT, time.monotonic()
        while self.settings.restart.restarts(status := await self._death(), self.restarts):
            if time.monotonic() - began >= RAN_LONG:
                wait = FIRST_WAIT
            self.restarts += 1
            self._say("warn", f"its container has ended with {status}: restart {self.restarts} ({self._policy})")
            await asyncio.sleep(wait)
            wait, began = min(2 * wait, LAST_WAIT), time.monotonic()
            try:
                await self._start_again(host)
            except OSError as exc:
                await self.function.stop()
                self._last_failure, status = str(exc), 1
                break
        if status:
            self._say("error", f"unhealthy after {self.restarts} restarts ({self._policy}): {self.cause}")
        self.exit_status.set_result(status)
        self.on_change()

    async def _death(self) -> int:
        # Not awaited itself: the end of this task must not end it.
        await asyncio.wait([self.function.exit_status])
        status = self.function.exit_status.result()
        self._last_failure = self.function.failure
        self.on_change()
        return status

    async def _start_again(self, host: str) -> None:
        old, self.function = self.function, self._make()
        self.function.on_change = self.on_change
        with contextlib.suppress(Panic):
            await self.function.start(host, old.port, old.health_port)
        self.on_change()

    @property
    def _policy(self) -> str:
        return f"restart policy {self.settings.restart}"

    def _say(self, level: str, message: str) -> None:
        self._log.record(Record(self.settings.name, level, message))

    def hurry(self) -> None:
        """Makes `stop` wait for nothing more."""
        self.function.hurry()

    async def stop(self) -> None:
        """Ends gracefully, for good."""
        if self._keeping and not self.exit_status.done():
            self._keeping.cancel()
            await asyncio.wait([self._keeping])
        ended = self.function.exit_status
        waits_for_restart = ended.done()
        await self.function.stop()
        if not self.exit_status.done():
            self.exit_status.set_result(ended.result() if ended.done() and not waits_for_restart else 0)
