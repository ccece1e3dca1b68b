"""Every recorded signal to a processor, sent to a running `cvat-nuclio serve`."""

import signal
import time
from pathlib import Path
from typing import Any

import pytest
from tests.serve import serve_vectors
from tests.serve.serve_client import get, wait_until
from tests.serve.serve_replay import left_out
from tests.serve.serve_scenarios import concurrently

from cvat_nuclio.serve import running
from cvat_nuclio.serve.running import Server

VECTORS = [v for v in serve_vectors.load("lifecycle") if v.id.startswith("term-") and not left_out(v, "builtin")]
ONCE = [v for v in VECTORS if v.version == "1.14.1" or isinstance(v.fields["nuclio"], str)]
# The bundle's folder becomes the workers' current folder, where the recorded handlers leave their marks.
WORKDIR = '  build: {directives: {preCopy: [{kind: WORKDIR, value: "/opt/nuclio"}]}}\n'


def make_bundle(folder: Path, vector: Any) -> Path:
    """A bundle of the vector's handler."""
    (folder / "function.yaml").write_text(vector.fields["config"].replace("$port", "0") + WORKDIR)
    (folder / "main.py").write_text(vector.fields["handler"])
    return folder


def port_of(server: Server) -> int:
    """The function's port."""
    return int(server.url.rpartition(":")[2])


def gone(pid: int) -> bool:
    """Whether a worker has ended."""
    return not Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize("vector", [v for v in ONCE if "during-init" not in v.id], ids=lambda v: v.name)
def test_a_signal_to_the_engine(tmp_path: Path, vector: Any) -> None:
    outcome = vector.outcome
    request = vector.fields["request"].partition(" after GET ")[2]
    number = int(vector.fields["request"].partition("signal ")[2].split()[0].rstrip(","))
    with running(make_bundle(tmp_path, vector), nuclio=vector.nuclio) as server:
        pids, port = server.worker_pids, port_of(server)
        answer = concurrently([lambda: get(port, request)])[0] if request else None
        time.sleep(0.3 if request else 0.0)
        server.process.send_signal(number)
        if "twice" in vector.id:
            server.process.send_signal(number)
        if outcome["exit_code"] is None:
            time.sleep(0.5)
            assert get(port).status == 200
            return
        assert server.process.wait(30) == expected_status(outcome["exit_code"], number)
        if answer:
            seen = answer.result()
            assert [seen.status, seen.body.decode()] == [outcome["running_request"][0], "w0" if seen.status else ""]
    if outcome.get("running_handler_finished") is not None:
        assert (tmp_path / "done").exists() == outcome["running_handler_finished"]
    if "term_callback_workers" in outcome:
        told = (tmp_path / "term").read_text() if (tmp_path / "term").exists() else None
        assert sorted(told or "") == sorted(outcome["term_callback_workers"] or "")
    assert not (tmp_path / "drain").exists()
    wait_until(lambda: all(gone(pid) for pid in pids))


def expected_status(recorded: int, number: int) -> int:
    """The recordings have -1 for any death by a signal that Go does not handle."""
    return -number if recorded < 0 else recorded


@pytest.mark.parametrize("vector", [v for v in ONCE if "during-init" in v.id], ids=lambda v: v.name)
def test_a_signal_before_the_function_is_ready(tmp_path: Path, vector: Any) -> None:
    from cvat_nuclio.serve.running import start

    log = (tmp_path / "log").open("w+b")
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    make_bundle(bundle, vector)
    with log, start(["serve", str(bundle), "--dashboard-port", "0"], {}, log) as server:
        worker = wait_until(lambda: children(server.process.pid))
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(10) == vector.outcome["exit_code"]
        wait_until(lambda: all(gone(pid) for pid in worker))


def children(pid: int) -> list[int]:
    """A process's children."""
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(word) for word in path.read_text().split()] if path.exists() else []
