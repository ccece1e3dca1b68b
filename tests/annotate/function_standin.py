"""A detector behind HTTP whose answers a test decides: its dashboard and itself on one port."""

import base64
import contextlib
import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from PIL import Image

LABELS = [
    {"id": 0, "name": "box", "type": "rectangle", "attributes": []},
    {"id": 1, "name": "scene", "type": "tag", "attributes": []},
]
BOX = {"label": "box", "type": "rectangle", "points": [5, 5, 50, 40], "confidence": None, "attributes": []}
SCENE = {"label": "scene", "type": "tag", "attributes": []}

Answer = Callable[[dict[str, Any]], tuple[int, Any]]


class FunctionStandin(ThreadingHTTPServer):
    """`answer(body)` gives status and JSON. `bodies` came in; `most` ran at a time. `seconds` each takes at least."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.answer: Answer = lambda body: (200, [BOX, SCENE])
        self.labels: list[dict[str, Any]] = LABELS
        self.kind = "detector"
        self.workers = 4
        self.seconds = 0.0
        self.bodies: list[dict[str, Any]] = []
        self.most = self._running = 0
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def function(self) -> dict[str, Any]:
        annotations = {"name": "Stand-in", "type": self.kind, "spec": json.dumps(self.labels)}
        triggers = {"http": {"kind": "http", "numWorkers": self.workers}}
        return {
            "metadata": {"name": "stand-in", "namespace": "nuclio", "annotations": annotations},
            "spec": {"description": "", "triggers": triggers},
            "status": {"state": "ready", "httpPort": self.server_address[1]},
        }

    def called(self, body: dict[str, Any]) -> tuple[int, Any]:
        with self._lock:
            self.bodies.append(body)
            self._running += 1
            self.most = max(self.most, self._running)
        try:
            time.sleep(self.seconds)
            return self.answer(body)
        finally:
            with self._lock:
                self._running -= 1

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away."""


class _Handler(BaseHTTPRequestHandler):
    server: FunctionStandin

    def do_GET(self) -> None:
        self._send(200, {"stand-in": self.server.function()})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status, answer = self.server.called(body)
        if status:
            self._send(status, answer)

    def _send(self, status: int, answer: Any) -> None:
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


def picture(body: dict[str, Any]) -> Image.Image:
    """The frame in a request."""
    return Image.open(io.BytesIO(base64.b64decode(body["image"])))


@contextlib.contextmanager
def running(port: int = 0) -> Iterator[FunctionStandin]:
    server = FunctionStandin(port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
