"""The engines under test behind one face: start a function from a vector's handler and configuration, watch it, end it.

The built-in engine's processors run in one event loop in a thread; the real processor runs as `serve --engine nuclio`
runs it, but with nothing laid over the termination time.
"""

import asyncio
import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Coroutine
from concurrent.futures import Future
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeVar

import yaml
from tests.serve.serve_vectors import DEFAULT_CONFIG

from cvat_nuclio.serve.child import Interpreter
from cvat_nuclio.serve.engine_log import Log, Record
from cvat_nuclio.serve.function_settings import Settings, read_settings
from cvat_nuclio.serve.nuclio_home import WRAPPER, check_home
from cvat_nuclio.serve.nuclio_processor import NuclioProcessor
from cvat_nuclio.serve.processor import Processor
from cvat_nuclio.serve.slot import Panic

T = TypeVar("T")


class MemoryLog(Log):
    """Keeps what a function says."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[Record] = []
        self.lines: dict[str, list[str]] = {"stdout": [], "stderr": []}

    def record(self, record: Record) -> None:
        """A log record."""
        self.records.append(record)

    def output(self, function: str, stream: str, text: str) -> None:
        """A line."""
        self.lines[stream].append(text)

    def function_records(self) -> list[dict[str, Any]]:
        """The records of `context.logger` and of the wrapper, in the recordings' form."""
        return [
            {"level": r.level, "message": r.message} | {k: v for k, v in r.fields.items() if k != "name"}
            for r in self.records
            if "worker_id" in r.fields
        ]


class Live:
    """A function that has been started. `status`: how its processor ended before it was ready, None if it got ready."""

    def __init__(self, host: "Host", processor: Any, folder: Path, log: MemoryLog) -> None:
        self._host = host
        self.processor = processor
        self.folder = folder
        self.log = log
        self.status: int | None = None
        self.started_at = time.monotonic()

    @property
    def port(self) -> int:
        """The function's."""
        return int(self.processor.port)

    @property
    def health_port(self) -> int:
        """The health server's."""
        return int(self.processor.health_port)

    @property
    def pids(self) -> list[int]:
        """The worker processes."""
        return sorted(self.processor.pids)

    @property
    def cwd(self) -> Path:
        """The workers' current folder."""
        return self.folder.with_name(f"{self.folder.name}-cwd")

    @property
    def exit_status(self) -> int | None:
        """What the processor has ended with."""
        future = self.processor.exit_status
        return future.result() if future.done() else None

    def terminate(self) -> None:
        """What SIGTERM to the processor does; returns at once."""
        if isinstance(self.processor, NuclioProcessor):
            self.processor.signal(signal.SIGTERM)
        else:
            self._host.begin(self.processor.stop())

    def stop(self) -> None:
        """Ends it at once."""
        self._host.run(self._stop())
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(self.cwd, ignore_errors=True)

    async def _stop(self) -> None:
        if isinstance(self.processor, NuclioProcessor):
            self.processor.signal(signal.SIGKILL)
            await self.processor.exit_status
        else:
            await self.processor._die(Panic("the test is over"))


class Host:
    """Starts functions on one engine, in an event loop of its own."""

    name = ""
    versions: tuple[str, ...] = ()

    def __init__(self) -> None:
        self._live: list[Live] = []

    def __enter__(self) -> "Host":
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for live in self._live:
            live.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def begin(self, coroutine: Coroutine[Any, Any, T]) -> "Future[T]":
        """Runs it in the engine's loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Runs it there and waits."""
        return self.begin(coroutine).result(60)

    def make(self, folder: Path, log: MemoryLog, version: str, env: dict[str, str]) -> Any:
        """The processor of one function."""
        raise NotImplementedError

    def start(
        self,
        handler: str | None,
        config: str | None = None,
        *,
        version: str = "1.14",
        env: dict[str, str] | None = None,
        files: dict[str, str] | None = None,
        wait: bool = True,
    ) -> Live:
        """Starts a function; `wait`: until it is ready or has ended."""
        folder = Path(tempfile.mkdtemp(prefix="cvat-nuclio-test-")).resolve()
        text = (config or DEFAULT_CONFIG).replace("$port", "0")
        (folder / "function.yaml").write_text(text, "utf-8")
        if handler is not None:
            encoding = "latin-1" if "coding: latin-1" in handler else "utf-8"
            (folder / "main.py").write_text(handler, encoding)
        for name, content in (files or {}).items():
            (folder / name).write_text(content, "utf-8")
        live = self.run(self._start(folder, version, env or {}))
        self._live.append(live)
        if wait:
            self.wait(live)
        return live

    async def _start(self, folder: Path, version: str, env: dict[str, str]) -> Live:
        log = MemoryLog()
        live = Live(self, self.make(folder, log, version, env), folder, log)
        live.started = asyncio.create_task(live.processor.start())  # type: ignore[attr-defined]
        live.started.add_done_callback(lambda task: task.cancelled() or task.exception())  # type: ignore[attr-defined]
        await asyncio.sleep(0.01)
        return live

    def wait(self, live: Live) -> None:
        """Waits until it is ready or has ended."""
        self.run(self._wait(live))

    async def _wait(self, live: Live) -> None:
        try:
            await live.started  # type: ignore[attr-defined]
        except Panic as panic:
            live.status = panic.status


class BuiltinHost(Host):
    """The built-in engine, both versions."""

    name = "builtin"
    versions = ("1.13.0", "1.14.1")

    def make(self, folder: Path, log: MemoryLog, version: str, env: dict[str, str]) -> Any:
        settings = as_the_processor_reads(folder, env, builtin=True)
        return Processor(settings, Interpreter(nuclio=version), log)


class NuclioHost(Host):
    """The real processor of the one version in NUCLIO_HOME."""

    name = "nuclio"

    def __init__(self) -> None:
        super().__init__()
        self._home = check_home(Path(os.environ["NUCLIO_HOME"]))
        batches = "_encode_entrypoint_output" in (self._home / WRAPPER).read_text("utf-8")
        self.versions = ("1.14.1",) if batches else ("1.13.0",)

    def make(self, folder: Path, log: MemoryLog, version: str, env: dict[str, str]) -> Any:
        settings = as_the_processor_reads(folder, env, builtin=False)
        return NuclioProcessor(settings, self._home, Interpreter(), log, termination=None)


@dataclass(frozen=True)
class Placed(Settings):
    """Settings with a current folder that outlives the function."""

    cwd: Path = Path()

    def working_folder(self, scratch: Path) -> Path:
        return self.cwd


def as_the_processor_reads(folder: Path, env: dict[str, str], *, builtin: bool) -> Settings:
    """The settings without a deployment's doing: the namespace is the file's, `spec.env` is not applied."""
    settings = read_settings(folder, builtin=builtin)
    metadata = yaml.safe_load(settings.config_file.read_text("utf-8"))["metadata"]
    placed = Placed(**{field.name: getattr(settings, field.name) for field in fields(settings)})
    cwd = folder.with_name(f"{folder.name}-cwd")
    cwd.mkdir(exist_ok=True)
    return replace(placed, env=env, namespace=metadata.get("namespace", "nuclio"), cwd=cwd)


HOSTS = {"builtin": BuiltinHost, "nuclio": NuclioHost}


class Hosts(dict[str, Host]):
    """The engines by name, each started when it is first asked for."""

    def __enter__(self) -> "Hosts":
        return self

    def __exit__(self, *_: object) -> None:
        for host in self.values():
            host.__exit__()

    def __missing__(self, name: str) -> Host:
        self[name] = HOSTS[name]().__enter__()
        return self[name]


ENGINES = ["builtin", *(["nuclio"] if os.environ.get("NUCLIO_HOME") else [])]
