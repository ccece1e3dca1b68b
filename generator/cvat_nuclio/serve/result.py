"""A worker's response packet → the HTTP response, with the JSON rules of Nuclio's Go side."""

import base64
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .response import Response

FILE_PATH = "x-nuclio-filestream-path"
FILE_DELETE = "x-nuclio-filestream-delete-after-send"
TYPES: dict[str, tuple[type, str]] = {
    "status_code": (int, "int"),
    "content_type": (str, "string"),
    "body": (str, "string"),
    "body_encoding": (str, "string"),
    "headers": (dict, "map[string]interface {}"),
}
KINDS = {str: "string", list: "array", dict: "object", bool: "bool", int: "number", float: "number"}


class ResultError(Exception):
    """The handler's result cannot be taken: 500 with this text."""


class NoResults(Exception):
    """1.14 and an empty list: 500 without a body, and the worker is lost."""


class Number(float):
    """A float that knows its text."""

    def __new__(cls, text: str) -> "Number":
        number = super().__new__(cls, text)
        number.text = text
        return number

    text: str


@dataclass
class Result:
    """One response of the worker. `headers` may hold any JSON value; only strings are sent."""

    status_code: int = 0
    content_type: str = ""
    body: bytes = b""
    headers: dict[str, Any] = field(default_factory=dict)


def read_result(packet: bytes, nuclio: str) -> Result:
    """The result in an `r` packet; of a batch the first. Raises ResultError, NoResults."""
    parsed = json.loads(packet, parse_float=Number)
    if isinstance(parsed, list):
        if not parsed:
            raise NoResults
        for item in reversed(parsed):
            fields = _checked(item, "Result")
        return _result(fields)
    return _result(_checked(parsed, "Result" if nuclio != "1.13" else "result"))


def _checked(fields: dict[str, Any], struct: str) -> dict[str, Any]:
    for name, value in fields.items():
        if name not in TYPES or value is None:
            continue
        kind, go_type = TYPES[name]
        if not isinstance(value, kind) or isinstance(value, bool):
            raise ResultError(
                f"json: cannot unmarshal {_go_kind(value, go_type)} into Go struct field {struct}.{name} "
                f"of type {go_type}"
            )
    return fields


def _go_kind(value: object, go_type: str) -> str:
    if isinstance(value, Number) and go_type == "int":
        return f"number {value.text}"
    return next(name for kind, name in KINDS.items() if isinstance(value, kind))


def _result(fields: dict[str, Any]) -> Result:
    text = fields.get("body") or ""
    encoded = fields.get("body_encoding") == "base64"
    body = base64.b64decode(text) if encoded else go_text(text).encode()
    content_type = go_text(fields.get("content_type") or "")
    return Result(fields.get("status_code") or 0, content_type, body, fields.get("headers") or {})


def go_text(text: str) -> str:
    """Lone surrogates become the replacement character."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def to_response(result: Result) -> Response:
    """The response that the client gets."""
    response = Response()
    file_path, delete = "", False
    for name, value in result.headers.items():
        if name.lower() == FILE_DELETE:
            delete = True
        elif isinstance(value, str) and name.lower() == FILE_PATH:
            file_path = value
        elif isinstance(value, str):
            response.set_header(name, go_text(value))
    if file_path and not _send_file(response, Path(file_path), delete=delete):
        return response
    if not file_path:
        response.body = result.body
    if result.content_type:
        response.content_type = result.content_type.encode()
    if result.status_code > 0:
        response.status = result.status_code
    return response


def _send_file(response: Response, path: Path, *, delete: bool) -> bool:
    try:
        response.body = path.read_bytes()
    except FileNotFoundError:
        response.status = 404
        return False
    except OSError:
        response.status = 500
        return False
    response.chunked = True
    if delete:
        path.unlink(missing_ok=True)
    return True
