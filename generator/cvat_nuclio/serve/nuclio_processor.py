"""One function on the real processor and Nuclio's own wrapper."""

import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from ..state_keys import worker_key
from .child import Interpreter
from .engine_log import LEVELS, Log, Record
from .engine_report import reachable
from .function_port import HEALTH_PATH
from .function_settings import Settings
from .nuclio_home import PROCESSOR, WRAPPER, platform_yaml, processor_yaml
from .port import bind
from .processor import SHUTDOWN_GRACE
from .slot import Panic
from .spawn import Spawned, spawn

TERMINATION = "1s"
# Where the processor puts them, wherever TMPDIR points.
SOCKETS = re.compile(r"/tmp/nuclio-rpc-\w+\.sock")  # noqa: S108
KUBERNETES = ("KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT")
POLL = 0.05
WATCH = 0.5
LISTENS_WITHIN = 15.0


class NuclioProcessor:
    """The same face as the built-in `Processor`. `termination` None: the file's own."""

    def __init__(
        self,
        settings: Settings,
        home: Path,
        interpreter: Interpreter,
        log: Log,
        workers: int | None = None,
        termination: str | None = TERMINATION,
    ) -> None:
        self.settings = settings
        self._home = home
        self._python = interpreter.python
        self._log = log
        self._workers = workers
        self._termination = termination
        self.worker_count = workers or settings.trigger.workers
        self.exit_status: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.failure = ""
        self._ready = False
        self.on_change: Callable[[], None] = lambda: None
        self.port = self.health_port = 0
        self._sockets: set[str] = set()
        self._errors: list[str] = []
        self._folder: Path | None = None
        self._process: Spawned | None = None

    @property
    def pid(self) -> int:
        """The processor's process id."""
        return self._process.pid if self._process else 0

    @property
    def is_ready(self) -> bool:
        """Whether the processor has been ready, and runs."""
        return self._ready

    @property
    def waits_for(self) -> str:
        """What its start is at."""
        return f"Nuclio's processor starts {self.worker_count} workers"

    @property
    def pids(self) -> list[int]:
        """The worker processes: the children of all of the processor's threads."""
        pids: list[int] = []
        for path in Path(f"/proc/{self.pid}/task").glob("*/children") if self.pid else ():
            with contextlib.suppress(OSError):
                pids += map(int, path.read_text().split())
        return sorted(pids)

    async def start(self, host: str = "127.0.0.1", port: int = 0, health_port: int = 0) -> None:
        """Starts the processor; returns when it is ready and its port answers. Raises Panic."""
        self._address = reachable(host)
        # Held, not listened on: the processor, which says nothing of a busy port, can bind them, few others can.
        with bind(host, port) as held, bind(host, health_port) as health_held:
            self.port, self.health_port = held.getsockname()[1], health_held.getsockname()[1]
            await self.launch(host)
            await self._until(lambda: self._status(self.health_port, "/ready"))
            try:
                await asyncio.wait_for(self._until(lambda: self._status(self.port, HEALTH_PATH)), LISTENS_WITHIN)
            except TimeoutError:
                raise OSError(f"port {self.port} does not answer: another program has taken it") from None
        self._ready = True

    async def launch(self, host: str) -> None:
        """Starts the process on the ports chosen."""
        self._folder = Path(tempfile.mkdtemp(prefix="cvat-nuclio-"))
        text = self.settings.config_file.read_text("utf-8")
        config = processor_yaml(text, f"{host}:{self.port}", self._termination, self._workers)
        (self._folder / "processor.yaml").write_text(config, "utf-8")
        (self._folder / "platform.yaml").write_text(platform_yaml(f"{host}:{self.health_port}"))
        command = [str(self._home / PROCESSOR), "--config", str(self._folder / "processor.yaml")]
        command += ["--platform-config", str(self._folder / "platform.yaml")]
        cwd = self.settings.working_folder(self._folder)
        self._process = await spawn(command, self._take, cwd=cwd, env=self._env())
        self._watch = asyncio.create_task(self._watch_exit(self._process))

    def _env(self) -> dict[str, str]:
        env = {**os.environ, **self.settings.env}
        env |= worker_key(self.settings.kind, self.settings.namespace, self.settings.name, env)
        for name in KUBERNETES:
            env.pop(name, None)
        env["NUCLIO_PYTHON_WRAPPER_PATH"] = str(self._home / WRAPPER)
        env["NUCLIO_PYTHON_PATH"] = str(self.settings.folder)
        env["NUCLIO_PYTHON_EXE_PATH"] = self._python
        env["PYTHONDONTWRITEBYTECODE"] = "1"
        return env

    async def _status(self, port: int, path: str) -> bool:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            reader, writer = await asyncio.open_connection(self._address.strip("[]"), port)
            try:
                writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
                return b" 200 " in await reader.readline()
            finally:
                writer.close()
        return False

    async def _until(self, condition: Callable[[], Awaitable[bool]]) -> None:
        while not await condition():
            if self.exit_status.done():
                raise Panic(self.failure, self.exit_status.result())
            await asyncio.sleep(POLL)

    def _take(self, stream: str, line: str) -> None:
        if "Creating listener socket" in line:
            self._sockets |= set(SOCKETS.findall(line))
        if stream == "stderr":
            self._errors = [*self._errors[-200:], line]
        record = read_record(self.settings.name, line) if stream == "stdout" else None
        if record:
            self._log.record(record)
        else:
            self._log.output(self.settings.name, stream, line)

    async def _watch_exit(self, process: Spawned) -> None:
        children: list[int] = []
        waiting = asyncio.create_task(process.wait())
        while not waiting.done():
            children = self.pids or children
            await asyncio.wait([waiting], timeout=WATCH)
        status = waiting.result()
        end_orphans(children, str(self._home / WRAPPER))
        self._clean()
        self._ready = False
        self.failure = "\n".join(goroutines_cut(self._errors)) or f"the processor ended with {status}"
        self.exit_status.set_result(status)

    def _clean(self) -> None:
        for path in self._sockets:
            Path(path).unlink(missing_ok=True)
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)

    def signal(self, number: signal.Signals) -> None:
        """Signals the processor alone: a signal to its workers would make it panic."""
        if self._process:
            self._process.signal(number)

    def hurry(self) -> None:
        """Makes `stop` wait for nothing more."""
        self.signal(signal.SIGKILL)

    async def stop(self) -> None:
        """SIGTERM, then what Nuclio does; by force when that takes longer than it should."""
        if self._process is None or self.exit_status.done():
            return
        self.signal(signal.SIGTERM)
        grace = 2 * SHUTDOWN_GRACE + self.settings.trigger.termination_timeout
        await asyncio.wait([self._watch], timeout=grace)
        self.signal(signal.SIGKILL)
        await self._watch


def read_record(function: str, line: str) -> Record | None:
    """The processor's JSON line as a record, None for anything else. Its own chatter becomes debug."""
    if not line.startswith("{"):
        return None
    try:
        fields = json.loads(line)
        level, message, name = fields.pop("level"), fields.pop("message"), fields.pop("name", "")
    except (ValueError, KeyError, AttributeError):
        return None
    fields.pop("time", None)
    if "datetime" in fields:
        # The worker has no connection yet: its logger writes to the processor's standard output.
        return Record(function, level, message, fields.get("with") or {})
    own = "worker_id" in fields or level in ("warn", "error")
    return Record(function, level if own and level in LEVELS else "debug", message, {"name": name} | fields)


def goroutines_cut(lines: list[str]) -> list[str]:
    """Without the stacks that Go prints at a panic."""
    cut = next((n for n, line in enumerate(lines) if line.startswith("goroutine ")), len(lines))
    return [line for line in lines[:cut] if line.strip()]


def end_orphans(pids: list[int], wrapper: str) -> None:
    """Ends workers that outlived their processor, each only while it still runs the wrapper."""
    for pid in pids:
        with contextlib.suppress(OSError):
            if wrapper.encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGKILL)
