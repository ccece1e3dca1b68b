"""What `cvat-nuclio serve` does: settings, engine, report, end."""

import argparse
import asyncio
import ipaddress
import resource
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console

from ..errors import UserError
from ..nuclio.function_yaml import refuse_twins
from ..waiting import waiting
from .child import Interpreter
from .dashboard import Entry
from .engine import LOOPBACK, Engine, Options, run_until_signal
from .engine_log import Log
from .engine_report import FunctionReport, Report, print_report, reachable, write_report
from .function_settings import Settings, read_settings
from .listener import MOST_CONNECTIONS, App
from .restart_policy import Function

# Without the current folder, whose modules are no part of the environment. (-P is unknown before Python 3.11.)
IMPORTS = "import sys; sys.path[:] = filter(None, sys.path); import msgpack, nuclio_sdk"
LOOK_EVERY = 0.1
OWN_FILES = 512


PageMaker = Callable[[Sequence[Entry], Log], App]


def serve(
    args: argparse.Namespace, page: PageMaker | None = None, show: Callable[[str], object] = lambda url: None
) -> int:
    """Runs the engine that the options name; its exit status, negative for a signal. Raises UserError.

    `page` makes the page's application, `show` is told its address once all is ready.
    """
    file, builtin = "function-gpu.yaml" if args.gpu else "function.yaml", args.engine == "builtin"
    functions = read_all(args.bundles, file, args.nuclio, builtin=builtin)
    check_python(args.python)
    console, log = Console(stderr=True), Log(args.log_level)
    warn_about_host(args.host, console)
    for settings in functions:
        for note in settings.notes:
            console.print(f"{settings.config_file.name} of {settings.name}, {note}", style="yellow", highlight=False)
    options = Options(
        host=args.host,
        port=args.port,
        dashboard_port=None if args.no_dashboard else args.dashboard_port,
        workers=args.workers,
        interpreter=Interpreter(args.python, args.nuclio),
        engine=args.engine,
        nuclio_home=args.nuclio_home,
        page=(lambda entries: page(entries, log)) if page else None,
        page_port=args.page_port,
    )
    allow_connections(len(functions))
    return asyncio.run(_serve(functions, options, log, args.report_fd, show))


async def _serve(
    functions: list[Settings], options: Options, log: Log, report_fd: int | None, show: Callable[[str], object]
) -> int:
    engine = Engine(functions, options, log)
    console = Console(stderr=True)

    def tell() -> None:
        if report_fd is not None:
            write_report(report_fd, report_of(engine, options.host))

    def started() -> None:
        tell()
        report = report_of(engine, options.host)
        print_report(report, console)
        if report.page_url:
            show(report.page_url)

    engine.on_change = tell
    telling = asyncio.create_task(tell_what_is_waited_for(engine))
    try:
        return await run_until_signal(engine, started, report_fd)
    finally:
        telling.cancel()


async def tell_what_is_waited_for(engine: Engine) -> None:
    """Says what the start is at, until all functions are ready."""
    with waiting("") as wait:
        while waits_for := engine.waits_for:
            wait.what = "; ".join(waits_for)
            await asyncio.sleep(LOOK_EVERY)


def report_of(engine: Engine, host: str) -> Report:
    """What is served now."""
    address = reachable(host)
    dashboard = f"http://{address}:{engine.dashboard_port}" if engine.dashboard_port else ""
    page = f"http://{LOOPBACK}:{engine.page_port}" if engine.page_port else ""
    return Report([_function(container.function, address) for container in engine.containers], dashboard, page)


def _function(function: Function, address: str) -> FunctionReport:
    settings = function.settings
    return FunctionReport(
        name=settings.name,
        kind=settings.kind,
        url=f"http://{address}:{function.port}",
        health_url=f"http://{address}:{function.health_port}",
        workers=function.worker_count,
        pids=function.pids,
    )


def read_all(paths: list[Path], config_file: str, nuclio: str, *, builtin: bool) -> list[Settings]:
    """The settings of all bundles. Raises UserError, also for two functions of one name."""
    functions = [read_settings(path, config_file, nuclio, builtin=builtin) for path in paths]
    refuse_twins([settings.name for settings in functions], paths)
    return functions


def check_python(python: str) -> None:
    """Raises UserError for an interpreter that cannot run a worker."""
    if python == sys.executable:
        return
    remedy = f"{python} -m pip install nuclio-sdk msgpack, or name another --python"
    try:
        check = subprocess.run([python, "-c", IMPORTS], capture_output=True, text=True)
    except OSError as exc:
        raise UserError(f"{python} cannot be run", why=str(exc), remedy="name another --python") from exc
    if check.returncode:
        why = (check.stderr.strip().splitlines() or [f"exit status {check.returncode}"])[-1]
        raise UserError(f"{python} cannot run a Nuclio function", why=why, remedy=remedy)


def allow_connections(functions: int) -> None:
    """Raises the limit on open files, so that strangers at one port cannot take what the other ports need."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS * (2 * functions + 1) + OWN_FILES
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))


def warn_about_host(host: str, console: Console) -> None:
    """Anyone who reaches a function's port can run it: the user should know when that is not this machine only."""
    try:
        local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = host == "localhost"
    if not local:
        console.print(
            f"warning: {host} can be reached from other machines, and functions ask nobody for a password",
            style="yellow",
        )
