"""What the replays of the recorded vectors share: which run on which engine, functions started ahead, logs."""

import fnmatch
import sys
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.serve import serve_left_out
from tests.serve.serve_client import wait_until
from tests.serve.serve_hosts import ENGINES, HOSTS, Host, Live
from tests.serve.serve_vectors import RECORDED_WITH, Vector, same, same_text, sdk_fits

AHEAD = 3


def left_out(vector: Vector, engine: str) -> str:
    """Why an engine is not held to the vector, empty when it is."""
    tables = [serve_left_out.BOTH, getattr(serve_left_out, engine.upper(), {})]
    if sys.version_info[:2] != RECORDED_WITH:
        tables.append(serve_left_out.PYTHON)
    for table in tables:
        for pattern, reason in table.get(vector.file, {}).items():
            if fnmatch.fnmatchcase(vector.name, pattern):
                return reason
    return ""


def runs(vector: Vector, engine: str, versions: Iterable[str]) -> bool:
    """Whether the vector is replayed: what both versions do alike is asked of the built-in engine once, as 1.14."""
    if vector.version not in versions or left_out(vector, engine) or not sdk_fits(vector):
        return False
    alike = isinstance(vector.fields["nuclio"], list) and len(vector.fields["nuclio"]) > 1
    differs = "differences_1.14.1" in vector.fields.get("outcome", {})
    return engine != "builtin" or vector.version == "1.14.1" or not alike or differs


def parameters(vectors: list[Vector]) -> list[Any]:
    """The engine and the vector of every test, engine by engine."""
    found = []
    for engine in ENGINES:
        versions = HOSTS[engine]().versions
        chosen = [v for v in vectors if runs(v, engine, versions)]
        found += [pytest.param(engine, vector, id=f"{engine}-{vector.name}") for vector in chosen]
    return found


class Shared:
    """Functions that many vectors share: one for each handler, configuration and environment."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._started: dict[str, Live] = {}

    def take(self, vector: Vector, key: str = "") -> Live:
        """The function of a vector; with a `key` of its own it is not shared with others."""
        fields = vector.fields
        parts = [fields["handler"], fields.get("config"), sorted((fields.get("env") or {}).items()), vector.nuclio]
        key = f"{parts} {key}"
        if key not in self._started:
            self._started[key] = self._host.start(
                fields["handler"], fields.get("config"), version=vector.nuclio, env=fields.get("env")
            )
        return self._started[key]


class Fleet:
    """Starts the functions of the coming vectors while the present one is replayed, two at a time."""

    def __init__(self, host: Host, vectors: list[Vector]) -> None:
        self._host = host
        self._order = [v for v in vectors if runs(v, host.name, host.versions)]
        self._pool = ThreadPoolExecutor(2)
        self._started: dict[str, Future[Live]] = {}

    def __enter__(self) -> "Fleet":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def take(self, vector: Vector) -> Live:
        """The function of a vector, ready."""
        at = self._order.index(vector)
        for following in self._order[at : at + AHEAD]:
            if following.name not in self._started:
                self._started[following.name] = self._pool.submit(self._start, following)
        return self._started.pop(vector.name).result()

    def _start(self, vector: Vector) -> Live:
        fields = vector.fields
        return self._host.start(
            fields["handler"],
            fields.get("config"),
            version=vector.nuclio,
            env=fields.get("env"),
            files=fields.get("files"),
        )

    def give_back(self, live: Live) -> None:
        """Ends the function."""
        live.stop()


class Fleets(dict[str, Fleet]):
    """A fleet on each engine."""

    def __init__(self, hosts: Mapping[str, Host], vectors: list[Vector]) -> None:
        super().__init__()
        self._hosts = hosts
        self._vectors = vectors

    def __missing__(self, engine: str) -> Fleet:
        self[engine] = Fleet(self._hosts[engine], self._vectors)
        return self[engine]

    def __enter__(self) -> "Fleets":
        return self

    def __exit__(self, *_: object) -> None:
        for fleet in self.values():
            fleet.__exit__()


class SharedFunctions(dict[str, Shared]):
    """`Shared` on each engine."""

    def __init__(self, hosts: Mapping[str, Host]) -> None:
        super().__init__()
        self._hosts = hosts

    def __missing__(self, engine: str) -> Shared:
        self[engine] = Shared(self._hosts[engine])
        return self[engine]


def records(outcome: dict[str, Any]) -> list[dict[str, Any]]:
    """The recorded lines of `context.logger` and of the wrapper: they carry a worker's id."""
    return [line for line in outcome.get("log", []) if isinstance(line, dict) and "worker_id" in line]


def assert_logs(live: Live, outcome: dict[str, Any], told: int) -> None:
    """The log records after the first `told` are the recorded ones, and so are the lines on stdout and stderr."""
    expected = records(outcome)

    def found() -> list[dict[str, Any]]:
        return live.log.function_records()[told:]

    if expected:
        wait_until(lambda: len(found()) >= len(expected))
    assert len(found()) == len(expected), found()
    for line, actual in zip(expected, found(), strict=True):
        assert same(line, actual, live.folder), (line, actual)
    for stream in ("stdout", "stderr"):
        assert_lines(live, stream, outcome.get(stream))


def assert_lines(live: Live, stream: str, expected: Any) -> None:
    """The worker's own output, where the vector records it."""
    if expected is None:
        return
    lines = expected.splitlines() if isinstance(expected, str) else list(expected)
    if lines:
        wait_until(lambda: len(live.log.lines[stream]) >= len(lines))
    same_lines(lines, live.log.lines[stream], live.folder)


def same_lines(lines: list[str], found: list[str], folder: Path) -> None:
    """The output is the recorded one."""
    if "Call stack:" in lines:
        # Where `logging` reports an error of its own, the frames are those of the SDK's version.
        lines, found = ([line for line in text if not line.startswith("  ")] for text in (lines, found))
    assert same_text("\n".join(lines), "\n".join(found), folder), (lines, found)
