"""What a worker gets for a request: the fields of Nuclio's event, CloudEvents (0.1) included."""

import struct
import time
import uuid
from datetime import datetime
from typing import Any

import msgpack

from .cloudevent import STRUCTURED, StructuredEvent
from .request import Request

NO_TIME = -62135596800


def encode_event(request: Request, trigger_name: str, structured: StructuredEvent) -> bytes:
    """The event as length-prefixed msgpack; `structured` is the worker's. Raises EventError."""
    fields = event_fields(request, trigger_name, structured)
    packed: bytes = msgpack.packb(fields, unicode_errors="surrogateescape")
    return struct.pack(">I", len(packed)) + packed


def event_fields(request: Request, trigger_name: str, structured: StructuredEvent) -> dict[str, Any]:
    """The event's fields; bytes that are not UTF-8 are kept in the texts as surrogates. Raises EventError."""
    fields = _plain_fields(request, trigger_name)
    if (request.header(b"Content-Type") or b"").startswith(STRUCTURED):
        fields |= structured.read(request.body or b"")
    elif request.header(b"Ce-Cloudeventsversion"):
        fields |= _binary_fields(request)
    fields["content-type"] = fields["content_type"]
    return fields


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


def _texts(values: dict[bytes, bytes]) -> dict[str, str]:
    return {_text(key): _text(value) for key, value in values.items()}


def _plain_fields(request: Request, trigger_name: str) -> dict[str, Any]:
    return {
        "content_type": _text(request.header(b"Content-Type") or b""),
        "trigger": {"kind": "http", "name": trigger_name},
        "fields": _texts(request.fields),
        "headers": _texts(request.visited_headers),
        "id": str(uuid.uuid4()),
        "method": _text(request.method),
        "path": _text(request.path),
        "size": len(request.body or b""),
        "timestamp": int(time.time()),
        "url": "",
        "shard_id": -1,
        "num_shards": 0,
        "type": "",
        "type_version": "",
        "version": "",
        "offset": 0,
        "topic": "",
        "body": request.body,
    }


def _binary_fields(request: Request) -> dict[str, Any]:
    def header(name: bytes) -> str:
        return _text(request.header(b"Ce-" + name) or b"")

    return {
        "id": header(b"Eventid"),
        "type": header(b"Eventtype"),
        "type_version": header(b"Eventtypeversion"),
        "version": header(b"Cloudeventsversion"),
        "timestamp": _unix_time(header(b"Eventtime")),
        "trigger": {"kind": header(b"Source"), "name": header(b"Name")},
    }


def _unix_time(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return NO_TIME
    return int(moment.timestamp()) if moment.tzinfo else NO_TIME
