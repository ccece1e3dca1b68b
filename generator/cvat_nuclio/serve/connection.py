"""One client connection: requests in, answers out, one after the other, with fasthttp's limits and its ways to end."""

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, cast

from .request import CHUNKED, NO_LENGTH, BadRequest, Request, head_end, parse_head
from .response import Response

READ_AHEAD = 1 << 18
# Digits, then anything: an extension.
CHUNK_SIZE = re.compile(rb"([0-9a-fA-F]{1,15})(?![0-9a-fA-F])[^\r]*\r\n")


class Gone(Exception):
    """The client has ended the connection between two things that it had to send: no answer."""


class Answer(Protocol):
    """What a handler returns: something that can be written."""

    close: bool

    def encode(self, *, head_only: bool = False) -> bytes:
        """The bytes on the wire."""


Handler = Callable[[Request], Awaitable[Answer | None]]


@dataclass(frozen=True)
class Limits:
    """`head`: bytes of request line and headers; `body`: bytes of the body."""

    head: int = 16384
    body: int = 4 * 1024 * 1024


class Connection(asyncio.Protocol):
    """Reads requests and hands each to `handler`; an answer of None means that none will come."""

    def __init__(self, handler: Handler, limits: Limits, connections: set["Connection"]) -> None:
        self._handler = handler
        self._limits = limits
        self._connections = connections
        self._buffer = bytearray()
        self._more = asyncio.Event()
        self._ended = False
        self._had_body = False
        self.is_answering = False
        self._drained = asyncio.Event()
        self._drained.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._connections.add(self)
        self._task = asyncio.get_running_loop().create_task(self._serve())

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._more.set()
        if len(self._buffer) > READ_AHEAD:
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        self._ended = True
        self._more.set()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)
        self._ended = True
        self._more.set()
        self._drained.set()

    def pause_writing(self) -> None:
        self._drained.clear()

    def resume_writing(self) -> None:
        self._drained.set()

    def abort(self) -> None:
        """Cuts the connection, as the death of the process would."""
        self._task.cancel()
        self._transport.abort()

    async def _receive(self) -> bool:
        """Waits for more bytes; False when none will come."""
        if self._ended:
            return False
        self._more.clear()
        self._transport.resume_reading()
        await self._more.wait()
        return True

    async def _serve(self) -> None:
        try:
            while await self._serve_one():
                pass
            await self._drained.wait()
        except BadRequest:
            self._write(Response(400, b"Error when parsing request", close=True))
        except Gone:
            pass
        finally:
            self._close()

    def _close(self) -> None:
        self._transport.close()

    async def _serve_one(self) -> bool:
        request = await self._read_head()
        if request is None:
            return False
        await self._read_body(request)
        self.is_answering = True
        answer = await self._handler(request)
        if answer is None:
            await asyncio.Event().wait()
            return False
        answer.close = answer.close or request.close
        if not answer.close and not request.http11 and isinstance(answer, Response):
            answer.headers[b"Connection"] = b"keep-alive"
        self._write(answer, head_only=request.method == b"HEAD")
        await self._drained.wait()
        self.is_answering = False
        return not answer.close

    def _write(self, answer: Answer, *, head_only: bool = False) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer.encode(head_only=head_only))

    async def _read_head(self) -> Request | None:
        scanned = -1
        while (end := head_end(self._buffer) if len(self._buffer) != scanned else -1) < 0:
            scanned = len(self._buffer)
            if scanned >= self._limits.head:
                self._refuse_head()
                return None
            if not await self._receive():
                if self._buffer.strip(b"\r\n"):
                    raise BadRequest("EOF")
                return None
            _check_first_line(self._buffer[: self._limits.head])
        if end > self._limits.head:
            self._refuse_head()
            return None
        head = bytes(self._buffer[:end])
        del self._buffer[:end]
        return parse_head(head)

    def _refuse_head(self) -> None:
        self._write(Response(431, b"Too big request header", close=True))

    async def _read_body(self, request: Request) -> None:
        if request.expects_continue:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if request.length == NO_LENGTH:
            request.body = b"" if self._had_body else None
            if request.method not in (b"GET", b"HEAD"):
                request.set_empty()
            return
        self._had_body = True
        if request.length == CHUNKED:
            request.body = await self._read_chunks(request)
        else:
            if request.length > self._limits.body:
                raise BadRequest("body size exceeds the given limit")
            request.body = await self._read_exactly(request.length)

    async def _read_exactly(self, count: int) -> bytes:
        while len(self._buffer) < count:
            if not await self._receive():
                raise BadRequest("unexpected EOF")
        data = bytes(memoryview(self._buffer)[:count])
        del self._buffer[:count]
        return data

    async def _read_line(self) -> bytes:
        while (end := self._buffer.find(b"\n")) < 0:
            if not await self._receive():
                raise BadRequest("unexpected EOF") if self._buffer else Gone
        line = bytes(self._buffer[: end + 1])
        del self._buffer[: end + 1]
        return line

    async def _read_chunks(self, request: Request) -> bytes:
        body = bytearray()
        while size := _chunk_size(await self._read_line()):
            if len(body) + size > self._limits.body:
                raise BadRequest("body size exceeds the given limit")
            body += await self._read_exactly(size)
            if await self._read_exactly(2) != b"\r\n":
                raise BadRequest("cannot find crlf at the end of chunk")
        if not body:
            request.set_empty()
        with contextlib.suppress(Gone):
            await self._read_trailer(request)
        return bytes(body)

    async def _read_trailer(self, request: Request) -> None:
        lines = b""
        while (line := await self._read_line()).strip(b"\r\n"):
            lines += line
        if lines:
            trailer = parse_head(b"GET / HTTP/1.1\r\n" + lines + b"\r\n")
            request.headers += trailer.headers


def _check_first_line(buffer: bytearray) -> None:
    """A request line without a method is refused at once, before the head is complete."""
    line, newline, _ = buffer.lstrip(b"\r\n").partition(b"\n")
    if newline and line and line.find(b" ") <= 0:
        raise BadRequest("cannot find http request method")


def _chunk_size(line: bytes) -> int:
    match = CHUNK_SIZE.fullmatch(line)
    if not match:
        raise BadRequest("cannot read chunk size")
    return int(match[1], 16)
