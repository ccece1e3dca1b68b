"""What a running engine tells the process that started it, one JSON object a line, and the user, as a table."""

import json
import os
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

#: The last line of the start: what comes after it is of the functions' requests.
READY = "Ctrl-C ends it"


@dataclass(frozen=True)
class FunctionReport:
    """One served function. `pids`: its worker processes."""

    name: str
    kind: str
    url: str
    health_url: str
    workers: int
    pids: list[int]


@dataclass(frozen=True)
class Report:
    """All that is served."""

    functions: list[FunctionReport]
    dashboard_url: str
    page_url: str = ""

    def as_json(self) -> dict[str, Any]:
        """The line that `write_report` writes."""
        return asdict(self)


def read_report(line: str | bytes) -> Report:
    """The report in a line."""
    fields = json.loads(line)
    functions = [FunctionReport(**function) for function in fields["functions"]]
    return Report(functions, fields["dashboard_url"], fields["page_url"])


def write_report(fd: int, report: Report) -> None:
    """Writes one line; at most a pipe's atomic size for usual numbers of functions."""
    os.write(fd, json.dumps(report.as_json()).encode() + b"\n")


def print_report(report: Report, console: Console) -> None:
    """The table that the user sees once all is ready."""
    table = Table(box=None, pad_edge=False)
    for title in ("function", "kind", "URL", "workers"):
        table.add_column(title)
    for function in report.functions:
        table.add_row(function.name, function.kind or "-", function.url, str(function.workers))
    console.print(table)
    if report.dashboard_url:
        port = report.dashboard_url.rpartition(":")[2]
        console.print(f"dashboard {report.dashboard_url} (for CVAT: CVAT_NUCLIO_PORT={port})", highlight=False)
    if report.page_url:
        console.print(f"page      {report.page_url} (to try them in a browser)", highlight=False, soft_wrap=True)
    console.print(READY, highlight=False)


def reachable(host: str) -> str:
    """The address that a client on this machine uses for what listens on `host`."""
    if host in ("0.0.0.0", "::", ""):  # noqa: S104
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
