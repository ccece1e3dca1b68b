"""One port: uvicorn and h11 read and write its HTTP; here are the limits on what a client may send.

Whoever reaches a port is a stranger. Per request, a head and a body have Nuclio's limits, and all else (chunk sizes,
extensions, trailers, requests sent ahead) has a small one: it costs the engine, which serves other functions too, much
more than a body's bytes. Per connection, silence ends it; per port, connections are counted. A client that is over a
limit is answered once and its connection ends.
"""

import asyncio
import contextlib
import socket
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

BAD_REQUEST = b"Error when parsing request"
BIG_HEAD = b"Too big request header"
TEXT = b"text/plain; charset=utf-8"
BACKLOG = 1024
MOST_CONNECTIONS = 512
SILENCE = 60
# So much is parsed before the limits are looked at again.
SLICE = 16384
# Chunks of 256 bytes and more may make up a body of any length, smaller ones a short body.
FRAMING_SHARE = 32


@dataclass(frozen=True)
class Limits:
    """`head`: bytes of request line and headers; `body`: bytes of the body."""

    head: int = 16384
    body: int = 0

    def framing(self, body: int) -> int:
        """What else a client may send with so much of a body: the head and as much again, and a share of the body."""
        return 2 * self.head + body // FRAMING_SHARE


class Listener(uvicorn.Server):
    """Serves `app` on a socket that is bound already. Signals are the engine's business."""

    def __init__(self, app: App, sock: socket.socket, limits: Limits) -> None:
        config = uvicorn.Config(
            app,
            http=type("LimitedProtocol", (Protocol,), {"limits": limits}),
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=SILENCE,
            h11_max_incomplete_event_size=limits.head,
            backlog=BACKLOG,
        )
        super().__init__(config)
        self._socket = sock

    async def open(self) -> None:
        """Returns when the port answers. Raises OSError."""
        self.config.load()
        self.lifespan = self.config.lifespan_class(self.config)
        await self.startup([self._socket])
        self._ticks = asyncio.create_task(self.main_loop())

    async def finish(self, timeout: float) -> None:
        """Waits until the running answers are with their clients, at most `timeout` seconds."""
        end = asyncio.get_running_loop().time() + timeout
        while self._is_answering() and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(0.01)

    def _is_answering(self) -> bool:
        transports = [connection.transport for connection in self.server_state.connections]
        return bool(self.server_state.tasks) or any(t and t.get_write_buffer_size() for t in transports)

    def cut(self) -> None:
        """Closes the port and every connection at once, as the death of a process would."""
        for server in self.servers:
            server.close()
        self._ticks.cancel()
        for connection in list(self.server_state.connections):
            if connection.transport:
                connection.transport.abort()


class Protocol(H11Protocol):
    """One connection, with limits on its bytes."""

    limits: Limits

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client came; one too many is sent away."""
        super().connection_made(transport)
        self._received = self._body = self._framing = 0
        self._seen = (-1, 0)
        self._is_over = False
        self._timer = self.loop.call_later(SILENCE, self._watch)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """It went, or was sent away."""
        self._timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes of a request, counted before they are parsed."""
        self._received += len(data)
        for start in range(0, len(data), SLICE):
            if not self._is_over and not self.transport.is_closing():
                self._take(data[start : start + SLICE])

    def _take(self, data: bytes) -> None:
        before = self._unread_body()
        super().data_received(data)
        body = max(self._unread_body() - before, 0)
        self._body += body
        self._framing += len(data) - body
        if self._framing <= self.limits.framing(self._body) or self.transport.is_closing():
            return
        if self.cycle is not None and self._works:
            # What came before is a whole request: it is answered, and nothing more is read.
            self.cycle.keep_alive = False
            self.flow.pause_reading()
            self._is_over = True
        else:
            self.send_400_response("")

    def _unread_body(self) -> int:
        return len(self.cycle.body) if self.cycle else 0

    @property
    def _works(self) -> bool:
        """Whether a whole request is being answered."""
        return self.cycle is not None and not self.cycle.more_body and not self.cycle.response_complete

    def on_response_complete(self) -> None:
        """The answer is written; the next request may be read."""
        self._body = self._framing = 0
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Answers what cannot be read, in Nuclio's words, and ends the connection."""
        error, has_head = sys.exception(), self.cycle is not None and not self.cycle.response_complete
        big_head = isinstance(error, h11.RemoteProtocolError) and error.error_status_hint == 431 and not has_head
        status, body = (431, BIG_HEAD) if big_head else (400, BAD_REQUEST)
        headers = [(b"Server", b"nuclio"), (b"Content-Type", TEXT), (b"Content-Length", b"%d" % len(body))]
        headers.append((b"Connection", b"close"))
        # An answer that has begun cannot be taken back: then the connection just ends.
        with contextlib.suppress(h11.LocalProtocolError):
            for event in (h11.Response(status_code=status, headers=headers), h11.Data(body), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.close()

    def _watch(self) -> None:
        """Ends a connection on which nothing has moved since the last look, unless a function works for it."""
        seen = (self._received, self.transport.get_write_buffer_size())
        if seen == self._seen and not self._works:
            self.transport.abort()
            return
        self._seen = seen
        self._timer = self.loop.call_later(SILENCE, self._watch)
