"""A place in a function's worker pool: the process in it changes when an event takes too long."""

import asyncio
import math
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .child import IMPORT_DEADLINE, Child, Interpreter, Packet, TimedOut, WorkerGone
from .engine_log import Log, Record
from .function_settings import Settings

SIGNALS = {
    signal.SIGKILL: "killed",
    signal.SIGTERM: "terminated",
    signal.SIGINT: "interrupt",
    signal.SIGSEGV: "segmentation fault",
    signal.SIGABRT: "aborted",
    signal.SIGHUP: "hangup",
}


FIRST_UPDATE = 10.0
RESOLUTION = 1.0


class Panic(Exception):
    """The function's processor ends with `status`, as Nuclio's does when a worker dies."""

    def __init__(self, message: str, status: int = 2, child: Child | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.child = child


class EventClock:
    """Seconds of `timer` as Nuclio's timeout watcher sees them: by a clock that is updated once a second.

    In a processor's first 10 s it stands still at the time of its start, so that a young request can be killed.
    """

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


class Slot:
    """Worker number `index` of a function."""

    def __init__(
        self, settings: Settings, index: int, interpreter: Interpreter, log: Log, cwd: Path, clock: EventClock
    ) -> None:
        self.index = index
        self.status = "initializing"
        self.event_time: float | None = None
        self._arguments = (settings, index, interpreter, log, cwd)
        self._clock = clock
        self.child = Child(*self._arguments)
        self.panic: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._watch: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The process id, None when it has ended."""
        process = getattr(self.child, "process", None)
        return process.pid if process and process.status is None else None

    @property
    def is_importing(self) -> bool:
        """Whether the process has yet to import the function's module."""
        return self.status != "ready" and not self.child.imported.is_set()

    async def start(self) -> None:
        """Starts a process and waits until it is ready. Raises Panic."""
        self.child = Child(*self._arguments)
        await self.child.start()
        self._watch = asyncio.create_task(self._watch_exit(self.child))
        try:
            await asyncio.wait_for(self._until(self.child.imported), IMPORT_DEADLINE)
        except TimeoutError:
            await self.child.kill()
            raise Panic("the worker did not connect within 2 minutes: i/o timeout", 1, self.child) from None
        await self._until(self.child.ready)
        self.status = "ready"

    async def _until(self, event: asyncio.Event) -> None:
        waiter: asyncio.Future[Any] = asyncio.create_task(event.wait())
        try:
            await asyncio.wait({waiter, self.panic}, return_when=asyncio.FIRST_COMPLETED)
            if self.panic.done():
                self.panic.result()
        finally:
            waiter.cancel()

    async def _watch_exit(self, child: Child) -> None:
        status = await child.wait()
        if child.cancelled or self.panic.done():
            return
        if status == 0:
            if self.status != "ready":
                message = "the worker has ended with status 0 before it was ready: the function never will be"
                settings, _, _, log, _ = self._arguments
                log.record(Record(settings.name, "error", message))
            return
        self.panic.set_exception(
            Panic(
                f"Wrapper process for worker {self.index} exited unexpectedly with: {exit_text(status)}",
                child=child,
            )
        )
        self.panic.exception()

    async def process_event(self, event: bytes) -> Packet:
        """The worker's response. Raises WorkerGone, TimedOut."""
        self.event_time = self._clock.now()
        try:
            if self.status != "ready":
                raise WorkerGone(f"Processor not ready (current status: {self.status})")
            return await self.child.process_event(event)
        finally:
            self.event_time = None

    async def time_out(self) -> None:
        """Kills the process, whose event ends with TimedOut, and starts another. Raises Panic."""
        self.status, self.event_time = "stopped", None
        await self.child.kill(TimedOut())
        await self.start()

    async def end(self) -> None:
        """Kills the process."""
        if self.pid is not None:
            await self.child.kill()
        if self._watch:
            await self._watch


def exit_text(status: int) -> str:
    """Go's words for an exit status; negative for a signal."""
    if status >= 0:
        return f"exit status {status}"
    try:
        return f"signal: {SIGNALS[signal.Signals(-status)]}"
    except (KeyError, ValueError):
        return f"signal: {-status}"
