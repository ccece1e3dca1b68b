"""An HTTP response as fasthttp writes it: header order, which headers it takes over, which statuses have no body."""

import time
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus

from .request import canonical

DEFAULT_TYPE = b"text/plain; charset=utf-8"
REASONS = {
    **{status.value: status.phrase for status in HTTPStatus},
    413: "Request Entity Too Large",
    414: "Request URI Too Long",
    416: "Requested Range Not Satisfiable",
    418: "I'm a teapot",
    103: "Early Hints",
}
MANAGED = {b"Content-Length", b"Transfer-Encoding", b"Date", b"Trailer"}


@dataclass
class Response:
    """One answer. `content_type` empty: fasthttp's default where there is a body. `chunked`: sent in one chunk."""

    status: int = 200
    body: bytes = b""
    content_type: bytes = b""
    headers: dict[bytes, bytes] = field(default_factory=dict)
    cookies: dict[bytes, bytes] = field(default_factory=dict)
    server: bytes = b"nuclio"
    encoding: bytes = b""
    close: bool = False
    chunked: bool = False

    def set_header(self, name: str, value: str) -> None:
        """Takes a header of the handler's, as `ResponseHeader.Set` does."""
        key, text = canonical(name.encode()), _one_line(value.encode("utf-8", "replace"))
        if key in MANAGED:
            return
        if key == b"Content-Type":
            self.content_type = text
        elif key == b"Content-Encoding":
            self.encoding = text
        elif key == b"Server":
            self.server = text
        elif key == b"Set-Cookie":
            self.cookies[text.partition(b"=")[0]] = text
        elif key == b"Connection" and text == b"close":
            self.close = True
        else:
            self.headers[key] = text

    @property
    def has_body(self) -> bool:
        """1xx, 204 and 304 carry none."""
        return not (100 <= self.status < 200 or self.status in (204, 304))

    def encode(self, *, head_only: bool = False) -> bytes:
        """The bytes on the wire; `head_only` for HEAD."""
        lines = [f"HTTP/1.1 {self.status} {reason(self.status)}".encode(), *self._lines(), b"", b""]
        head = b"\r\n".join(lines)
        return head if head_only or not self.has_body else head + self._encoded_body()

    def _encoded_body(self) -> bytes:
        return self.body if not self.chunked else b"%x\r\n%b\r\n0\r\n\r\n" % (len(self.body), self.body)

    def _lines(self) -> list[bytes]:
        content_type = self.content_type or (DEFAULT_TYPE if self.body or not self.has_body else b"")
        pairs = [(b"Server", self.server), (b"Date", date()), (b"Content-Type", content_type)]
        pairs.append((b"Content-Encoding", self.encoding))
        lines = [name + b": " + value for name, value in pairs if value]
        if self.has_body:
            lines.append(b"Transfer-Encoding: chunked" if self.chunked else b"Content-Length: %d" % len(self.body))
        lines += [name + b": " + value for name, value in self.headers.items()]
        lines += [b"Set-Cookie: " + value for value in self.cookies.values()]
        return [*lines, b"Connection: close"] if self.close else lines


def reason(status: int) -> str:
    """The words after the status; fasthttp's for a number that has none."""
    return REASONS.get(status, "Unknown Status Code")


def date() -> bytes:
    """The value of the `Date` header."""
    return formatdate(time.time(), usegmt=True).encode()


def _one_line(value: bytes) -> bytes:
    return value.replace(b"\r", b" ").replace(b"\n", b" ")
