"""A worker's response → the HTTP answer, by the rules of Nuclio's Go side."""

import asyncio
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h11

from .event import canonical
from .listener import TEXT, Send

FILE_PATH = "x-nuclio-filestream-path"
FILE_DELETE = "x-nuclio-filestream-delete-after-send"
TYPES: dict[str, tuple[type, str]] = {
    "status_code": (int, "int"),
    "content_type": (str, "string"),
    "headers": (dict, "map[string]interface {}"),
}
KINDS = {str: "string", list: "array", dict: "object", bool: "bool", int: "number", float: "number"}
MANAGED = {"Content-Length", "Transfer-Encoding", "Date", "Trailer", "Content-Type"}
BODILESS = {204, 304}


class ResultError(Exception):
    """The handler's result cannot be taken: 500 with this text."""


class NoResults(Exception):
    """1.14 and an empty list: 500 without a body, and the worker is lost."""


@dataclass
class Answer:
    """One answer. `content_type` empty: plain text where there is a body. `chunked`: sent without a length."""

    status: int = 200
    body: bytes = b""
    content_type: bytes = b""
    headers: dict[str, str] = field(default_factory=lambda: {"Server": "nuclio"})
    chunked: bool = False

    async def send(self, send: Send) -> None:
        """Sends it; what HTTP cannot carry becomes a 500 that says so."""
        try:
            head = self._head()
        except h11.LocalProtocolError as exc:
            text = f"HTTP cannot carry what the function returned: {exc}"
            await Answer(500, text.encode()).send(send)
            return
        await send({"type": "http.response.start", "status": self.status, "headers": head})
        await send({"type": "http.response.body", "body": b"" if self.status in BODILESS else self.body})

    def _head(self) -> list[tuple[bytes, bytes]]:
        content_type = self.content_type or (TEXT if self.body or self.status in BODILESS else b"")
        head = [(b"Content-Type", content_type)] if content_type else []
        if not self.chunked and self.status not in BODILESS:
            head.append((b"Content-Length", b"%d" % len(self.body)))
        head += [(name.encode(), value.encode("utf-8", "replace")) for name, value in self.headers.items()]
        if self.status >= 600:
            raise h11.LocalProtocolError(f"status {self.status} is none of 200 to 599")
        h11.Response(status_code=self.status, headers=head)
        return head


class Number(float):
    """A float that knows its text."""

    def __new__(cls, text: str) -> "Number":
        number = super().__new__(cls, text)
        number.text = text
        return number

    text: str


async def read_answer(packet: bytes, body: bytes, nuclio: str) -> Answer:
    """The answer for a worker's response, of a batch for its first. Raises ResultError, NoResults."""
    parsed = json.loads(packet, parse_float=Number)
    responses = parsed if isinstance(parsed, list) else [parsed]
    if not responses:
        raise NoResults
    struct = "result" if nuclio == "1.13" else "Result"
    for fields in reversed(responses):
        _check(fields, struct)
    return await _answer(responses[0], body)


def _check(fields: dict[str, Any], struct: str) -> None:
    for name, (kind, go_type) in TYPES.items():
        value = fields.get(name)
        if value is not None and (not isinstance(value, kind) or isinstance(value, bool)):
            found = _go_kind(value, go_type)
            raise ResultError(f"json: cannot unmarshal {found} into Go struct field {struct}.{name} of type {go_type}")


def _go_kind(value: object, go_type: str) -> str:
    if isinstance(value, Number) and go_type == "int":
        return f"number {value.text}"
    return next(name for kind, name in KINDS.items() if isinstance(value, kind))


async def _answer(fields: dict[str, Any], body: bytes) -> Answer:
    answer = Answer(body=body, content_type=_one_line(fields.get("content_type") or "").encode())
    answer.status = max(fields.get("status_code") or 0, 0) or 200
    headers = fields.get("headers") or {}
    for name, value in headers.items():
        key = canonical(name)
        if isinstance(value, str) and key not in MANAGED and key.lower() not in (FILE_PATH, FILE_DELETE):
            answer.headers[key] = _one_line(value)
    named = {name.lower(): value for name, value in headers.items()}
    path = named.get(FILE_PATH)
    if isinstance(path, str) and path:
        await asyncio.to_thread(_take_file, answer, Path(path), delete=FILE_DELETE in named)
    return answer


def _take_file(answer: Answer, path: Path, *, delete: bool) -> None:
    """Makes a file the body, as the header of that name asks."""
    answer.body = b""
    try:
        answer.body = path.read_bytes()
    except FileNotFoundError:
        answer.status, answer.content_type = 404, b""
    except OSError:
        answer.status, answer.content_type = 500, b""
    else:
        answer.chunked = True
        if delete:
            path.unlink(missing_ok=True)


def go_text(text: str) -> str:
    """Lone surrogates become the replacement character."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _one_line(value: str) -> str:
    return go_text(value).replace("\r", " ").replace("\n", " ")
