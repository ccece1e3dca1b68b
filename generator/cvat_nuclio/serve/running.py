"""`running(...)`: an engine in a process of its own, for as long as a `with` block."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO

from ..errors import UserError
from ..systems import require_unix
from .engine_report import FunctionReport, Report, read_report

READY_TIMEOUT = 300.0
STOP_TIMEOUT = 30.0


class Server:
    """A running engine. All URLs are without a slash at the end."""

    def __init__(self, process: subprocess.Popen[bytes], lifeline: socket.socket, output: IO[bytes]) -> None:
        self.process = process
        self._output = output
        self._report: Report | None = None
        self._changed = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._read, args=(lifeline,), daemon=True)
        self._thread.start()

    def _read(self, lifeline: socket.socket) -> None:
        with lifeline, lifeline.makefile("rb") as reports:
            for line in reports:
                with self._changed:
                    self._report = read_report(line)
                    self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def wait_until_ready(self, timeout: float) -> None:
        """Raises UserError with the engine's own words when it ends, or is not ready in `timeout` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._report or self._ended, timeout)
        if self._report:
            return
        ended = self._ended
        self.stop()
        what = "the engine ended" if ended else f"the engine was not ready after {timeout:.0f} s"
        raise UserError(what, why="\n" + self.log.strip(), remedy="mend what the lines above name")

    @property
    def report(self) -> Report:
        """What the engine told last."""
        assert self._report is not None, "wait_until_ready first"  # noqa: S101
        return self._report

    @property
    def functions(self) -> list[FunctionReport]:
        """What is served."""
        return self.report.functions

    @property
    def url(self) -> str:
        """The first function's URL."""
        return self.functions[0].url

    @property
    def health_url(self) -> str:
        """The first function's health server; `/ready` and `/live`."""
        return self.functions[0].health_url

    @property
    def dashboard_url(self) -> str:
        """Nuclio's dashboard API."""
        return self.report.dashboard_url

    @property
    def page_url(self) -> str:
        """The page to try the functions; empty without one."""
        return self.report.page_url

    @property
    def worker_pids(self) -> list[int]:
        """The worker processes of all functions; they change when a worker is restarted."""
        return [pid for function in self.functions for pid in function.pids]

    @property
    def log(self) -> str:
        """All that the engine and the workers wrote."""
        self._output.flush()
        return Path(self._output.name).read_text("utf-8", "replace")

    def stop(self) -> int:
        """Ends the engine gracefully, by force after half a minute; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        self._thread.join(STOP_TIMEOUT)
        return status

    def __enter__(self) -> "Server":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


@contextlib.contextmanager
def running(
    *paths: str | os.PathLike[str],
    workers: int | None = None,
    engine: str = "builtin",
    python: str = sys.executable,
    nuclio: str = "1.14",
    nuclio_home: str | os.PathLike[str] | None = None,
    gpu: bool = False,
    port: int = 0,
    page: bool = False,
    env: dict[str, str] | None = None,
    ready_timeout: float = READY_TIMEOUT,
) -> Iterator[Server]:
    """Serves the bundles in `paths` while the block runs.

    `workers` None: as many as each file says. `python`: the interpreter that holds the functions' packages. `page`:
    with the page to try them. `env` is laid over this process's environment. Raises UserError, with the engine's own
    words, when it cannot start.
    """
    require_unix("serving a function here")
    options = ["--engine", engine, "--python", python, "--nuclio", nuclio, "--port", str(port)]
    options += ["--dashboard-port", "0"]
    options += [] if page else ["--no-page"]
    options += ["--workers", str(workers)] if workers else []
    options += ["--nuclio-home", os.fspath(nuclio_home)] if nuclio_home else []
    options += ["--gpu"] if gpu else []
    with tempfile.NamedTemporaryFile(prefix="cvat-nuclio-serve-", suffix=".log") as output:
        server = start(["serve", *(os.fspath(path) for path in paths), *options], env or {}, output)
        with server:
            server.wait_until_ready(ready_timeout)
            yield server


def start(arguments: list[str], env: dict[str, str], output: IO[bytes]) -> Server:
    """Starts `cvat-nuclio` with `arguments` in a session of its own.

    The engine reports over a socket, and ends when this process does, however that comes about.
    """
    ours, theirs = socket.socketpair()
    try:
        process = subprocess.Popen(
            # -P: a queue.py or types.py in the current folder is no part of the engine.
            [sys.executable, "-P", "-m", "cvat_nuclio", *arguments, "--report-fd", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            env={**os.environ, **env},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    finally:
        theirs.close()
    return Server(process, ours, output)
