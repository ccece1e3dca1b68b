"""The function's port: a request is read up to its limits, then a worker answers it."""

from collections.abc import Awaitable, Callable

from .answer import Answer
from .event import encode_event, event_path
from .listener import BAD_REQUEST, BIG_HEAD, TEXT, Limits, Receive, Scope, Send

HEALTH_PATH = "/__internal/health"
HELD_BODIES = 8


class TooLarge(Exception):
    """The body is over its limit."""


class Gone(Exception):
    """The client has gone before the end of its body."""


class Busy(Exception):
    """The clients' unfinished bodies together take too much memory."""


class Bodies:
    """Reads bodies; those that are still on their way take at most `HELD_BODIES` times the limit of one."""

    def __init__(self) -> None:
        self._held = 0

    async def read(self, scope: Scope, receive: Receive, limit: int) -> bytes | None:
        """The body, None where the request has none at all. Raises TooLarge, Gone, Busy."""
        headers = dict(scope["headers"])
        length = headers.get(b"content-length")
        if length is None and b"transfer-encoding" not in headers:
            return None
        if int(length or 0) > limit:
            raise TooLarge
        parts: list[bytes] = []
        size = 0
        try:
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Gone
                parts.append(message["body"])
                size += len(parts[-1])
                self._held += len(parts[-1])
                if size > limit:
                    raise TooLarge
                if self._held > HELD_BODIES * limit:
                    raise Busy
                if not message["more_body"]:
                    return b"".join(parts)
        finally:
            self._held -= size


class TriggerApp:
    """The ASGI application. `process` answers an encoded event."""

    def __init__(self, limits: Limits, name: str, process: Callable[[bytes], Awaitable[Answer]]) -> None:
        self._limits = limits
        self._name = name
        self._process = process
        self._bodies = Bodies()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = await self._answer(scope, receive)
        if answer:
            await answer.send(send)

    async def _answer(self, scope: Scope, receive: Receive) -> Answer | None:
        if head_size(scope) > self._limits.head:
            return refusal(431, BIG_HEAD)
        try:
            body = await self._bodies.read(scope, receive, self._limits.body)
        except TooLarge:
            return refusal(400, BAD_REQUEST)
        except Busy:
            return refusal(503, b"")
        except Gone:
            return None
        if event_path(scope).startswith(HEALTH_PATH):
            return Answer()
        return await self._process(encode_event(scope, body, self._name))


def refusal(status: int, text: bytes) -> Answer:
    """An answer that ends the connection."""
    return Answer(status, text, TEXT if text else b"", {"Server": "nuclio", "Connection": "close"})


def head_size(scope: Scope) -> int:
    """Bytes of the request line and the headers."""
    target = len(scope["raw_path"]) + (len(scope["query_string"]) + 1 if scope["query_string"] else 0)
    lines = len(scope["method"]) + 1 + target + len(" HTTP/1.1\r\n")
    return lines + sum(len(name) + len(value) + 4 for name, value in scope["headers"]) + 2
