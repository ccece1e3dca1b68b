"""What a worker gets for a request: the fields of Nuclio's event, CloudEvents (0.1) included."""

import json
import struct
import time
import uuid
from datetime import datetime
from typing import Any

import msgpack

from .request import Request

STRUCTURED = b"application/cloudevents"
NO_TIME = -62135596800
STRUCTURED_FIELDS = {
    "eventID": str,
    "source": str,
    "eventType": str,
    "eventTypeVersion": str,
    "cloudEventsVersion": str,
    "contentType": str,
    "extensions": dict,
}


class EventError(Exception):
    """The request cannot become an event: 500 with this text."""


def encode_event(request: Request, trigger_name: str) -> bytes:
    """The event as length-prefixed msgpack. Raises EventError."""
    packed: bytes = msgpack.packb(event_fields(request, trigger_name), unicode_errors="surrogateescape")
    return struct.pack(">I", len(packed)) + packed


def event_fields(request: Request, trigger_name: str) -> dict[str, Any]:
    """The event's fields; texts are bytes, packed as strings that may not be UTF-8. Raises EventError."""
    fields = _plain_fields(request, trigger_name)
    if (request.header(b"Content-Type") or b"").startswith(STRUCTURED):
        fields |= _structured_fields(request.body or b"")
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


def _structured_fields(body: bytes) -> dict[str, Any]:
    event = _structured_event(body)
    data = event.get("data")
    text = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else None
    return {
        "id": event["eventID"],
        "type": event["eventType"],
        "type_version": event["eventTypeVersion"],
        "version": event["cloudEventsVersion"],
        "timestamp": _unix_time(event.get("eventTime") or ""),
        "trigger": {"kind": event["source"], "name": event["source"]},
        "content_type": event["contentType"],
        "headers": event["extensions"],
        "body": data if isinstance(data, dict) else text,
        "size": len(text or b""),
    }


def _structured_event(body: bytes) -> dict[str, Any]:
    try:
        event = json.loads(body.decode())
    except ValueError as exc:
        raise EventError(f"Failed to wrap structured cloud event: {exc}") from exc
    if not isinstance(event, dict):
        raise EventError("json: cannot unmarshal into a cloud event")
    return event | {name: event.get(name) or kind() for name, kind in STRUCTURED_FIELDS.items()}
