"""The vectors of limits.json whose request is a sentence: what was done, done again, and what is seen in the end.

Each scenario returns what the recording calls the outcome, as far as a machine's speed leaves it the same.
"""

import itertools
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from tests.serve.serve_client import Answer, Client, ask, get, head_bytes, wait_until
from tests.serve.serve_hosts import Host, Live
from tests.serve.serve_vectors import Vector

EVENT_CLOCK_SETTLES = 11.0
PAUSE = 1.0
NOT_READY = "Processor not ready (current status: stopped)"


def start(host: Host, vector: Vector) -> Live:
    """The function of a vector, ready."""
    fields = vector.fields
    return host.start(fields["handler"], fields["config"], version=vector.nuclio, env=fields.get("env"))


def post(port: int, target: str, body: str, timeout: float = 30.0) -> Answer:
    """POST with a short body."""
    data = head_bytes("POST", target, [("Host", "h"), ("Content-Length", str(len(body)))]) + body.encode()
    return ask(port, data, timeout=timeout)


def concurrently(calls: list[Callable[[], Answer]]) -> list[Any]:
    """Starts all at once; futures."""
    pool = ThreadPoolExecutor(len(calls))
    futures = [pool.submit(call) for call in calls]
    pool.shutdown(wait=False)
    return futures


def keepalive_requests(live: Live, vector: Vector) -> dict[str, Any]:
    with Client(live.port) as client:
        bodies = []
        for n in range(5):
            client.send(f"GET /{n} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
            bodies.append(client.read().body.decode())
    workers = [body[-1] for body in bodies]
    alternate = all(a != b for a, b in itertools.pairwise(workers))
    return {"bodies": bodies, "workers": "alternate" if alternate else workers, "connection": "open"}


def keepalive_idle(live: Live, vector: Vector) -> dict[str, Any]:
    with Client(live.port) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        client.read()
        time.sleep(6)
        client.send(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        return {"second_status": client.read().status}


def slow_body(live: Live, vector: Vector) -> dict[str, Any]:
    with Client(live.port) as client:
        client.send(b"POST /slow HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nabc")
        time.sleep(PAUSE)
        assert get(live.port).status == get(live.port).status == 200
        client.send(b"def")
        answer = client.read()
    return {"status": answer.status, "body": answer.body.decode()}


def pipelining(live: Live, vector: Vector) -> dict[str, Any]:
    with Client(live.port) as client:
        client.send(b"".join(b"GET %b HTTP/1.1\r\nHost: h\r\n\r\n" % t for t in (b"/a?s=0.4", b"/b", b"/c")))
        return {"bodies": [client.read().body.decode() for _ in range(3)]}


def idle_connections(live: Live, vector: Vector) -> dict[str, Any]:
    clients = [Client(live.port) for _ in range(300)]
    try:
        return {"status": get(live.port).status}
    finally:
        for client in clients:
            client.__exit__()


def busy(live: Live, vector: Vector) -> dict[str, Any]:
    workers = len(live.pids)
    waits = vector.outcome["seconds"][0]
    held = 1.2 if vector.outcome["status"] == 200 else waits + 3.0
    running = concurrently([lambda: get(live.port, f"/?s={held}")] * workers)
    time.sleep(0.4)
    late = concurrently([lambda: post(live.port, "/", "x")])[0]
    seen = {
        "internal_health_meanwhile": get(live.port, "/__internal/health").status,
        "ready_meanwhile": get(live.health_port, "/ready").status,
    }
    answer = late.result()
    assert [future.result().status for future in running] == [200] * workers
    return seen | {"answer": answer, "after": get(live.port).status}


def queue_fifo(live: Live, vector: Vector) -> dict[str, Any]:
    order: list[int] = []

    def call(number: int) -> Answer:
        answer = get(live.port, f"/{number}?s=0.25")
        order.append(number)
        return answer

    futures = []
    for number in range(6):
        futures += concurrently([partial(call, number)])
        time.sleep(0.06)
    for future in futures:
        future.result()
    return {"completion_order": order}


def rotation(live: Live, vector: Vector) -> dict[str, Any]:
    workers = "".join(get(live.port).body.decode()[-1] for _ in range(9))
    return {"worker_sequence_has_period_3": workers == workers[:3] * 3, "first_three": [workers[:3]]}


def parallel_four(live: Live, vector: Vector) -> dict[str, Any]:
    began = time.monotonic()
    answers = [f.result() for f in concurrently([lambda: get(live.port, "/?s=0.5")] * 4)]
    workers = sorted(answer.body.decode()[-1] for answer in answers)
    assert workers == ["0", "0", "1", "1"]
    assert time.monotonic() - began >= 0.99
    return {}


def async_not_concurrent(live: Live, vector: Vector) -> dict[str, Any]:
    began = time.monotonic()
    for future in concurrently([lambda: get(live.port)] * 3):
        assert future.result().body == b"a"
    assert time.monotonic() - began >= 1.49
    return {}


def disconnect_running(live: Live, vector: Vector) -> dict[str, Any]:
    cwd = live.cwd
    with Client(live.port) as client:
        client.send(b"GET /done?s=1 HTTP/1.1\r\nHost: h\r\n\r\n")
        time.sleep(0.2)
    answer = get(live.port)
    return {"next_status": answer.status, "first_handler_ran_to_its_end": (cwd / "done").exists(), "log": []}


def disconnect_queued(live: Live, vector: Vector) -> dict[str, Any]:
    done = live.cwd / "done"
    running = concurrently([lambda: get(live.port, "/?s=1")])
    time.sleep(0.2)
    with Client(live.port) as client:
        client.send(b"GET /done HTTP/1.1\r\nHost: h\r\n\r\n")
        time.sleep(0.2)
    running[0].result()
    return {"queued_request_of_gone_client_still_ran": bool(wait_until(done.exists))}


def disconnect_half_body(live: Live, vector: Vector) -> dict[str, Any]:
    cwd = live.cwd
    with Client(live.port) as client:
        client.send(b"POST /done HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc")
        time.sleep(0.2)
    status = get(live.port).status
    return {"handler_ran": (cwd / "done").exists(), "next_status": status}


def empty_list(live: Live, vector: Vector) -> dict[str, Any]:
    sequence = []
    for target in ("/", "/empty", "/", "/", "/"):
        answer = get(live.port, target)
        sequence.append([target, answer.status, answer.body.decode()])
    ready = get(live.health_port, "/ready").status
    return {"sequence": sequence, "ready": ready, "workers": len(live.pids)}


def event_timeout(live: Live, vector: Vector) -> dict[str, Any]:
    early = "more than 11 s" not in vector.fields["request"]
    if early:
        time.sleep(max(0.0, 1.0 - (time.monotonic() - live.started_at)))
    else:
        time.sleep(max(0.0, EVENT_CLOCK_SETTLES - (time.monotonic() - live.started_at)))
    before, inits = live.pids, live.cwd / "inits"
    seconds = vector.fields["request"].partition("s=")[2].partition(" ")[0]
    with Client(live.port) as client:
        client.send(f"GET /?s={seconds} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
        answer = client.read()
        if vector.outcome.get("exit_code") == 2 or "runs_differ" in vector.outcome:
            status = wait_until(lambda: live.exit_status)
            return {"answer": answer, "exit_code": status, "workers": {"before": len(before), "after": len(live.pids)}}
        seen, ready = after_timeout(live, len(before))
        open_ = not client.is_closed(0.05)
    workers = {"before": len(before), "after": len(live.pids), "kept": len(set(before) & set(live.pids))}
    count = len(inits.read_text().split())
    return {
        "answer": answer,
        "connection": "open" if open_ else "closed",
        "workers": workers,
        "inits": count,
        "exit_code": live.exit_status,
        "statuses_after": seen,
        "ready_after": ready,
    }


def after_timeout(live: Live, workers: int) -> tuple[list[list[Any]], list[int | None]]:
    """The distinct answers from the timeout until all workers answer again."""
    seen: list[list[Any]] = []
    ready: list[int | None] = []
    good = 0
    while good < 2 * workers:
        answer, health = get(live.port), get(live.health_port, "/ready")
        good = good + 1 if answer.status == 200 and health.status == 200 else 0
        entry = [answer.status, "pid $n" if answer.body.startswith(b"pid ") else answer.body.decode()]
        seen += [entry] if entry not in seen else []
        ready += [health.status] if health.status not in ready else []
        time.sleep(0.05)
    return seen, ready


def queued_behind_timeout(live: Live, vector: Vector) -> dict[str, Any]:
    first = concurrently([lambda: get(live.port, "/?s=10")])[0]
    time.sleep(0.3)
    queued = get(live.port)
    answers = [first.result(), queued]
    return dict(zip(("first", "queued"), ([a.status, a.body.decode()] for a in answers), strict=True))


SCENARIOS: dict[str, Callable[[Live, Vector], dict[str, Any]]] = {
    "keepalive-5-requests": keepalive_requests,
    "keepalive-idle-6s": keepalive_idle,
    "slow-body-3s": slow_body,
    "pipelining-3": pipelining,
    "300-idle-connections": idle_connections,
    "busy-": busy,
    "queue-fifo": queue_fifo,
    "rotation-3-workers": rotation,
    "parallel-4-on-2": parallel_four,
    "async-not-concurrent": async_not_concurrent,
    "disconnect-while-running": disconnect_running,
    "disconnect-while-queued": disconnect_queued,
    "disconnect-half-body": disconnect_half_body,
    "empty-list-": empty_list,
    "eventTimeout-queued-request": queued_behind_timeout,
    "eventTimeout-": event_timeout,
}


def scenario(vector: Vector) -> Callable[[Live, Vector], dict[str, Any]]:
    """What to do for a vector; the longest name that fits."""
    name = max((name for name in SCENARIOS if vector.id.startswith(name)), key=len)
    return SCENARIOS[name]
