"""Every recorded request: what the handler finds in its event and context, and what the client gets."""

import json
from typing import Any

import pytest
from tests.serve import serve_vectors
from tests.serve.serve_client import Answer, Client, assert_answer, request_bytes, wait_until
from tests.serve.serve_replay import SharedFunctions, parameters, records

VECTORS = serve_vectors.load("event")
FRESH = [v for v in VECTORS if v.id.startswith("fresh-")]
CONTEXT = [v for v in VECTORS if v.id.startswith("context-")]
OTHERS = [v for v in VECTORS if v not in FRESH and v not in CONTEXT]
STRUCTURED = [v for v in OTHERS if v.id.startswith(("ce-structured", "ce-type")) and v.version == OTHERS[-1].version]
NO_BODY = ({"type": "NoneType", "repr": "None"}, {"type": "bytes", "repr": "b''"})


@pytest.fixture(scope="module")
def shared_functions(hosts: Any) -> SharedFunctions:
    return SharedFunctions(hosts)


def exchange(live: Any, vector: Any, client: Client) -> tuple[dict[str, Any] | None, Answer]:
    """Sends the request: the interim answer if one is recorded, and the answer."""
    request = vector.fields["request"]
    client.send(request_bytes(request))
    interim = vector.outcome.get("interim")
    if interim:
        answer = client.read()
        assert (answer.status, answer.reason, answer.headers) == (interim["status"], interim["reason"], [])
    timeout = 1.0 if vector.outcome.get("response", {}).get("status", 0) is None else 30.0
    return interim, client.read(head=request.get("method") == "HEAD", timeout=timeout)


def replay_those_before(live: Any, vector: Any) -> None:
    """A worker keeps what it read of a CloudEvent: each needs those that were recorded before it."""
    replayed = vars(live).setdefault("replayed", [])
    if vector in STRUCTURED:
        for earlier in STRUCTURED[len(replayed) : STRUCTURED.index(vector)]:
            with Client(live.port) as client:
                exchange(live, earlier, client)
            replayed.append(earlier)
        replayed.append(vector)


def assert_seen(vector: Any, seen: dict[str, Any]) -> None:
    """The event is the recorded one. Without any body it is None or b"", by the history of Nuclio's buffers."""
    expected = vector.outcome["seen"]
    if seen["body"] in NO_BODY and expected["body"] in NO_BODY and "body" not in vector.fields["request"]:
        seen = seen | {"body": expected["body"]}
    if seen["body"] in NO_BODY and vector.fields["request"].get("body") == "":
        seen = seen | {"body": expected["body"]}
    assert seen == expected


@pytest.mark.parametrize(("engine", "vector"), parameters(OTHERS))
def test_the_handler_sees_the_recorded_event(shared_functions: SharedFunctions, engine: str, vector: Any) -> None:
    live, outcome = (
        shared_functions[engine].take(vector, key=vector.id[:14] if vector in STRUCTURED else ""),
        vector.outcome,
    )
    replay_those_before(live, vector)
    log = live.log
    told = {stream: len(lines) for stream, lines in log.lines.items()}
    before = len(log.function_records())
    with Client(live.port) as client:
        _, answer = exchange(live, vector, client)
        response = outcome.get("response", outcome)
        if "headers" in response:
            assert_answer(response, answer, live.folder, engine)
        assert answer.status == response.get("status", 200)
        if "content_type" in response:
            assert dict(answer.headers)["Content-Type"] == response["content_type"]
        if response.get("connection") == "open" and answer.status:
            client.send(b"GET /__internal/health HTTP/1.1\r\nHost: h\r\n\r\n")
            assert client.read().status == 200
        elif answer.status:
            assert client.is_closed()
    if "seen" in outcome:
        assert_seen(vector, seen_event(live, vector, answer, told["stdout"]))
    expected = records(outcome)
    if expected:
        wait_until(lambda: len(log.function_records()) >= before + len(expected))
        assert all(map(lambda e, a: serve_vectors.same(e, a, live.folder), expected, log.function_records()[before:]))
    if "stderr" in outcome:
        wait_until(lambda: len(log.lines["stderr"]) >= told["stderr"] + len(outcome["stderr"]))
        wait_until(lambda: log.lines["stderr"][-len(outcome["stderr"]) :] == outcome["stderr"])


def seen_event(live: Any, vector: Any, answer: Answer, told: int) -> dict[str, Any]:
    """What the echo handler found: in the body, or for HEAD on its standard output."""
    if vector.fields["request"].get("method") != "HEAD":
        return json.loads(answer.body)
    lines = live.log.lines["stdout"]
    line = wait_until(lambda: next((line for line in lines[told:] if line.startswith("SEEN ")), ""))
    return json.loads(line.removeprefix("SEEN "))


@pytest.mark.parametrize(("engine", "vector"), parameters(FRESH))
def test_a_request_without_a_body_on_a_new_processor(hosts: Any, engine: str, vector: Any) -> None:
    live = hosts[engine].start(vector.fields["handler"], vector.fields.get("config"), version=vector.nuclio)
    answers = []
    for requests in vector.fields["request"]:
        with Client(live.port) as client:
            for request in requests:
                client.send(request.encode())
                answer = client.read()
                answers.append([answer.status, answer.body.decode()])
    assert answers == vector.outcome["responses"]
    if vector.outcome["stderr"]:
        wait_until(lambda: live.log.lines["stderr"])
    assert "".join(f"{line}\n" for line in live.log.lines["stderr"]) == vector.outcome["stderr"]
    live.stop()


@pytest.mark.parametrize(("engine", "vector"), parameters(CONTEXT))
def test_the_handler_finds_the_recorded_context(shared_functions: SharedFunctions, engine: str, vector: Any) -> None:
    live = shared_functions[engine].take(vector, vector.name)
    with Client(live.port) as client:
        for _ in range(int(vector.id.rpartition("-")[2])):
            client.send(request_bytes(vector.fields["request"]))
            answer = client.read()
    assert answer.status == vector.outcome["status"]
    seen, expected = json.loads(answer.body), vector.outcome["seen"]
    assert own_ways(seen, live) == own_ways(expected, live)


def own_ways(seen: dict[str, Any], live: Any) -> dict[str, Any]:
    """Without what is the recording's alone (three variables that it set) and the worker's own way to the engine."""
    env = {name: value for name, value in seen["env"].items() if not name.startswith("NUCLIO_PYTHON_")}
    env.pop("NUCLIO_HOME", None)
    words = iter(seen["argv"][1:])
    argv = [(word, next(words, "")) for word in words if word != "--decode-event-strings"]
    told = sorted(pair for pair in argv if not pair[0].endswith(("-fd", "-path")) and pair[0] != "--nuclio")
    text = json.dumps(seen | {"env": env, "argv": told}).replace(str(live.folder), "$fn")
    found = json.loads(text)
    for name in ("path0", "path1", "main", "cwd", "flags"):
        found.pop(name)
    return found
