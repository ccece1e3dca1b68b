"""What a stranger at a port may send: what the server takes in before it ends the connection is counted in bytes."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from tests.serve.serve_client import get

from cvat_nuclio.serve import function_port as trigger_module
from cvat_nuclio.serve import listener as listener_module
from cvat_nuclio.serve.answer import Answer
from cvat_nuclio.serve.function_port import TriggerApp
from cvat_nuclio.serve.listener import Limits, Listener
from cvat_nuclio.serve.port import bind

LIMITS = Limits(head=16384, body=1_000_000)
# What a request may take beside a body of the largest size.
MOST = LIMITS.body + LIMITS.framing(LIMITS.body)
# asyncio reads at most this much at a time.
ONE_READ = 256 * 1024
CHUNKED = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
LENGTH = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n"


class Port:
    """A function's port, the events that reached a worker, and what each connection has taken in."""

    def __init__(self, listener: Listener, sock: socket.socket) -> None:
        self.listener = listener
        self.number = sock.getsockname()[1]
        self.events: list[bytes] = []
        self.protocols: list[Any] = []

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        before = set(self.protocols)
        streams = await asyncio.open_connection("127.0.0.1", self.number)
        while not (new := self.listener.server_state.connections - before) and not streams[0].at_eof():
            await asyncio.sleep(0)
        self.protocols += new
        return streams

    async def flood(self, start: bytes, piece: bytes, most: int) -> tuple[bytes, int]:
        """Sends `start`, then `piece` up to `most` bytes; what came back, and how much was taken in."""
        reader, writer = await self.connect()
        writer.write(start)
        with contextlib.suppress(ConnectionError, TimeoutError):
            for _ in range(most // len(piece)):
                writer.write(piece)
                await asyncio.wait_for(writer.drain(), 2)
        transport = writer.transport
        assert isinstance(transport, asyncio.Transport)
        transport.pause_reading()
        answer = b""
        with contextlib.suppress(ConnectionError, TimeoutError):
            transport.resume_reading()
            answer = await asyncio.wait_for(reader.read(1 << 20), 2)
        writer.close()
        return answer, self.protocols[-1]._received


@contextlib.asynccontextmanager
async def opened(
    limits: Limits = LIMITS, process: Callable[[bytes], Awaitable[Answer]] | None = None
) -> AsyncIterator[Port]:
    """A port whose function answers with how large its event was."""

    async def measure(event: bytes) -> Answer:
        port.events.append(event)
        return Answer(200, b"%d" % len(event))

    sock = bind("127.0.0.1", 0)
    listener = Listener(TriggerApp(limits, "http", process or measure), sock, limits)
    port = Port(listener, sock)
    await listener.open()
    try:
        yield port
    finally:
        listener.cut()
        await asyncio.sleep(0.05)
        sock.close()


def run(case: Callable[[], Awaitable[None]]) -> None:
    """Runs a case in a loop of its own."""
    asyncio.run(case())  # type: ignore[arg-type]


def test_an_answer_s_body_does_not_wait_for_the_head_s_acknowledgement() -> None:
    async def case() -> None:
        async with opened() as port:
            _, writer = await port.connect()
            connection = port.protocols[-1].transport.get_extra_info("socket")
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            writer.close()

    run(case)


FLOODS = {
    "extensions of many chunks": (CHUNKED, b"1;" + b"x" * 10_000 + b"\r\na\r\n", LIMITS.framing(0), 400),
    "one extension without end": (CHUNKED + b"1;", b"x" * 1000, LIMITS.head, 400),
    "trailers without end": (CHUNKED + b"1\r\na\r\n0\r\n", b"X: a\r\n", LIMITS.head, 400),
    "a trailer line without end": (CHUNKED + b"1\r\na\r\n0\r\nX: ", b"a" * 1000, LIMITS.head, 400),
    "a chunk size without end": (CHUNKED, b"0" * 1000, LIMITS.head, 400),
    "chunks of one byte without end": (CHUNKED, b"1\r\na\r\n", 2 * LIMITS.framing(0), 400),
    "chunks without end": (CHUNKED, b"400\r\n" + b"a" * 1024 + b"\r\n", MOST, 400),
    "headers without end": (b"GET / HTTP/1.1\r\n", b"X: a\r\n", LIMITS.head, 431),
    "a header line without end": (b"GET / HTTP/1.1\r\nX: ", b"a" * 1000, LIMITS.head, 431),
    "a request line without end": (b"GET /", b"a" * 1000, LIMITS.head, 431),
    "a length over the limit": (LENGTH % (LIMITS.body + 1), b"a" * 1000, LIMITS.head, 400),
    "a length over any limit": (LENGTH % 10**18, b"a" * 1000, LIMITS.head, 400),
    "a length below what comes": (LENGTH % 3, b"\0" * 1000, LIMITS.head, 200),
    "no HTTP": (b"\x16\x03\x01", b"\0" * 1000, LIMITS.head, 400),
}


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_ends_its_connection(name: str) -> None:
    start, piece, most, status = FLOODS[name]

    async def case() -> None:
        async with opened() as port:
            answer, taken = await port.flood(start, piece, 64 * 1024 * 1024)
            assert taken <= most + ONE_READ
            # What is still unread when a connection ends may take the answer with it.
            assert answer[9:12] in (b"%d" % status, b"")
            assert len(port.events) == (status == 200)
            assert not port.listener.server_state.tasks

    run(case)


def test_chunks_of_a_usual_size_make_up_a_body_of_any_length() -> None:
    async def case() -> None:
        async with opened() as port:
            reader, writer = await port.connect()
            count = LIMITS.body // 256
            writer.write(CHUNKED + (b"100\r\n" + b"a" * 256 + b"\r\n") * count + b"0\r\n\r\n")
            assert b" 200 " in await asyncio.wait_for(reader.readline(), 10)
            assert len(port.events[0]) > LIMITS.body - 256
            writer.close()

    run(case)


def test_requests_sent_far_ahead_of_their_answers_end_the_connection() -> None:
    async def case() -> None:
        async with opened() as port:
            get = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
            _, taken = await port.flood(get * 3, get * 1000, 64 * 1024 * 1024)
            assert taken <= 4 * ONE_READ
            assert len(port.events) * len(get) <= taken

    run(case)


@pytest.mark.parametrize("kind", ["chunks", "headers", "trailers"])
def test_little_is_parsed_between_two_looks_at_the_limits(kind: str) -> None:
    """What stands still meanwhile is every other function: small things cost most, so they are counted."""
    pieces = {"chunks": (CHUNKED, b"1\r\na\r\n"), "headers": (b"GET / HTTP/1.1\r\n", b"a:\r\n")}
    pieces["trailers"] = (CHUNKED + b"0\r\n", b"a:\r\n")
    start, piece = pieces[kind]

    async def case() -> None:
        async with opened() as port:
            reader, writer = await port.connect()
            conn = port.protocols[0].conn
            parsed: list[object] = []
            next_event = conn.next_event

            def noted() -> Any:
                parsed.append(1)
                return next_event()

            conn.next_event = noted
            writer.write(start + piece * 50_000)
            with contextlib.suppress(ConnectionError):
                await asyncio.wait_for(reader.read(), 5)
            assert len(parsed) < 3 * LIMITS.framing(0) / len(piece)
            writer.close()

    run(case)


def test_a_body_that_stops_coming_ends_its_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener_module, "SILENCE", 0.1)

    async def case() -> None:
        async with opened() as port:
            for start in (b"", b"GET / HTT", LENGTH % 10, CHUNKED + b"5\r\nab"):
                reader, writer = await port.connect()
                writer.write(start)
                with contextlib.suppress(ConnectionError):
                    assert await asyncio.wait_for(reader.read(), 5) == b""
                writer.close()
            assert port.events == []

    run(case)


def test_silence_while_a_function_works_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener_module, "SILENCE", 0.1)

    async def work(event: bytes) -> Answer:
        await asyncio.sleep(0.5)
        return Answer(200, b"done")

    async def case() -> None:
        async with opened(process=work) as port:
            reader, writer = await port.connect()
            writer.write(LENGTH % 2 + b"ab")
            assert (await reader.readuntil(b"done")).endswith(b"done")
            writer.close()

    run(case)


def test_a_port_has_so_many_connections_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener_module, "MOST_CONNECTIONS", 3)

    async def case() -> None:
        async with opened() as port:
            held = [await port.connect() for _ in range(3)]
            reader, writer = await asyncio.open_connection("127.0.0.1", port.number)
            with contextlib.suppress(ConnectionError):
                assert await asyncio.wait_for(reader.read(), 5) == b""
            writer.close()
            for reader, writer in held:
                writer.write(LENGTH % 2 + b"ab")
                assert b" 200 " in await asyncio.wait_for(reader.readline(), 5)
                writer.close()

    run(case)


def test_unfinished_bodies_have_a_limit_together() -> None:
    async def case() -> None:
        async with opened() as port:
            held = []
            for _ in range(trigger_module.HELD_BODIES):
                reader, writer = await port.connect()
                writer.write(LENGTH % LIMITS.body + b"a" * (LIMITS.body - 1))
                held.append((reader, writer))
            while sum(p._received for p in port.protocols) < trigger_module.HELD_BODIES * LIMITS.body:
                await asyncio.sleep(0.01)
            late, other = await port.connect()
            other.write(LENGTH % LIMITS.body + b"a" * (LIMITS.body - 1))
            assert b" 503 " in await asyncio.wait_for(late.readline(), 5)
            other.close()
            for reader, writer in held:
                writer.write(b"a")
                assert b" 200 " in await asyncio.wait_for(reader.readline(), 5)
                writer.close()

    run(case)


@pytest.mark.parametrize(
    ("result", "status", "said"),
    [
        ("status_code=600", 500, b"status 600 is none of 200 to 599"),
        ("status_code=100", 500, b"HTTP cannot carry what the function returned"),
        ("headers={'X a': '1'}", 500, b"Illegal header name"),
        ("headers={'X-A': 'a\\x00b'}", 500, b"Illegal header value"),
        ("content_type='text/plain\\r\\nX-Own: 1'", 200, b"x"),
        ("headers={'X-A': '1\\r\\nX-Own: 1'}", 200, b"x"),
    ],
)
def test_what_a_function_returns_breaks_no_answer(hosts: Any, result: str, status: int, said: bytes) -> None:
    live = hosts["builtin"].start(f"def handler(context, event):\n    return context.Response(body='x', {result})\n")
    try:
        for _ in range(2):
            answer = get(live.port)
            assert answer.status == status
            assert said in answer.body
            assert "x-own" not in [name.lower() for name, _ in answer.headers]
    finally:
        live.stop()


def test_the_engine_decodes_no_body(hosts: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """JSON and base64 of megabytes would stand still all functions; a worker's response is read by its small part."""
    handler = "def handler(context, event):\n    return {'picture': event.body['picture']}\n"
    live = hosts["builtin"].start(handler)
    decoded: list[int] = []
    loads = json.loads

    def counted(text: Any, **options: Any) -> Any:
        decoded.append(len(text))
        return loads(text, **options)

    monkeypatch.setattr(json, "loads", counted)
    try:
        import urllib3

        picture = "a" * 3_000_000
        url = f"http://127.0.0.1:{live.port}/"
        headers = {"Content-Type": "application/json"}
        body = json.dumps({"picture": picture})
        answer = urllib3.request("POST", url, body=body, headers=headers)
        assert loads(answer.data) == {"picture": picture}
        assert 0 < sum(decoded) < 1000
    finally:
        live.stop()
