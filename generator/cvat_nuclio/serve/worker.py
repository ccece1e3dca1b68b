"""One worker process of the built-in engine: a function's module, its `init_context` and its handler.

Run by path under the interpreter that holds the function's packages, so it imports the standard library, nuclio-sdk
and msgpack only. Events come in as a 4-byte big-endian length and a msgpack map; packets go out as one line each:
`c` the module is imported, `s` ready, `l` a log record, `t` the termination callback has returned, `f` the module could
not be imported, `r` a response, or a list of them, without its body; the body's length stands before it, and the body
itself follows the line. So the engine, which serves other functions too, has nothing to decode.

Logging blocks until the record is written. Nuclio's own worker logs to a non-blocking socket and loses lines.
"""

import sys

if __name__ == "__main__" and not getattr(sys.flags, "safe_path", False):
    del sys.path[0]  # this file's folder: its modules are no part of what the function may import

import argparse
import asyncio
import base64
import contextlib
import json
import re
import signal
import socket
import struct
import threading
import traceback
from collections.abc import Callable
from types import ModuleType
from typing import Any

import msgpack
import nuclio_sdk
import nuclio_sdk.event
import nuclio_sdk.json_encoder
import nuclio_sdk.logger

LENGTH = struct.Struct(">I")
LARGEST_EVENT = 1 << 30
HANDLER = re.compile(r"([\w-]+(?:\.[\w-]+)*):(\w+)")


class Packets:
    """The way to the engine; also the stream that nuclio-sdk's logger writes to."""

    def __init__(self, fd: int) -> None:
        self._socket = socket.socket(fileno=fd)
        self._lock = threading.Lock()

    def send(self, kind: str, text: str = "") -> None:
        """Sends one packet; `text` is one line of ASCII."""
        with self._lock:
            self._socket.sendall(f"{kind}{text}\n".encode())

    def respond(self, fields: str, body: bytes) -> None:
        """Sends a response: JSON in one line of ASCII without the body, and the body."""
        with self._lock:
            self._socket.sendall(f"r{len(body)} {fields}\n".encode())
            self._socket.sendall(body)

    def write(self, text: str) -> None:
        """One formatted log record, with the newline that `logging.StreamHandler` adds."""
        self.send("l", text.rstrip("\n"))

    def flush(self) -> None:
        """Nothing is held back."""


class Events:
    """The way from the engine: each event goes from the socket into the bytes that hold it, without copies between."""

    def __init__(self, fd: int) -> None:
        self._socket = socket.socket(fileno=fd)
        self._socket.setblocking(False)
        self._length = bytearray(LENGTH.size)
        self._left = memoryview(self._length)

    async def length(self) -> int:
        """The length of the next event. Raises EOFError; goes on where it was when it is cancelled."""
        while self._left:
            self._left = self._left[await self._receive(self._left) :]
        self._left = memoryview(self._length)
        return int(LENGTH.unpack(self._length)[0])

    async def message(self, length: int) -> bytearray:
        """The event itself. Raises EOFError."""
        message = bytearray(length)
        left = memoryview(message)
        while left:
            left = left[await self._receive(left) :]
        return message

    async def _receive(self, into: memoryview) -> int:
        count = await asyncio.get_running_loop().sock_recv_into(self._socket, into)
        if not count:
            raise EOFError
        return count

    def close(self) -> None:
        """Ends the way."""
        self._socket.close()


class Worker:
    """Serves one event at a time until the engine closes the connection."""

    def __init__(self, args: argparse.Namespace, packets: Packets, logger: nuclio_sdk.Logger) -> None:
        self._packets = packets
        self._logger = logger
        self._batches = args.nuclio != "1.13"
        self._decodes = args.decode_event_strings
        self._encode = nuclio_sdk.json_encoder.Encoder().encode
        self._handler = load_handler(args.handler, logger)
        self._module: ModuleType = sys.modules[self._handler.__module__]
        self._platform = nuclio_sdk.Platform(args.platform_kind, namespace=args.namespace)
        trigger = nuclio_sdk.TriggerInfo(args.trigger_kind, args.trigger_name)
        self._context = nuclio_sdk.Context(logger, self._platform, args.worker_id, trigger)
        self._waiting: asyncio.Task[int] | None = None
        self._callbacks: list[str] = []
        self._discards = False

    async def initialize(self) -> None:
        """Runs `init_context` of the module in which the handler was defined."""
        init_context = getattr(self._module, "init_context", None)
        if hasattr(self._module, "init_context"):
            try:
                result = init_context(self._context)  # type: ignore[misc]
                if asyncio.iscoroutinefunction(init_context):
                    await result
            except BaseException:
                self._logger.error("Exception raised while running init_context")
                raise
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGUSR1, self._on_signal, "termination")
        loop.add_signal_handler(signal.SIGUSR2, self._on_signal, "drain")
        loop.add_signal_handler(signal.SIGCONT, self._on_continue)
        self._packets.send("s")

    def _on_signal(self, kind: str) -> None:
        self._callbacks.append(kind)
        self._discards = True
        if self._waiting:
            self._waiting.cancel()

    def _on_continue(self) -> None:
        self._discards = False

    async def serve(self, events: Events) -> None:
        """Reads events and answers them; returns when the engine has gone."""
        while True:
            try:
                self._waiting = asyncio.create_task(events.length())
                length = await self._waiting
                self._waiting = None
                message = await events.message(length)
                if not self._discards:
                    await self._answer(message)
            except EOFError:
                return
            except asyncio.CancelledError:
                self._waiting = None
            await self._call_back()

    async def _answer(self, message: bytearray) -> None:
        try:
            event = self._read_event(message)
            del message
            try:
                await self._handle(event)
            except BaseException as exc:
                self._answer_error("Exception caught in handler", exc)
        except BaseException as exc:
            self._answer_error("Exception caught while serving", exc)

    def _read_event(self, message: bytearray) -> nuclio_sdk.Event:
        kinds = nuclio_sdk.event.EventDeserializerKinds
        unpacker = msgpack.Unpacker(raw=not self._decodes, max_buffer_size=LARGEST_EVENT)
        unpacker.feed(message)
        fields = next(unpacker)
        return nuclio_sdk.Event.deserialize(fields, kind=kinds.msgpack if self._decodes else kinds.msgpack_raw)

    async def _handle(self, event: nuclio_sdk.Event) -> None:
        output = self._handler(self._context, event)
        if asyncio.iscoroutine(output):
            output = await output
        self._respond(self._response(output))

    def _respond(self, response: Any) -> None:
        responses = response if isinstance(response, list) else [response]
        bodies = [(fields.pop("body"), fields.pop("body_encoding")) for fields in responses]
        self._packets.respond(self._encode(response), body_bytes(*bodies[0]) if bodies else b"")

    def _response(self, output: object) -> Any:
        to_response = nuclio_sdk.Response.from_entrypoint_output
        if isinstance(output, list) and self._batches:
            return [to_response(self._encode, item) for item in output]
        return to_response(self._encode, output)

    def _answer_error(self, what: str, exc: BaseException) -> None:
        text = f'{what} - "{exc}": {traceback.format_exc()}'
        self._logger.error_with(what, exc=str(exc), traceback=traceback.format_exc())
        fields = {"body": text, "body_encoding": "text", "content_type": "text/plain", "status_code": 500}
        self._respond(fields)

    async def _call_back(self) -> None:
        while self._callbacks:
            kind = self._callbacks.pop(0)
            result = self._platform._on_signal(callback_type=kind)
            if asyncio.iscoroutine(result):
                await result
            if kind == "termination":
                self._packets.send("t")


def body_bytes(text: str, encoding: str) -> bytes:
    """A response's body as the client gets it; lone surrogates become the replacement character."""
    if encoding == "base64":
        return base64.b64decode(text)
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


def load_handler(name: str, logger: nuclio_sdk.Logger) -> Callable[..., Any]:
    """The callable behind `package.module:function`.

    Raises ValueError for another form, and whatever the module raises.
    """
    match = HANDLER.fullmatch(name)
    if not match:
        raise ValueError(f"Malformed handler - {name!r}")
    module = __import__(match[1])
    for part in match[1].split(".")[1:]:
        module = getattr(module, part)
    try:
        handler: Callable[..., Any] = getattr(module, match[2])
    except Exception:
        logger.error_with("Handler not found", handler=name)
        raise
    return handler


async def run(args: argparse.Namespace, worker: Worker) -> None:
    """The worker's life after the import: `init_context`, then events."""
    await worker.initialize()
    events = Events(args.event_fd)
    try:
        await worker.serve(events)
    finally:
        events.close()


def parse_args() -> argparse.Namespace:
    """The same options as Nuclio's own worker where a function may read them in `sys.argv`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--handler", required=True)
    parser.add_argument("--event-fd", type=int, required=True)
    parser.add_argument("--packet-fd", type=int, required=True)
    parser.add_argument("--platform-kind", default="local")
    parser.add_argument("--namespace")
    parser.add_argument("--worker-id")
    parser.add_argument("--trigger-kind")
    parser.add_argument("--trigger-name")
    parser.add_argument("--decode-event-strings", action="store_true")
    parser.add_argument("--nuclio", choices=("1.13", "1.14"), default="1.14")
    return parser.parse_args()


def main() -> None:
    """Imports, initialises, serves."""
    args = parse_args()
    packets = Packets(args.packet_fd)
    logger = nuclio_sdk.Logger("DEBUG")
    logger.set_handler("default", packets, nuclio_sdk.logger.JSONFormatter())
    logger.bind(worker_id=args.worker_id)
    try:
        worker = Worker(args, packets, logger)
    except BaseException as exc:
        failure = {"err": str(exc), "traceback": traceback.format_exc()}
        packets.send("f", json.dumps(failure))
        raise SystemExit(1) from None
    packets.send("c")
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        with contextlib.suppress(BrokenPipeError):
            loop.run_until_complete(run(args, worker))
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


if __name__ == "__main__":
    main()
