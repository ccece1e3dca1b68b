"""An HTTP client over a plain socket: it sends what a vector says, and keeps every byte of the answer."""

import contextlib
import hashlib
import json
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.serve.serve_vectors import same, same_text

TIMEOUT = 30.0


@dataclass
class Answer:
    """One response. `status` None: none came, and `error` says why."""

    status: int | None
    reason: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    chunked: bool = False
    error: str = ""


def request_bytes(request: dict[str, Any]) -> bytes:
    """The bytes of a vector's request: `Host` and `Content-Length` are added when absent."""
    for key in ("raw", "raw_latin1"):
        if key in request:
            return request[key].encode("latin-1")
    headers = [(name, _text(value)) for name, value in request.get("headers", [])]
    if "headers_generated" in request:
        count = int(request["headers_generated"].partition("X-0 .. X-")[2].partition(",")[0]) + 1
        headers = [(f"X-{n}", "v") for n in range(count)]
    names = {name.lower() for name, _ in headers}
    body = body_bytes(request)
    if "host" not in names:
        headers.insert(0, ("Host", "fn.example"))
    if body is not None and not names & {"content-length", "transfer-encoding"}:
        headers.append(("Content-Length", str(len(body))))
    if "chunk" in request and body is not None:
        body = _chunked(body, request["chunk"])
    return head_bytes(request["method"], _text(request["target"]), headers) + (body or b"")


def head_bytes(method: str, target: str, headers: list[tuple[str, str]]) -> bytes:
    """Request line and headers."""
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers), "", ""]
    return "\r\n".join(lines).encode("latin-1")


def _text(value: Any) -> str:
    if isinstance(value, dict):
        start = value.get("prefix", value.get("text", ""))
        return start + value.get("repeat", value.get("repeat_next", "")) * value["times"]
    return str(value)


def body_bytes(request: dict[str, Any]) -> bytes | None:
    """The body, None when the request has none at all."""
    if "body_hex" in request:
        return bytes.fromhex(request["body_hex"])
    if "body_repeat" in request:
        return "".join(text * times for text, times in request["body_repeat"]).encode()
    body = request.get("body")
    if body is None or (body == "" and request["method"] in ("GET", "HEAD")):
        return None
    return str(body).encode()


def _chunked(body: bytes, size: int) -> bytes:
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in [*parts, b""])


class Client:
    """One connection."""

    def __init__(self, port: int, timeout: float = TIMEOUT) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout)
        self._buffer = b""

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, data: bytes) -> None:
        """Sends; a server that has stopped reading is no error here, it shows in the answer."""
        with contextlib.suppress(ConnectionError):
            self._socket.sendall(data)

    def half_close(self) -> None:
        """Tells the server that nothing more will come."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def read(self, *, head: bool = False, timeout: float = TIMEOUT) -> Answer:
        """The next response; `head`: of a HEAD request."""
        self._socket.settimeout(timeout)
        try:
            return self._read(head=head)
        except TimeoutError:
            return Answer(None, error="TimeoutError")
        except ConnectionError as exc:
            return Answer(None, error=type(exc).__name__)

    def _read(self, *, head: bool) -> Answer:
        if (text := self._until(b"\r\n\r\n")) is None:
            return Answer(None, error="closed without response")
        first, *lines = text.decode("latin-1").split("\r\n")[:-2]
        _, status, reason = [*first.split(" ", 2), ""][:3]
        headers = [(name, value.lstrip(" ")) for name, _, value in (line.partition(":") for line in lines)]
        answer = Answer(int(status), reason, headers)
        fields = {name.lower(): value for name, value in headers}
        if head or 100 <= answer.status < 200 or answer.status in (204, 304):  # type: ignore[operator]
            return answer
        answer.chunked = fields.get("transfer-encoding") == "chunked"
        answer.body = self._chunks() if answer.chunked else self._exactly(int(fields.get("content-length", 0)))
        return answer

    def _receive(self) -> bool:
        data = self._socket.recv(1 << 20)
        self._buffer += data
        return bool(data)

    def _until(self, mark: bytes) -> bytes | None:
        while mark not in self._buffer:
            if not self._receive():
                return None
        text, _, self._buffer = self._buffer.partition(mark)
        return text + mark

    def _exactly(self, count: int) -> bytes:
        parts = [self._buffer[:count]]
        self._buffer = self._buffer[count:]
        missing = count - len(parts[0])
        while missing and (data := self._socket.recv(min(missing, 1 << 20))):
            parts.append(data)
            missing -= len(data)
        return b"".join(parts)

    def _chunks(self) -> bytes:
        body = b""
        while size := int((self._until(b"\r\n") or b"0\r\n").strip(), 16):
            body += self._exactly(size)
            self._exactly(2)
        self._until(b"\r\n")
        return body

    def is_closed(self, timeout: float = 3.0) -> bool:
        """Whether the server closes the connection, cleanly or not, within `timeout`."""
        self._socket.settimeout(timeout)
        try:
            return not self._socket.recv(1)
        except TimeoutError:
            return False
        except ConnectionError:
            return True


def ask(port: int, data: bytes, *, head: bool = False, timeout: float = TIMEOUT) -> Answer:
    """One request on a connection of its own."""
    try:
        with Client(port, timeout) as client:
            client.send(data)
            return client.read(head=head, timeout=timeout)
    except ConnectionError as exc:
        return Answer(None, error=type(exc).__name__)


def get(port: int, target: str = "/", timeout: float = TIMEOUT) -> Answer:
    """GET."""
    return ask(port, f"GET {target} HTTP/1.1\r\nHost: h\r\n\r\n".encode(), timeout=timeout)


def wait_until(condition: Callable[[], Any], timeout: float = 20.0) -> Any:
    """Polls until `condition()` is true and returns its value; fails after `timeout` seconds."""
    end = time.monotonic() + timeout
    while not (value := condition()):
        assert time.monotonic() < end, "timed out"
        time.sleep(0.02)
    return value


def assert_answer(expected: dict[str, Any], answer: Answer, folder: Path, engine: str) -> None:
    """Status, reason, headers and body are the recorded ones.

    An HTTP library chooses the words after a status, and the case and order of headers mean nothing.
    """
    assert answer.status == expected["status"], (answer, expected)
    if answer.status is None:
        return
    assert answer.reason == expected["reason"] or engine == "builtin"
    recorded, found = _comparable(expected["headers"], engine), _comparable(answer.headers, engine)
    assert [name for name, _ in found] == [name for name, _ in recorded]
    for (name, value), (_, actual) in zip(recorded, found, strict=True):
        assert _same_value(value, actual, folder), (name, value, actual)
    assert answer.chunked == expected.get("chunked", False)
    assert_body(expected, answer.body, folder)


def _comparable(headers: Any, engine: str) -> list[tuple[str, Any]]:
    pairs = [(name if engine == "nuclio" else name.lower(), value) for name, value in headers if name.lower() != "date"]
    return sorted(pairs, key=lambda pair: (pair[0], str(pair[1])))


def _same_value(expected: Any, actual: str, folder: Path) -> bool:
    if isinstance(expected, dict) and "json" in expected:
        return same(expected["json"], json.loads(actual), folder)
    return same_text(_text(expected), actual, folder)


def assert_body(expected: dict[str, Any], body: bytes, folder: Path) -> None:
    """The body is the recorded one, given as text, hexadecimal digits or length and SHA-256."""
    if "body_hex" in expected:
        assert body.hex() == expected["body_hex"]
    elif "body_sha256" in expected:
        assert (len(body), hashlib.sha256(body).hexdigest()) == (expected["body_len"], expected["body_sha256"])
    elif expected["body"].startswith('{"body": {}, "content_type"'):
        # The event itself as JSON: Go's maps have no order.
        assert same(json.loads(expected["body"]), json.loads(body), folder)
    else:
        assert same_text(expected["body"], body.decode(), folder), (body.decode(), expected["body"])
