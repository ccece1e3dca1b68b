"""The built-in engine: every bundle's processor and the dashboard in one event loop, until a signal or their end."""

import asyncio
import errno
import functools
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import UserError
from .child import Interpreter
from .dashboard import Entry, dashboard_app
from .engine_log import Log
from .engine_report import reachable
from .function_settings import Settings
from .listener import App, Limits, Listener
from .nuclio_home import check_home
from .nuclio_processor import NuclioProcessor
from .port import PortError, bind
from .processor import LAST_ANSWER, Processor, all_or_first_error
from .restart_policy import Container, Function
from .slot import Panic

OWN_HEAD = 65536
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Options:
    """How to serve. Port 0 means a free one, `dashboard_port` None no dashboard, `workers` None the file's."""

    host: str = "127.0.0.1"
    port: int = 0
    dashboard_port: int | None = 0
    workers: int | None = None
    interpreter: Interpreter = field(default_factory=Interpreter)
    engine: str = "builtin"
    nuclio_home: Path | None = None
    page: Callable[[Sequence[Entry]], App] | None = None
    """Makes the page's application; it listens on the loopback address alone, whatever `host` is."""
    page_port: int = 0


def make_function(settings: Settings, options: Options, log: Log) -> Function:
    """The function on the engine that the options name. Raises UserError without a real processor to run."""
    if options.engine == "nuclio":
        home = check_home(options.nuclio_home)
        return NuclioProcessor(settings, home, options.interpreter, log, options.workers)
    return Processor(settings, options.interpreter, log, options.workers)


class Engine:
    """Several functions, each in its container, one dashboard and one page."""

    def __init__(self, functions: list[Settings], options: Options, log: Log) -> None:
        self._options = options
        self.containers = [
            Container(settings, functools.partial(make_function, settings, options, log), log) for settings in functions
        ]
        self.dashboard_port = self.page_port = 0
        self.on_change: Callable[[], None] = lambda: None
        self._listeners: list[Listener] = []

    @property
    def waits_for(self) -> list[str]:
        """What the start of each function that is not ready is at."""
        return [f"{c.settings.name}: {c.function.waits_for}" for c in self.containers if not c.function.is_ready]

    async def start(self) -> None:
        """Starts all; when one cannot start, none is left. Raises UserError."""
        try:
            await self._start()
        except Panic as panic:
            await self.stop()
            failed = next(c for c in self.containers if c.function.failure)
            requirements = failed.settings.folder / "requirements.txt"
            raise StartError(failed.settings.name, failed.function.failure, panic.status, requirements) from panic
        except PortError as busy:
            await self.stop()
            raise UserError(busy.what, why=busy.why, remedy=self._another_port(busy)) from busy
        except OSError as exc:
            await self.stop()
            raise UserError(
                "the engine cannot start",
                why=str(exc),
                remedy="name another --python",
            ) from exc

    async def _start(self) -> None:
        options = self._options
        if options.dashboard_port is not None:
            self.dashboard_port = await self._listen(options.host, options.dashboard_port, dashboard_app)
        if options.page is not None:
            self.page_port = await self._listen(LOOPBACK, options.page_port, options.page)
        for container in self.containers:
            container.on_change = self.on_change
        starts = [c.start(options.host, self._port(number, c.settings)) for number, c in enumerate(self.containers)]
        await all_or_first_error(starts)

    def _another_port(self, busy: PortError) -> str:
        if busy.errno == errno.EADDRNOTAVAIL:
            return "name an address of this machine: --host"
        if busy.port == self._options.dashboard_port:
            return "end that program, or name another port: --dashboard-port N (0: any free one), or --no-dashboard"
        if self._options.page_port and busy.port == self._options.page_port:
            return "end that program, or name another port: --page-port N (0: any free one), or --no-page"
        named = "" if self._options.port else ", which goes before the one in function.yaml"
        return f"end that program, or name another port: --port N{named}"

    def _port(self, number: int, settings: Settings) -> int:
        if self._options.port:
            return self._options.port + number
        return settings.trigger.port

    async def _listen(self, host: str, port: int, make: Callable[[Sequence[Entry]], App]) -> int:
        """Opens a port of the engine's own, over all functions; its number."""
        sock = bind(host, port)
        entries = [Entry(container, reachable(self._options.host)) for container in self.containers]
        self._listeners.append(Listener(make(entries), sock, Limits(OWN_HEAD)))
        await self._listeners[-1].open()
        return int(sock.getsockname()[1])

    async def wait(self) -> int:
        """Waits until all functions have ended; the highest exit status."""
        return max(await asyncio.gather(*(c.exit_status for c in self.containers)), default=0)

    def hurry(self) -> None:
        """Makes `stop` wait for nothing more."""
        for container in self.containers:
            container.hurry()

    async def stop(self) -> None:
        """Ends all functions gracefully, then the dashboard and the page."""
        await asyncio.gather(*(c.stop() for c in self.containers))
        for listener in self._listeners:
            await listener.finish(LAST_ANSWER)
            listener.cut()


class StartError(UserError):
    """A function cannot start; `exit_status` is what Nuclio's processor ends with."""

    def __init__(self, name: str, cause: str, status: int, requirements: Path) -> None:
        remedy = "mend the function; the traceback above says where"
        if "ModuleNotFoundError" in cause and requirements.is_file():
            remedy = f"python -m pip install -r {requirements}, in the environment that --python names"
        super().__init__(f"{name} cannot start", why="\n" + cause, remedy=remedy)
        self.exit_status = status


class Signals:
    """The signals that end an engine. `first`: the one that came, 0 for none."""

    def __init__(self, engine: Engine, lifeline: int | None) -> None:
        self._engine = engine
        self.first = 0
        self.came = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGABRT):
            loop.add_signal_handler(number, self._on_signal, number)
        loop.add_signal_handler(signal.SIGUSR1, lambda: None)
        if lifeline is not None:
            loop.add_reader(lifeline, self._on_end_of_life, lifeline)

    def _on_signal(self, number: int) -> None:
        if self.first and number == signal.SIGINT:
            self._engine.hurry()
        self.first = self.first or number
        self.came.set()

    def _on_end_of_life(self, lifeline: int) -> None:
        asyncio.get_running_loop().remove_reader(lifeline)
        self._on_signal(signal.SIGTERM)


async def run_until_signal(engine: Engine, started: Callable[[], None], lifeline: int | None = None) -> int:
    """Starts, tells, serves until a signal, the end of `lifeline` or of all functions.

    The exit status; negative for a signal that came before all was ready, which ends Nuclio's processor at once.
    """
    signals = Signals(engine, lifeline)
    came = asyncio.create_task(signals.came.wait())
    starting = asyncio.create_task(engine.start())
    await asyncio.wait({starting, came}, return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        starting.cancel()
        await asyncio.wait([starting])
        await engine.stop()
        return -signals.first
    await starting
    started()
    ended = asyncio.create_task(engine.wait())
    await asyncio.wait({ended, came}, return_when=asyncio.FIRST_COMPLETED)
    came.cancel()
    await engine.stop()
    return await ended
