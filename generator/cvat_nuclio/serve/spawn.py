"""A child process: output line by line, and an end that shows even while its own children hold the pipes."""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

STREAMS = {1: "stdout", 2: "stderr"}
LAST_OUTPUT = 0.5


class Spawned(asyncio.SubprocessProtocol):
    """`on_line` gets the stream's name and a line without its newline."""

    def __init__(self, on_line: Callable[[str, str], None]) -> None:
        self._on_line = on_line
        self._rest = {1: b"", 2: b""}
        self._open = {1, 2}
        self._exited = asyncio.Event()
        self._drained = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The process runs."""
        self._transport = cast(asyncio.SubprocessTransport, transport)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """It wrote something."""
        *lines, self._rest[fd] = (self._rest[fd] + data).split(b"\n")
        for line in lines:
            self._on_line(STREAMS[fd], line.decode("utf-8", "replace"))

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        """It closed one of its outputs."""
        rest, self._rest[fd] = self._rest.get(fd), b""
        if rest:
            self._on_line(STREAMS[fd], rest.decode("utf-8", "replace"))
        self._open.discard(fd)
        if not self._open:
            self._drained.set()

    def process_exited(self) -> None:
        """It ended."""
        self._exited.set()

    @property
    def pid(self) -> int:
        """The process id, also of a process that has ended."""
        return self._transport.get_pid() or 0

    @property
    def status(self) -> int | None:
        """The exit status, negative for a signal, None while it runs."""
        return self._transport.get_returncode()

    def signal(self, number: signal.Signals) -> None:
        """Signals the process if it still runs."""
        if self.status is None:
            with contextlib.suppress(ProcessLookupError):
                self._transport.send_signal(number)

    async def wait(self) -> int:
        """Waits for its end, and a moment for its last output; the exit status."""
        await self._exited.wait()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._drained.wait(), LAST_OUTPUT)
        self._transport.close()
        return cast(int, self.status)


async def spawn(
    command: Sequence[str],
    on_line: Callable[[str, str], None],
    *,
    cwd: Path,
    env: Mapping[str, str],
    pass_fds: Sequence[int] = (),
) -> Spawned:
    """Starts a process in a session of its own, out of reach of the terminal's Ctrl-C. Raises OSError."""
    options: dict[str, Any] = {"cwd": cwd, "env": env, "pass_fds": pass_fds, "start_new_session": True}
    _, spawned = await asyncio.get_running_loop().subprocess_exec(
        lambda: Spawned(on_line), *command, stdin=asyncio.subprocess.DEVNULL, **options
    )
    return spawned
