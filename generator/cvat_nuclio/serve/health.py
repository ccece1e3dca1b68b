"""The processor's health server: `/live` and `/ready` as the health checks of Docker and Kubernetes ask for them."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from .connection import Handler
from .request import Request
from .response import date, reason

TEXT = "text/plain; charset=utf-8"
JSON = "application/json; charset=utf-8"


@dataclass
class GoResponse:
    """An answer as Go's net/http writes it: no `Server`, the date after the handler's headers."""

    status: int
    body: bytes
    content_type: str
    close: bool = False

    def encode(self, *, head_only: bool = False) -> bytes:
        """The bytes on the wire; `head_only` for HEAD."""
        lines = [f"HTTP/1.1 {self.status} {reason(self.status)}".encode()]
        lines.append(f"Content-Type: {self.content_type}".encode())
        if self.content_type == TEXT:
            lines.append(b"X-Content-Type-Options: nosniff")
        lines += [b"Date: " + date(), b"Content-Length: %d" % len(self.body)]
        if self.close:
            lines.append(b"Connection: close")
        return b"\r\n".join([*lines, b"", b"" if head_only else self.body])


def health_handler(is_ready: Callable[[], bool]) -> Handler:
    """Answers `/live` and `/ready`; `?full=1` names the checks."""

    async def handle(request: Request) -> GoResponse:
        if request.path not in (b"/live", b"/ready"):
            return GoResponse(404, b"404 page not found\n", TEXT)
        if request.method != b"GET":
            return GoResponse(405, b"method not allowed\n", TEXT)
        checks = {"processor_liveness": "OK"}
        if request.path == b"/ready":
            checks["processor_readiness"] = "OK" if is_ready() else "Processor not ready yet"
        status = 200 if set(checks.values()) == {"OK"} else 503
        full = request.fields.get(b"full") == b"1"
        body = json.dumps(checks if full else {}, indent=4)
        return GoResponse(status, f"{body}\n".encode(), JSON)

    return handle
