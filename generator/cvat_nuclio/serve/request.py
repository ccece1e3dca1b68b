"""The head of an HTTP request, read as fasthttp reads it: lenient where most servers refuse, strict in few places."""

import functools
from dataclasses import dataclass, field

from .uri import normalize_path, query_fields, split_target

CHUNKED = -1
NO_LENGTH = -2
LONGEST_LENGTH = 18
HYPHEN = ord("-")
SINGLE = {b"Host", b"Content-Type", b"User-Agent", b"Content-Length"}


class BadRequest(Exception):
    """The request cannot be parsed: 400 "Error when parsing request", and the connection ends."""


@dataclass
class Request:
    """One request. `length`: bytes of the body, CHUNKED or NO_LENGTH. Header names are canonical (`X-Upper-Case`)."""

    method: bytes
    target: bytes
    http11: bool
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    length: int = NO_LENGTH
    close: bool = False
    body: bytes | None = None

    def locate(self) -> None:
        """Reads `path` and `fields` from the target, once the headers are known."""
        path, query = split_target(self.target, self.header(b"Host") or b"")
        self.path = normalize_path(path)
        self._query = query

    @property
    def fields(self) -> dict[bytes, bytes]:
        """The query's fields."""
        return query_fields(self._query)

    def header(self, name: bytes) -> bytes | None:
        """The first value under a canonical name."""
        return next((value for key, value in self.headers if key == name), None)

    @property
    def visited_headers(self) -> dict[bytes, bytes]:
        """All headers as the event carries them: the last value wins, cookies are one header."""
        headers = {name: value for name, value in self.headers if value or name not in SINGLE}
        cookies = [value for key, value in self.headers if key == b"Cookie"]
        headers.pop(b"Cookie", None)
        if pairs := _cookies(b"; ".join(cookies)):
            headers[b"Cookie"] = b"; ".join(pairs)
        if self.close:
            headers[b"Connection"] = b"close"
        return headers

    def set_empty(self) -> None:
        """Notes that there is no body: `Content-Length: 0`, whatever the client said."""
        names = (b"Content-Length", b"Transfer-Encoding")
        self.headers = [item for item in self.headers if item[0] not in names] + [(b"Content-Length", b"0")]

    @property
    def expects_continue(self) -> bool:
        """The client waits for 100 before it sends the body."""
        return self.header(b"Expect") == b"100-continue"


def _cookies(value: bytes) -> list[bytes]:
    return [part.strip(b" ") for part in value.split(b";") if part.strip(b" ")]


@functools.lru_cache(maxsize=256)
def canonical(name: bytes) -> bytes:
    """`x-upper-case` → `X-Upper-Case`; the byte after a hyphen is upper case even if it is another hyphen."""
    text, upper = bytearray(name), True
    for at, byte in enumerate(name):
        text[at : at + 1] = bytes([byte]).upper() if upper else bytes([byte]).lower()
        upper = byte == HYPHEN and not upper
    return bytes(text)


def head_end(buffer: bytes | bytearray) -> int:
    """How many bytes the head takes, -1 while it is incomplete; empty lines before the request line belong to it."""
    start = 0
    while start < len(buffer) and buffer[start : start + 1] in (b"\r", b"\n"):
        start += 1
    line_end = buffer.find(b"\n", start)
    while line_end >= 0:
        next_end = buffer.find(b"\n", line_end + 1)
        if next_end < 0:
            return -1
        if buffer[line_end + 1 : next_end] in (b"", b"\r"):
            return next_end + 1
        line_end = next_end
    return -1


def parse_head(head: bytes) -> Request:
    """The request without its body. Raises BadRequest."""
    first, _, rest = head.lstrip(b"\r\n").partition(b"\n")
    method, target, http11 = _request_line(first.removesuffix(b"\r"))
    request = Request(method, target, http11)
    for name, value in _header_lines(rest):
        _add_header(request, name, value)
    if not http11 and not request.close:
        values = (request.header(b"Connection") or b"").split(b",")
        request.close = b"keep-alive" not in [value.strip(b" ").lower() for value in values]
    request.locate()
    return request


def _request_line(line: bytes) -> tuple[bytes, bytes, bool]:
    method, space, rest = line.partition(b" ")
    if not space or not method:
        raise BadRequest("cannot find http request method")
    target, space, protocol = rest.rpartition(b" ")
    if not space:
        return method, protocol, False
    if not target:
        raise BadRequest("requestURI cannot be empty")
    return method, target, protocol == b"HTTP/1.1"


def _header_lines(text: bytes) -> list[tuple[bytes, bytes]]:
    found: list[tuple[bytes, bytes]] = []
    for line in text.split(b"\n"):
        line = line.removesuffix(b"\r")
        if not line:
            break
        if line[:1] in b" \t" and found and b":" not in line:
            name, value = found.pop()
            rest = line.lstrip(b"\t")
            found.append((name, (value + b" " * (len(line) - len(rest)) + rest).rstrip(b" ")))
            continue
        name, colon, value = line.partition(b":")
        if not colon:
            raise BadRequest("invalid header name")
        found.append((canonical(name), value.strip(b" ")))
    return found


def _add_header(request: Request, name: bytes, value: bytes) -> None:
    if b" " in name or b"\t" in name:
        raise BadRequest(f"invalid header key {name!r}")
    if name == b"Content-Length":
        if request.length == CHUNKED:
            return
        request.length = _content_length(value)
    elif name == b"Transfer-Encoding":
        if value == b"identity":
            return
        request.length, value = CHUNKED, b"chunked"
        request.headers = [item for item in request.headers if item[0] not in (name, b"Content-Length")]
    elif name == b"Connection":
        request.close = value == b"close"
        if request.close:
            return
    if name in SINGLE:
        request.headers = [item for item in request.headers if item[0] != name]
    request.headers.append((name, value))


def _content_length(value: bytes) -> int:
    if not value.isdigit() or len(value) > LONGEST_LENGTH:
        raise BadRequest("cannot parse Content-Length")
    return int(value)
