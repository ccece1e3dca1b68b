"""Every recorded limit: sizes, malformed HTTP, busy workers, timeouts, clients that go away."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from tests.serve import serve_vectors
from tests.serve.serve_client import Client, assert_answer, body_bytes, get, request_bytes
from tests.serve.serve_replay import SharedFunctions, parameters, runs
from tests.serve.serve_scenarios import NOT_READY, scenario, start

from cvat_nuclio.serve.slot import EventClock

VECTORS = serve_vectors.load("limits")
WINDOWS = [v for v in VECTORS if v.id.endswith("-window")]
EXCHANGES = [v for v in VECTORS if isinstance(v.fields["request"], dict)]
SENTENCES = [v for v in VECTORS if isinstance(v.fields["request"], str) and v not in WINDOWS]
AT_ONCE = 8
WAIT_FOR_NOTHING = 0.5


@pytest.fixture(scope="module")
def shared_functions(hosts: Any) -> SharedFunctions:
    return SharedFunctions(hosts)


class Outcomes(dict[str, dict[str, "Future[Any]"]]):
    """All scenarios of an engine, several at a time: most of them wait."""

    def __init__(self, hosts: Any) -> None:
        super().__init__()
        self._hosts = hosts
        self._pool = ThreadPoolExecutor(AT_ONCE)

    def __missing__(self, engine: str) -> dict[str, "Future[Any]"]:
        host = self._hosts[engine]
        chosen = [v for v in SENTENCES if runs(v, host.name, host.versions)]
        chosen.sort(key=lambda v: "eventTimeout" not in v.id)
        self[engine] = {v.name: self._pool.submit(self._play, host, v) for v in chosen}
        return self[engine]

    def _play(self, host: Any, vector: Any) -> tuple[Any, dict[str, Any]]:
        live = start(host, vector)
        try:
            return live, scenario(vector)(live, vector)
        finally:
            live.stop()

    def close(self) -> None:
        """Waits for those that run."""
        self._pool.shutdown(cancel_futures=True)


@pytest.fixture(scope="module")
def outcomes(hosts: Any) -> Iterator[Outcomes]:
    outcomes = Outcomes(hosts)
    yield outcomes
    outcomes.close()


@pytest.mark.parametrize(("engine", "vector"), parameters(EXCHANGES))
def test_an_exchange_ends_as_recorded(shared_functions: SharedFunctions, engine: str, vector: Any) -> None:
    live, request, outcome = shared_functions[engine].take(vector), vector.fields["request"], vector.outcome
    with Client(live.port) as client:
        if "first" in outcome:
            client.send(request_bytes({**request, "body": None}))
            assert_answer(outcome["first"], client.read(), live.folder, engine)
            client.send(b"x" * int(dict(request["headers"])["Content-Length"]))
            outcome = outcome["second"]
        else:
            client.send(sent_bytes(request))
            if request.get("then") == "client half-closes":
                client.half_close()
        answer = client.read(timeout=WAIT_FOR_NOTHING if outcome["status"] is None else 30.0)
        assert_answer(outcome, answer, live.folder, engine)
        if answer.status is None:
            assert answer.error == outcome["error"]
        elif outcome["connection"] == "open":
            assert not client.is_closed(0.05)
        else:
            assert client.is_closed()
    assert get(live.port).status == 200


def sent_bytes(request: dict[str, Any]) -> bytes:
    """The request's bytes; some vectors say in words what was sent."""
    if "raw_note" in request:
        return b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1024\r\n\r\n" + b"x" * 1030
    if request.get("body") == "not sent":
        return request_bytes({**request, "body": None})
    data = request_bytes(request)
    if "head_bytes" in request:
        assert len(data) - len(body_bytes(request) or b"") == request["head_bytes"]
    return data


@pytest.mark.parametrize(("engine", "vector"), parameters(SENTENCES))
def test_a_scenario_ends_as_recorded(outcomes: Outcomes, engine: str, vector: Any) -> None:
    live, seen = outcomes[engine][vector.name].result()
    expected = vector.outcome
    if "answer" in seen:
        one_of = expected.get("runs_differ") or [expected]
        assert_answer(one_of[0], seen.pop("answer"), live.folder, engine)
        expected = {**one_of[0], **expected}
    for key in ("statuses_after", "ready_after"):
        assert_after_a_timeout(key, seen.pop(key, None), vector)
    for name, value in seen.items():
        recorded = expected[name]
        if isinstance(value, dict):
            recorded = {key: recorded[key] for key in value}
        assert serve_vectors.same(recorded, value, live.folder), (name, value, recorded)


def assert_after_a_timeout(key: str, seen: Any, vector: Any) -> None:
    """How long the restart shows depends on the machine: nothing but these, and the good answer in the end."""
    if seen is None:
        return
    allowed: list[Any] = [[200, "pid $n"], [500, NOT_READY]] if key == "statuses_after" else [200, 503]
    assert all(entry in allowed for entry in seen)
    assert allowed[0] in seen
    recorded = vector.outcome[f"{key} (distinct, each run)"]
    if all(allowed[1] in run for run in recorded) and "slow-init" in vector.id:
        assert allowed[1] in seen


@pytest.mark.parametrize("vector", [v for v in WINDOWS if runs(v, "builtin", ("1.14.1",))], ids=lambda v: v.name)
def test_the_recorded_kills_are_those_of_the_clock(vector: Any) -> None:
    timeout = float(vector.id.split("-")[-2].removesuffix("s"))
    early = "early" in vector.id
    possible = [
        simulated(began / 10, timeout, duration, first_tick=timeout + ready / 10)
        for ready in range(10)
        for began in (range(60) if early else range(110, 170))
        for duration in {row[0] for row in vector.outcome["table [D, status, seconds]"]}
    ]
    for duration, status, seconds in vector.outcome["table [D, status, seconds]"]:
        assert any(p[:2] == (duration, status) and abs(p[2] - seconds) < 0.2 for p in possible), (
            duration,
            status,
            seconds,
        )


def simulated(began: float, timeout: float, duration: float, first_tick: float) -> tuple[float, int, float]:
    """What becomes of a request of `duration` seconds that begins `began` seconds after the processor's start."""
    now = 0.0
    clock = EventClock(lambda: now)
    now = began
    event_time = clock.now()
    tick = first_tick
    while tick < began + duration:
        now = tick
        if tick > began and clock.is_late(event_time, timeout):
            return duration, 408, tick - began
        tick += timeout
    return duration, 200, duration
