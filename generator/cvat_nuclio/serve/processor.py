"""One function as Nuclio's processor runs it: workers, http trigger, health server, timeouts, end."""

import asyncio
import contextlib
import shutil
import signal
import socket
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path

from .child import Interpreter, TimedOut, WorkerGone
from .clock import EventClock
from .cloudevent import EventError
from .connection import Connection, Handler, Limits
from .cors import Gate
from .event import encode_event
from .health import health_handler
from .log import Log, Record
from .pool import NoWorker, Pool
from .request import Request
from .response import Response
from .response_logs import LOG_LEVEL, add_logs
from .result import NoResults, ResultError, read_result, to_response
from .settings import Settings
from .slot import Panic, Slot

HEALTH_PATH = b"/__internal/health"
SHUTDOWN_GRACE = 5.0
BACKLOG = 1024
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
        self.ready = False
        self.exit_status: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.failure = ""
        self._hurried = asyncio.Event()
        self.on_change: Callable[[], None] = lambda: None
        self._connections: set[Connection] = set()
        self._servers: list[asyncio.Server] = []
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

    async def start(self, host: str = "127.0.0.1", port: int = 0, health_port: int = 0) -> None:
        """Starts the health server and the workers; the function's port answers when all are ready. Raises Panic."""
        self._clock = EventClock()
        self._socket, health = self._bind(host, port), self._bind(host, health_port)
        self.port = self._socket.getsockname()[1]
        self.health_port = health.getsockname()[1]
        await self._listen(health, health_handler(lambda: self.is_ready), Limits())
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
        self._gate = Gate(trigger.cors)
        await self._listen(self._socket, self._handle, Limits(trigger.max_head, trigger.max_body))

    async def _listen(self, sock: socket.socket, handler: Handler, limits: Limits) -> None:
        server = await asyncio.get_running_loop().create_server(
            lambda: Connection(handler, limits, self._connections), sock=sock, backlog=BACKLOG
        )
        self._servers.append(server)

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

    async def _handle(self, request: Request) -> Response | None:
        if request.path.startswith(HEALTH_PATH):
            return Response()
        response = Response()
        refusal = self._gate.check(request, response)
        return refusal or await self._run(request, response)

    async def _run(self, request: Request, response: Response) -> Response | None:
        trigger = self.settings.trigger
        level = request.header(LOG_LEVEL)
        records: list[Record] | None = None if level is None else []
        try:
            slot = await self._pool.allocate(trigger.availability_timeout)
        except NoWorker:
            answer = Response(503)
        else:
            answer = await self._submit(slot, request, trigger.name, records)
        answer.headers = response.headers | answer.headers
        if records is not None and level is not None and not answer.chunked:
            add_logs(answer, records, level.decode("latin-1"))
        return answer

    async def _submit(self, slot: Slot, request: Request, trigger: str, records: list[Record] | None) -> Response:
        lost = False
        slot.collect(records)
        try:
            packet = await slot.process_event(encode_event(request, trigger, slot.structured))
            return to_response(read_result(packet, self._interpreter.nuclio))
        except (WorkerGone, EventError, ResultError) as exc:
            return Response(500, str(exc).encode())
        except TimedOut:
            return Response(408, TIMED_OUT, chunked=True)
        except NoResults:
            lost = True
            self._say("error", "an empty list is an empty batch: the worker is lost, as in Nuclio")
            return Response(500)
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
            await self._wait_for_answers()

    async def _wait_for_answers(self) -> None:
        """The workers have answered; what they answered must be written."""
        end = asyncio.get_running_loop().time() + LAST_ANSWER
        while any(c.is_answering for c in self._connections) and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(0.01)

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        for sock in self._sockets:
            sock.close()
        for connection in list(self._connections):
            connection.abort()
        current = asyncio.current_task()
        for task in self._background:
            if task is not current:
                task.cancel()
        await asyncio.gather(*(slot.end() for slot in self.slots), return_exceptions=True)
        self.ready = False
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


def bind(host: str, port: int) -> socket.socket:
    """A socket that holds the port but does not listen yet: connections are refused. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    return sock


def failure_text(panic: Panic) -> str:
    """The cause as the user should read it: the function's own traceback where there is one."""
    child = panic.child
    if child is None:
        return str(panic)
    cause = child.failure.get("traceback") or "\n".join(child.errors)
    return f"{cause.rstrip()}\n{panic}" if cause else str(panic)
