"""Where the engine's and the workers' lines go."""

import json
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import Any, Protocol

LEVELS = {"debug": 0, "info": 1, "warn": 2, "error": 3}


@dataclass(frozen=True)
class Record:
    """One line of `context.logger` or of the engine itself."""

    function: str
    level: str
    message: str
    fields: dict[str, Any] = field(default_factory=dict)
    time_ms: float = field(default_factory=lambda: time.time() * 1000)


class Log(Protocol):
    """Takes what a function says."""

    def record(self, record: Record) -> None:
        """A log record."""

    def output(self, function: str, stream: str, text: str) -> None:
        """What a worker wrote to `stdout` or `stderr`: whole lines without their newline."""


class ConsoleLog:
    """Prints records from `level` on and the workers' own output, each with the function's name before it."""

    def __init__(self, level: str = "info") -> None:
        self._level = LEVELS[level]
        self._lock = threading.Lock()

    def record(self, record: Record) -> None:
        if LEVELS[record.level] < self._level:
            return
        fields = {key: value for key, value in record.fields.items() if key != "traceback"}
        more = "  " + " ".join(f"{key}={_short(value)}" for key, value in fields.items()) if fields else ""
        self._print(record.function, f"{record.level}: {record.message}{more}")
        for line in str(record.fields.get("traceback", "")).splitlines():
            self._print(record.function, line)

    def output(self, function: str, stream: str, text: str) -> None:
        self._print(function, text)

    def _print(self, function: str, text: str) -> None:
        with self._lock:
            # Looked up each time: while a status line stands on a terminal, rich keeps these lines above it.
            print(f"{function} | {text}", file=sys.stderr, flush=True)


def _short(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)
