"""What a worker gets for a request: the fields of Nuclio's event, from ASGI's scope and the body."""

import posixpath
import struct
import time
import uuid
from typing import Any
from urllib.parse import parse_qsl, unquote

import msgpack

from .listener import Scope

EMPTY_UNSAID = {"GET", "HEAD"}
LEFT_OUT_EMPTY = {"Host", "Content-Type", "User-Agent"}


def encode_event(scope: Scope, body: bytes | None, trigger_name: str) -> bytes:
    """The event as length-prefixed msgpack. A `body` of None: the request had none at all."""
    packed: bytes = msgpack.packb(event_fields(scope, body, trigger_name), unicode_errors="surrogateescape")
    return struct.pack(">I", len(packed)) + packed


def event_fields(scope: Scope, body: bytes | None, trigger_name: str) -> dict[str, Any]:
    """The event's fields; bytes that are not UTF-8 are kept in the texts as surrogates."""
    headers = event_headers(scope, body)
    content_type = headers.get("Content-Type", "")
    query = scope["query_string"].decode("ascii", "surrogateescape")
    return {
        "content_type": content_type,
        "content-type": content_type,
        "trigger": {"kind": "http", "name": trigger_name},
        "fields": dict(parse_qsl(query, keep_blank_values=True, errors="surrogateescape")),
        "headers": headers,
        "id": str(uuid.uuid4()),
        "method": scope["method"],
        "path": event_path(scope),
        "size": len(body or b""),
        "timestamp": int(time.time()),
        "url": "",
        "shard_id": -1,
        "num_shards": 0,
        "type": "",
        "type_version": "",
        "version": "",
        "offset": 0,
        "topic": "",
        "body": body,
    }


def event_headers(scope: Scope, body: bytes | None) -> dict[str, str]:
    """All headers under their canonical names: the last value of a name wins, cookies are one header."""
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = canonical(name.decode("ascii")), value.decode("utf-8", "surrogateescape")
        if text or key not in LEFT_OUT_EMPTY:
            headers[key] = f"{headers[key]}; {text}" if key == "Cookie" and key in headers else text
    if "Transfer-Encoding" in headers:
        headers.pop("Content-Length", None)
    if not body and scope["method"] not in EMPTY_UNSAID:
        headers.pop("Transfer-Encoding", None)
        headers["Content-Length"] = "0"
    return headers


def event_path(scope: Scope) -> str:
    """Decoded, without host, `//`, `/./` and `/../`; a slash at the end stays."""
    raw = scope["raw_path"].decode("ascii", "surrogateescape").partition("#")[0]
    if "://" in raw:
        raw = raw.partition("://")[2].partition("/")[2]
    path = posixpath.normpath("/" + unquote(raw, errors="surrogateescape").lstrip("/"))
    return path + "/" if raw.endswith("/") and path != "/" else path


def canonical(name: str) -> str:
    """`x-upper-case` → `X-Upper-Case`."""
    return "-".join(part.capitalize() for part in name.split("-"))
