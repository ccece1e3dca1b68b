"""Every recorded handler result: what the client gets, what is logged, and that the worker goes on."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.serve import serve_vectors
from tests.serve.serve_client import Client, ask, assert_answer, get, request_bytes, wait_until
from tests.serve.serve_replay import Fleets, assert_logs, parameters

VECTORS = serve_vectors.load("response")


@pytest.fixture(scope="module")
def fleets(hosts: Any) -> Iterator[Fleets]:
    with Fleets(hosts, VECTORS) as fleets:
        yield fleets


@pytest.mark.parametrize(("engine", "vector"), parameters(VECTORS))
def test_answers_like_the_recorded_processor(fleets: Fleets, engine: str, vector: Any) -> None:
    fleet = fleets[engine]
    live = fleet.take(vector)
    outcome, folder = vector.outcome, live.folder
    data, after = request_bytes(vector.fields["request"]), outcome["after"]
    pids, told = live.pids, len(live.log.function_records())
    with Client(live.port) as client:
        client.send(data)
        assert_answer(outcome, client.read(), folder, engine)
        assert_logs(live, outcome, told)
        if outcome["connection"] == "open" and after["second_status"] is not None:
            client.send(data)
            assert client.read().status == after["second_status"]
        elif outcome["connection"] != "open":
            assert client.is_closed()
            assert ask(live.port, data).status == after["second_status"]
    if after["second_status"] is None:
        assert get(live.port, timeout=0.5).status is None
    assert live.exit_status is None
    assert live.pids == pids
    fleet.give_back(live)
    wait_until(lambda: not live.pids)
