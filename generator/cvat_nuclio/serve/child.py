"""A worker process seen from the engine: start, one event at a time, output, end."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..state_keys import worker_key
from .answer import go_text
from .engine_log import Log, Record
from .function_settings import Settings
from .spawn import LAST_OUTPUT, spawn

SCRIPT = Path(__file__).with_name("worker.py")
IMPORT_DEADLINE = 120.0
LINE_LIMIT = 1 << 30
EVENT_BUFFER = 1 << 22
PYTHON_LEVELS = {"warning": "warn", "error": "error", "critical": "error", "fatal": "error", "info": "info"}
ENV_DECODE = "NUCLIO_PYTHON_DECODE_EVENT_STRINGS"
OFF = {"no", "false", "disable", "disabled"}
# A response without its body, as JSON, and the body.
Packet = tuple[bytes, bytes]


class WorkerGone(Exception):
    """The worker cannot answer: 500 with this text."""


class TimedOut(Exception):
    """The worker was killed because the event took too long: 408."""


@dataclass(frozen=True)
class Interpreter:
    """`python`: the interpreter that holds the function's packages; `nuclio`: 1.13 or 1.14."""

    python: str = sys.executable
    nuclio: str = "1.14"


class Child:
    """One start of a worker process. `ready` ends when the worker is ready, or with the reason why it never will be."""

    def __init__(self, settings: Settings, index: int, interpreter: Interpreter, log: Log, cwd: Path) -> None:
        self._settings = settings
        self._index = index
        self._interpreter = interpreter
        self._log = log
        self._cwd = cwd
        self._answer: asyncio.Future[Packet] | None = None
        self.imported = asyncio.Event()
        self.ready = asyncio.Event()
        self.terminated = asyncio.Event()
        self.failure: dict[str, str] = {}
        self.errors: list[str] = []
        self.cancelled = False

    async def start(self) -> None:
        """Starts the process; returns at once. Raises OSError when the interpreter cannot be run."""
        events, worker_events = socket.socketpair()
        packets, worker_packets = socket.socketpair()
        with contextlib.ExitStack() as on_failure, worker_events, worker_packets:
            on_failure.enter_context(events)
            on_failure.enter_context(packets)
            fds = (worker_events.fileno(), worker_packets.fileno())
            self.process = await spawn(
                self._command(*fds), self._show, cwd=self._cwd, env=worker_env(self._settings), pass_fds=fds
            )
            events.setblocking(False)
            # A frame in one go: with the usual 208 KiB the two processes wake each other several times for one event.
            events.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, EVENT_BUFFER)
            reader, self._packets = await asyncio.open_connection(sock=packets, limit=LINE_LIMIT)
            on_failure.pop_all()
        self._events = events
        self._reading = asyncio.create_task(self._read_packets(reader))

    def _command(self, event_fd: int, packet_fd: int) -> list[str]:
        settings = self._settings
        command = [self._interpreter.python, "-u", str(SCRIPT), "--handler", settings.handler]
        command += ["--event-fd", str(event_fd), "--packet-fd", str(packet_fd)]
        command += ["--platform-kind", "local", "--namespace", settings.namespace]
        command += ["--worker-id", str(self._index), "--trigger-kind", "http"]
        command += ["--trigger-name", settings.trigger.name, "--nuclio", self._interpreter.nuclio]
        if worker_env(settings).get(ENV_DECODE, "").lower() not in OFF:
            command.append("--decode-event-strings")
        return command

    async def process_event(self, event: bytes) -> Packet:
        """Sends an event and waits for the response. Raises WorkerGone, TimedOut."""
        loop = asyncio.get_running_loop()
        self._answer = loop.create_future()
        try:
            await loop.sock_sendall(self._events, event)
        except OSError as exc:
            self._answer.cancel()
            item = "event" if self._interpreter.nuclio == "1.13" else "item"
            raise WorkerGone(f"Can't encode {item}: {exc}") from exc
        try:
            return await self._answer
        finally:
            self._answer = None

    async def _read_packets(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                line = await reader.readuntil(b"\n")
                kind, packet = chr(line[0]), line[1:]
                if kind == "r":
                    size, _, fields = packet.partition(b" ")
                    self._take_response(fields, await reader.readexactly(int(size)))
                else:
                    self._take(kind, packet)
        self._settle(WorkerGone("EOF"))

    def _take_response(self, fields: bytes, body: bytes) -> None:
        if self._answer and not self._answer.done():
            self._answer.set_result((fields, body))

    def _take(self, kind: str, packet: bytes) -> None:
        if kind == "l":
            self._take_record(json.loads(packet))
        elif kind == "f":
            self.failure = json.loads(packet)
        elif kind in "cst":
            {"c": self.imported, "s": self.ready, "t": self.terminated}[kind].set()

    def _take_record(self, fields: dict[str, Any]) -> None:
        level = PYTHON_LEVELS.get(fields["level"], "debug")
        more = {name: _printable(value) for name, value in (fields.get("with") or {}).items()}
        self._log.record(Record(self._settings.name, level, go_text(fields["message"]), more))

    def _show(self, stream: str, line: str) -> None:
        if stream == "stderr":
            self.errors = [*self.errors[-200:], line]
        self._log.output(self._settings.name, stream, line)

    def _settle(self, exc: Exception) -> None:
        if self._answer and not self._answer.done():
            self._answer.set_exception(exc)

    def signal(self, number: signal.Signals) -> None:
        """Signals the process if it still runs."""
        self.process.signal(number)

    async def kill(self, exc: Exception | None = None) -> None:
        """Ends the process at once; a running event ends with `exc`."""
        self.cancelled = True
        if exc:
            self._settle(exc)
        self.signal(signal.SIGKILL)
        await self.wait()

    async def wait(self) -> int:
        """Waits for the end of the process and of what it sent and wrote; its exit status, negative for a signal."""
        status = await self.process.wait()
        await asyncio.wait([self._reading], timeout=LAST_OUTPUT)
        self._reading.cancel()
        self._events.close()
        self._packets.close()
        return status


def _printable(value: Any) -> Any:
    return go_text(value) if isinstance(value, str) else value


def worker_env(settings: Settings) -> dict[str, str]:
    """The engine's own environment, `spec.env` over it, and what Nuclio sets for a worker."""
    env = {**os.environ, **settings.env}
    env |= worker_key(settings.kind, settings.namespace, settings.name, env)
    path = [str(settings.folder), *filter(None, [env.get("PYTHONPATH")])]
    env["PYTHONPATH"] = os.pathsep.join(path)
    env["NUCLIO_FUNCTION_NAME"] = settings.name
    env["NUCLIO_FUNCTION_DESCRIPTION"] = settings.description
    env["NUCLIO_FUNCTION_VERSION"] = str(settings.version)
    env["NUCLIO_FUNCTION_HANDLER"] = env["NUCLIO_HANDLER"] = settings.handler
    return env
