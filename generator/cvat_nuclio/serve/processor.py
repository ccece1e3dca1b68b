"""One function as Nuclio's processor runs it: workers, http trigger, health server, timeouts, end."""

import asyncio
import contextlib
import shutil
import signal
import socket
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path

from .answer import Answer, NoResults, ResultError, read_answer
from .child import Interpreter, TimedOut, WorkerGone
from .engine_log import Log, Record
from .function_port import TriggerApp
from .function_settings import Settings
from .health import health_app
from .listener import App, Limits, Listener
from .pool import NoWorker, Pool
from .port import bind
from .slot import EventClock, Panic, Slot

SHUTDOWN_GRACE = 5.0
LAST_ANSWER = 0.5
TIMED_OUT = b'{"error": "handler timed out"}'


class Processor:
    """Serves one function on a port of its own. `workers` None: as many as the file says."""

    def __init__(self, settings: Settings, interpreter: Interpreter, log: Log, workers: int | None = None) -> None:
        self.settings = settings
        self._interpreter = interpreter
        self._log = log
        self.worker_count = workers or settings.trigger.workers
        self.slots: list[Slot] = []
        self._pool: Pool[Slot] = Pool([])
        self.ready = False
        self.exit_status: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.failure = ""
        self._hurried = asyncio.Event()
        self.on_change: Callable[[], None] = lambda: None
        self._listeners: list[Listener] = []
        self._sockets: list[socket.socket] = []
        self._background: list[asyncio.Task[None]] = []
        self._scratch: Path | None = None
        self.port = self.health_port = 0

    @property
    def pids(self) -> list[int]:
        """The worker processes that run."""
        return [slot.pid for slot in self.slots if slot.pid is not None]

    @property
    def is_ready(self) -> bool:
        """What `/ready` says: all workers ready and the start complete."""
        return self.ready and all(slot.status == "ready" for slot in self.slots)

    @property
    def waits_for(self) -> str:
        """What its start is at."""
        importing = sum(slot.is_importing for slot in self.slots)
        if importing or not self.slots:
            return f"{importing or self.worker_count} of {self.worker_count} workers import {self.settings.handler}"
        return f"{sum(slot.status != 'ready' for slot in self.slots)} of {self.worker_count} workers run init_context"

    async def start(self, host: str = "127.0.0.1", port: int = 0, health_port: int = 0) -> None:
        """Starts the health server and the workers; the function's port answers when all are ready. Raises Panic."""
        self._clock = EventClock()
        self._socket, health = self._bind(host, port), self._bind(host, health_port)
        self.port = self._socket.getsockname()[1]
        self.health_port = health.getsockname()[1]
        await self._listen(health, health_app(lambda: self.is_ready), Limits())
        interpreter, log = self._interpreter, self._log
        self._scratch = Path(tempfile.mkdtemp(prefix="cvat-nuclio-"))
        cwd = self.settings.working_folder(self._scratch)
        self.slots = [Slot(self.settings, n, interpreter, log, cwd, self._clock) for n in range(self.worker_count)]
        self._background = [asyncio.create_task(self._watch(slot)) for slot in self.slots]
        try:
            await all_or_first_error([slot.start() for slot in self.slots])
        except Panic as panic:
            await self._die(panic)
            raise
        self._pool = Pool(self.slots)
        if self.settings.event_timeout:
            self._background.append(asyncio.create_task(self._watch_timeouts(self.settings.event_timeout)))
        await self._start_trigger()
        self.ready = True

    def _bind(self, host: str, port: int) -> socket.socket:
        self._sockets.append(bind(host, port))
        return self._sockets[-1]

    async def _start_trigger(self) -> None:
        trigger = self.settings.trigger
        limits = Limits(trigger.max_head, trigger.max_body)
        await self._listen(self._socket, TriggerApp(limits, trigger.name, self._process), limits)

    async def _listen(self, sock: socket.socket, app: App, limits: Limits) -> None:
        listener = Listener(app, sock, limits)
        await listener.open()
        self._listeners.append(listener)

    async def _watch(self, slot: Slot) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            try:
                await slot.panic
            except Panic as panic:
                if self.ready:
                    await self._die(panic)

    async def _die(self, panic: Panic) -> None:
        """Ends everything at once, as a panic of Nuclio's processor does."""
        if self.failure or self.exit_status.done():
            return
        self.failure = failure_text(panic)
        self._say("error", f"panic: {panic}")
        await self._close()
        self.exit_status.set_result(panic.status)

    def _say(self, level: str, message: str, **fields: object) -> None:
        self._log.record(Record(self.settings.name, level, message, fields))

    async def _process(self, event: bytes) -> Answer:
        """A worker's answer to an event."""
        try:
            slot = await self._pool.allocate(self.settings.trigger.availability_timeout)
        except NoWorker:
            return Answer(503)
        lost = False
        try:
            return await read_answer(*await slot.process_event(event), self._interpreter.nuclio)
        except (WorkerGone, ResultError) as exc:
            return Answer(500, str(exc).encode())
        except TimedOut:
            return Answer(408, TIMED_OUT, chunked=True)
        except NoResults:
            lost = True
            self._say("error", "an empty list is an empty batch: the worker is lost, as in Nuclio")
            return Answer(500)
        finally:
            if not lost:
                self._pool.release(slot)

    async def _watch_timeouts(self, timeout: float) -> None:
        while True:
            await asyncio.sleep(timeout)
            late = [slot for slot in self.slots if self._clock.is_late(slot.event_time, timeout)]
            if late:
                await asyncio.gather(*(self._restart(slot) for slot in late))
                self.on_change()

    async def _restart(self, slot: Slot) -> None:
        self._say("info", "Restarting worker due to timeout", worker=slot.index)
        try:
            await slot.time_out()
        except Panic as panic:
            self._end = asyncio.create_task(self._die(panic))

    async def stop(self) -> None:
        """Refuses new requests, lets running ones end, calls the termination callbacks, ends the workers.

        Nuclio then sleeps until `workerTerminationTimeout` + 5 s have passed; this ends when all is done.
        """
        if self.exit_status.done():
            return
        if self.ready:
            self._pool.closed = True
            for slot in self.slots:
                slot.child.signal(signal.SIGUSR1)
            await self._wait_for_workers()
        await self._close()
        if not self.exit_status.done():
            self.exit_status.set_result(0)

    def hurry(self) -> None:
        """Makes `stop` wait for nothing more."""
        self._hurried.set()

    async def _wait_for_workers(self) -> None:
        grace = SHUTDOWN_GRACE + self.settings.trigger.termination_timeout
        waits = [asyncio.create_task(s.child.terminated.wait()) for s in self.slots if s.pid is not None]
        if waits:
            hurried = asyncio.create_task(self._hurried.wait())
            all_done = asyncio.create_task(asyncio.wait(waits, timeout=grace))
            await asyncio.wait({all_done, hurried}, return_when=asyncio.FIRST_COMPLETED)
            for task in (all_done, hurried, *waits):
                task.cancel()
        if all(slot.child.terminated.is_set() for slot in self.slots):
            await asyncio.gather(*(listener.finish(LAST_ANSWER) for listener in self._listeners))

    async def _close(self) -> None:
        for listener in self._listeners:
            listener.cut()
        for sock in self._sockets:
            sock.close()
        current = asyncio.current_task()
        for task in self._background:
            if task is not current:
                task.cancel()
        await asyncio.gather(*(slot.end() for slot in self.slots), return_exceptions=True)
        self.ready = False
        self._pool.end()
        if self._scratch:
            shutil.rmtree(self._scratch, ignore_errors=True)


async def all_or_first_error(coroutines: list[Coroutine[None, None, None]]) -> None:
    """Runs them at once; the first error ends the others and is raised."""
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
    try:
        for task in asyncio.as_completed(tasks):
            await task
    finally:
        for pending in tasks:
            pending.cancel()


def failure_text(panic: Panic) -> str:
    """The cause as the user should read it: the function's own traceback where there is one."""
    child = panic.child
    if child is None:
        return str(panic)
    cause = child.failure.get("traceback") or "\n".join(child.errors)
    return f"{cause.rstrip()}\n{panic}" if cause else str(panic)
