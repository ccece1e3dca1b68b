"""The load generator against a server that counts."""

import http.server
import threading
from collections.abc import Iterator

import pytest

from cvat_nuclio.bench.load import run_load, send_one
from cvat_nuclio.errors import UserError


class Counting(http.server.BaseHTTPRequestHandler):
    """Answers every third request of a path `/third` with 503, all of `/never`, and none of `/`."""

    protocol_version = "HTTP/1.1"
    lock = threading.Lock()
    bodies: list[bytes]
    connections: set[tuple[str, int]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.lock:
            self.bodies.append(body)
            self.connections.add(self.client_address)
            bad = self.path == "/never" or (self.path == "/third" and len(self.bodies) % 3 == 0)
        self.send_response(503 if bad else 200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"[]")

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    Counting.bodies, Counting.connections = [], set()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Counting) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{listening.server_address[1]}"
        listening.shutdown()
        thread.join()


def test_sends_as_many_as_asked_over_one_connection_a_client(server: str) -> None:
    load = run_load(f"{server}/", b"{}", requests=40, clients=4)
    assert Counting.bodies == [b"{}"] * 40
    assert len(Counting.connections) <= 4
    assert (load.clients, len(load.seconds), load.failures) == (4, 40, 0)
    assert 0 < load.percentile(50) <= load.percentile(99)


def test_counts_failures_apart(server: str) -> None:
    load = run_load(f"{server}/third", b"{}", requests=30, clients=2)
    assert (len(load.seconds), load.failures) == (20, 10)


def test_nothing_answered_is_an_error(server: str) -> None:
    with pytest.raises(UserError, match="answered no request"):
        run_load(f"{server}/never", b"{}", requests=3, clients=1)
    with pytest.raises(UserError, match="does not answer"):
        send_one(f"{server}/never", b"{}")
