"""A Nuclio that answers what was recorded: dashboard and function on one port, over real HTTP."""

import json
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

#: Nuclio's words for what Python calls otherwise from 3.13 on.
REASONS = {413: "Request Entity Too Large", 422: "Unprocessable Entity"}


class NuclioStandin(ThreadingHTTPServer):
    """`answers` are taken one for each request in order; `paths` answer by path and win. `seen` is what came in."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: deque[dict[str, Any]] = deque()
        self.paths: dict[str, dict[str, Any]] = {}
        self.seen: list[dict[str, Any]] = []
        self.over = threading.Event()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def reset(self, answers: list[dict[str, Any]], paths: dict[str, dict[str, Any]] | None = None) -> None:
        """A new replay; a request that still waits for its delayed answer is let go."""
        self.over.set()
        self.over = threading.Event()
        self.answers, self.paths, self.seen = deque(answers), paths or {}, []

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that gave up is what a timeout looks like from here."""


@contextmanager
def running() -> Iterator[NuclioStandin]:
    server = NuclioStandin()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: NuclioStandin

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.seen.append(
            {
                "request_line": f"{self.command} {self.path}",
                "request": json.loads(body) if body else None,
                "request_headers": dict(self.headers.items()),
            }
        )
        recorded = self.server.paths.get(self.path) or self.server.answers.popleft()
        if recorded.get("mode") == "drop":
            self.close_connection = True
            return
        if recorded.get("delay_seconds"):
            self.server.over.wait()
        self._send(recorded)

    def _send(self, recorded: dict[str, Any]) -> None:
        content = content_of(recorded)
        missing = 100 if recorded.get("mode") == "truncate" else 0
        self.send_response(recorded["status"], REASONS.get(recorded["status"]))
        headers = {"Content-Type": "application/json"} | recorded.get("headers", {})
        location = headers.get("Location")
        if location:
            headers["Location"] = self.server.url + "/" + location.split("/", 3)[3]
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content) + missing))
        self.end_headers()
        self.wfile.write(content)
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


def content_of(recorded: dict[str, Any]) -> bytes:
    """The recorded body's bytes."""
    if "raw_hex" in recorded:
        return bytes.fromhex(recorded["raw_hex"])
    if "raw_body" in recorded:
        return recorded["raw_body"].encode()
    if "body_shortened" in recorded:
        return _lengthened(recorded["body_shortened"])
    return json.dumps(recorded["body"]).encode()


def _lengthened(shortened: dict[str, Any]) -> bytes:
    """A long run of one letter between the recorded head and tail."""
    head, tail = shortened["head"].encode(), shortened["tail"].encode()
    return head + b"A" * (shortened["chars"] - len(head) - len(tail)) + tail
