"""Where the engine's and the workers' lines go."""

import json
import sys
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

LEVELS = {"debug": 0, "info": 1, "warn": 2, "error": 3}
KEPT_LINES = 5000


@dataclass(frozen=True)
class Record:
    """One line of `context.logger` or of the engine itself."""

    function: str
    level: str
    message: str
    fields: dict[str, Any] = field(default_factory=dict)


class Log:
    """Prints records from `level` on and the workers' own output, each with the function's name before it, and keeps
    the newest lines for who asks later."""

    def __init__(self, level: str = "info") -> None:
        self._level = LEVELS[level]
        self._lock = threading.Lock()
        self._kept: deque[tuple[str, str]] = deque(maxlen=KEPT_LINES)
        self.count = 0
        """How many lines there were."""

    def record(self, record: Record) -> None:
        """A log record."""
        for line in _lines(record) if LEVELS[record.level] >= self._level else ():
            self.output(record.function, "stderr", line)

    def output(self, function: str, stream: str, text: str) -> None:
        """What a worker wrote to `stdout` or `stderr`: whole lines without their newline."""
        with self._lock:
            # Looked up each time: while a status line stands on a terminal, rich keeps these lines above it.
            print(f"{function} | {text}", file=sys.stderr, flush=True)
            self._kept.append((function, text))
            self.count += 1

    def since(self, count: int, function: str) -> list[str]:
        """A function's lines after the first `count` of all, as far as they are still kept."""
        with self._lock:
            newer = min(self.count - count, len(self._kept))
            lines = list(self._kept)[len(self._kept) - newer :]
        return [text for name, text in lines if name == function]


def _lines(record: Record) -> Iterator[str]:
    """The record's line, then those of its traceback."""
    fields = {key: value for key, value in record.fields.items() if key != "traceback"}
    more = "  " + " ".join(f"{key}={_short(value)}" for key, value in fields.items()) if fields else ""
    yield f"{record.level}: {record.message}{more}"
    yield from str(record.fields.get("traceback", "")).splitlines()


def _short(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)
