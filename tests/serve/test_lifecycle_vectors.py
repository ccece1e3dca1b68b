"""Every recorded life: starts, health, workers that die, signals to a worker, ends, bursts of log lines."""

import operator
import os
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from tests.serve import serve_vectors
from tests.serve.serve_client import Answer, Client, ask, assert_answer, get, request_bytes, wait_until
from tests.serve.serve_replay import SharedFunctions, parameters
from tests.serve.serve_scenarios import concurrently

VECTORS = serve_vectors.load("lifecycle")


def having(*beginnings: str) -> list[Any]:
    """The engines and vectors whose ids begin so."""
    return parameters([v for v in VECTORS if v.id.startswith(beginnings)])


STARTED: list[Any] = []


@pytest.fixture(autouse=True)
def nothing_is_left_running() -> Iterator[None]:
    """Ends what a test has started, however the test ends."""
    yield
    while STARTED:
        STARTED.pop().stop()


def start(hosts: Any, engine: str, vector: Any, *, wait: bool = True, handler: str | None = None) -> Any:
    """The function of a vector, which ends with the test."""
    fields = vector.fields
    source = fields["handler"] if handler is None else handler
    live = hosts[engine].start(source, fields.get("config"), version=vector.nuclio, wait=False)
    STARTED.append(live)
    if wait:
        hosts[engine].wait(live)
    return live


@pytest.fixture(scope="module")
def shared_functions(hosts: Any) -> SharedFunctions:
    return SharedFunctions(hosts)


def state(live: Any) -> dict[str, Any]:
    """What the two ports say, in the recordings' words."""
    http = get(live.port, "/__internal/health") if live.port else Answer(None)  # first: it is never ahead of `ready`
    ready, live_ = get(live.health_port, "/ready"), get(live.health_port, "/live")
    return {"ready": ready.status, "live": live_.status, "http": http.status or "ConnectionRefused"}


@pytest.mark.parametrize(("engine", "vector"), having("order-"))
def test_the_ports_open_in_the_recorded_order(hosts: Any, engine: str, vector: Any) -> None:
    live, outcome = start(hosts, engine, vector, wait=False), vector.outcome
    wait_until(lambda: live.health_port and get(live.health_port, "/live").status)
    states: list[dict[str, Any]] = []

    def over() -> bool:
        seen = state(live)
        if seen not in states and None not in seen.values():
            states.append(seen)
        return states[-1:] == outcome["states"][-1:] and (outcome["exit_code"] == "running" or live.exit_status)

    wait_until(over)
    # The two ports may change a moment apart; the recording leaves such states out.
    assert [s for s in states if s in outcome["states"]] == outcome["states"]
    assert all(s["http"] == "ConnectionRefused" for s in states if s["ready"] != 200)
    assert (live.exit_status or "running") == outcome["exit_code"]


@pytest.mark.parametrize(("engine", "vector"), having("start-"))
def test_a_start_ends_as_recorded(hosts: Any, engine: str, vector: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome, handler = vector.outcome, vector.fields["handler"]
    slow = "after_seconds" in outcome
    if slow:
        # Two minutes become one second and a half.
        monkeypatch.setattr("cvat_nuclio.serve.slot.IMPORT_DEADLINE", 1.5)
        handler = handler.replace("130", "4")
    never_ready = outcome["exit_code"] == "running" and not outcome.get("ready")
    live = start(hosts, engine, vector, wait=not never_ready, handler=handler)
    if never_ready:
        wait_until(lambda: live.health_port and get(live.health_port, "/live").status)
        time.sleep(2.0 if slow else 1.0)
        wait_until(lambda: not live.pids)
    assert (live.exit_status if live.exit_status is not None else "running") == outcome["exit_code"]
    if outcome["exit_code"] == "running":
        assert len(live.pids) == outcome["workers"]
        assert state(live) == outcome.get("probe", outcome.get("states", [None])[-1])
    if "http" in outcome:
        answer = get(live.port)
        assert [answer.status, answer.body.decode()] == outcome["http"]
    if not slow:
        assert_said(live, outcome)


def assert_said(live: Any, outcome: dict[str, Any]) -> None:
    """The worker's lines on stderr, the engine's last words and the log records are the recorded ones."""
    told = "\n".join(live.log.lines["stderr"])
    for line in outcome["stderr"]:
        if line.startswith("panic: "):
            assert any(serve_vectors.same_text(line, said, live.folder) for said in last_words(live)), line
        elif not line.startswith("DEBUG:nuclio_sdk:"):
            plain = serve_vectors.plain(serve_vectors.localised(told, live.folder)).splitlines()
            assert serve_vectors.plain(line).replace(":$n:", ":N:") in plain, (line, plain)
    for line in outcome["log"]:
        if isinstance(line, str):
            wait_until(partial(operator.contains, live.log.lines["stdout"], line))
        elif "raw_wrapper_json" in line:
            assert_failed_import(live, line["raw_wrapper_json"])
        elif "worker_id" in line:
            assert line in live.log.function_records()


def last_words(live: Any) -> list[str]:
    """What the processor said as it ended."""
    return [*(record.message for record in live.log.records), *live.log.lines["stderr"]]


def assert_failed_import(live: Any, record: dict[str, Any]) -> None:
    """The record of an import that failed, its traceback told to the user in full."""
    if "traceback" not in record["with"]:
        assert record["message"] in [r.message for r in live.log.records]
        return
    said = live.processor.failure + "".join(str(r.fields.get("traceback")) for r in live.log.records)
    said = serve_vectors.plain(serve_vectors.localised(said, live.folder))
    told = [line for line in serve_vectors.plain(record["with"]["traceback"]).splitlines() if line.strip()]
    assert all(line in said for line in told), (said, told)


@pytest.mark.parametrize(("engine", "vector"), having("health-before-"))
def test_the_health_server_answers_before_the_start_is_over(hosts: Any, engine: str, vector: Any) -> None:
    live = start(hosts, engine, vector, wait=False)
    wait_until(lambda: live.health_port and get(live.health_port, "/live").status)
    assert_health(live, vector, engine)


@pytest.mark.parametrize(("engine", "vector"), having("health-after-"))
def test_the_health_server_answers(shared_functions: SharedFunctions, engine: str, vector: Any) -> None:
    live = shared_functions[engine].take(vector)
    assert_health(live, vector, engine)


def assert_health(live: Any, vector: Any, engine: str) -> None:
    request = vector.fields["request"]
    with Client(live.health_port) as client:
        client.send(request_bytes(request))
        assert_answer(vector.outcome, client.read(head=request["method"] == "HEAD"), live.folder, engine)
        assert not client.is_closed(0.05)


@pytest.mark.parametrize(("engine", "vector"), having("state-"))
def test_state_belongs_to_a_worker(hosts: Any, engine: str, vector: Any) -> None:
    live = start(hosts, engine, vector)
    bodies = sorted(get(live.port).body.decode() for _ in range(9))
    assert bodies == vector.outcome["sorted_responses"]
    assert len(live.pids) == vector.outcome["worker_processes"]


@pytest.mark.parametrize(("engine", "vector"), having("worker-sig"))
def test_a_signal_to_an_idle_worker(hosts: Any, engine: str, vector: Any) -> None:
    live, outcome = start(hosts, engine, vector), vector.outcome
    pids = live.pids
    os.kill(pids[0], int(vector.fields["request"].split()[1]))
    if outcome["exit_code"] == "running":
        assert outcome["next"] == [None, "TimeoutError"]
        # The signal and a request may come at one moment, and then the request is still answered.
        wait_until(lambda: get(live.port, timeout=1.0).error == "TimeoutError")
        assert live.pids == pids
    else:
        assert wait_until(lambda: live.exit_status) == outcome["exit_code"]
        wait_until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in pids))  # noqa: PTH110
        assert get(live.port).status is None
        for line in outcome["stderr"]:
            told = [*last_words(live), *live.processor.failure.splitlines()]
            assert any(
                serve_vectors.same_text(line, f"panic: {t}" if "Wrapper" in t[:8] else t, live.folder) for t in told
            )


@pytest.mark.parametrize(("engine", "vector"), having("worker-dies-in-request-"))
def test_a_worker_that_dies_in_a_request(hosts: Any, engine: str, vector: Any) -> None:
    live, outcome = start(hosts, engine, vector), vector.outcome
    other = concurrently([lambda: get(live.port, "/?s=2")])[0]
    time.sleep(0.3)
    dying = get(live.port, vector.fields["request"].partition("later GET ")[2].split()[0])
    # The engine's end may cut either way of telling the client: the recording names both for some deaths.
    assert [dying.status, dying.body.decode() or dying.error] in [
        *outcome["dying_request_one_of"],
        [None, "closed without response"],
        [None, "ConnectionResetError"],
    ]
    answer = other.result()
    if outcome["exit_code"] == "running":
        assert [answer.status, answer.body.decode()] == outcome["other_running_request"]
        sequence = [get(live.port) for _ in range(4)]
        found = sorted([a.status, a.body.decode()] for a in sequence)
        assert serve_vectors.same(sorted(outcome["next_4_requests"]), found, live.folder), found
        assert get(live.health_port, "/ready").status == outcome["ready"]
        assert len(live.pids) == outcome["workers"]
    else:
        assert answer.status is None
        assert wait_until(lambda: live.exit_status) == outcome["exit_code"]
        assert all(
            any(serve_vectors.same_text(line, t, live.folder) for t in last_words(live)) for line in outcome["stderr"]
        )


@pytest.mark.parametrize(("engine", "vector"), having("log-volume-"))
def test_a_burst_of_log_lines(hosts: Any, engine: str, vector: Any) -> None:
    live = start(hosts, engine, vector)
    target = vector.fields["request"].split()[1]
    recorded = vector.outcome["three_runs"]
    assert get(live.port, target).status == recorded[0]["status"]
    assert get(live.port, "/?n=0&k=0").status == recorded[0]["next"]
    if engine == "builtin":
        # Nuclio loses lines in a race; this engine delivers what the function logged.
        count = int(target.partition("n=")[2].partition("&")[0])
        wait_until(lambda: len(live.log.function_records()) == count)


# The built-in engine gets the other signals in test_signal_vectors.py, in a process of its own.
ENDS = [
    param
    for param in having("term-sigterm-idle", "term-sigterm-running")
    if param.values[0] == "nuclio" or param.values[1].name == "term-sigterm-running-2s-1.14.1"
]


@pytest.mark.parametrize(("engine", "vector"), ENDS)
def test_a_graceful_end(hosts: Any, engine: str, vector: Any) -> None:
    live, outcome = start(hosts, engine, vector), vector.outcome
    request = vector.fields["request"].partition(" after GET ")[2]
    running = concurrently([lambda: get(live.port, request)])[0] if request else None
    if running:
        time.sleep(0.3)
    live.terminate()
    answers = [get(live.port) for _ in range(2)] if "running" in vector.id else []
    assert all(a.status in (503, 200, None) for a in answers)
    assert wait_until(lambda: live.exit_status is not None, 30) is True
    assert live.exit_status == outcome["exit_code"]
    if running:
        answer = running.result()
        assert [answer.status, answer.body.decode() or answer.error] == outcome["running_request"]
        assert (live.cwd / "done").exists() == outcome["running_handler_finished"]
    assert sorted((live.cwd / "term").read_text()) == sorted(outcome["term_callback_workers"])
    assert not (live.cwd / "drain").exists()


def test_new_requests_are_refused_during_a_graceful_end(hosts: Any) -> None:
    vector = next(v for v in VECTORS if v.name == "term-sigterm-running-2s-1worker-1.13.0")
    live = start(hosts, "builtin", vector)
    running = concurrently([lambda: get(live.port, "/done?s=1")])[0]
    time.sleep(0.3)
    live.terminate()
    answer = wait_until(lambda: (a := get(live.port)).status == 503 and a)
    assert answer.body == b""
    assert get(live.health_port, "/ready").status == get(live.health_port, "/live").status == 200
    assert ask(live.port, b"GET /__internal/health HTTP/1.1\r\nHost: h\r\n\r\n").status == 200
    assert running.result().body == b"w0"
    wait_until(lambda: live.exit_status is not None)
