"""Structured CloudEvents (0.1), as Nuclio reads them: one object for each worker keeps what it once read."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

STRUCTURED = b"application/cloudevents"
NO_TIME = -62135596800
FAILED = "Failed to wrap structured cloud event"


class EventError(Exception):
    """The request cannot become an event: 500 with this text."""


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise EventError(FAILED)
    return value


def _map(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise EventError(FAILED)
    return value


def _time(value: Any) -> int:
    try:
        return int(datetime.fromisoformat(_text(value)).timestamp())
    except ValueError:
        raise EventError(FAILED) from None


def _any(value: Any) -> Any:
    return value


FIELDS: dict[str, Callable[[Any], Any]] = {
    "eventType": _text,
    "eventTypeVersion": _text,
    "cloudEventsVersion": _text,
    "source": _text,
    "eventID": _text,
    "eventTime": _time,
    "contentType": _text,
    "extensions": _map,
    "data": _any,
}


class StructuredEvent:
    """A worker's last CloudEvent. What the next one lacks is taken over from it: Nuclio never clears the object."""

    def __init__(self) -> None:
        self._fields: dict[str, Any] = {"eventTime": NO_TIME, "extensions": {}, "data": None}

    def read(self, body: bytes) -> dict[str, Any]:
        """The fields of the event that a CloudEvent in `body` gives. Raises EventError."""
        for name, value in self._parsed(body).items():
            kind = next((known for known in FIELDS if known.lower() == name.lower()), None)
            if kind == "extensions" and value is not None:
                self._fields[kind] = self._fields[kind] | _map(value)
            elif kind and (value is not None or kind == "data"):
                self._fields[kind] = FIELDS[kind](value)
        return self._event_fields()

    def _parsed(self, body: bytes) -> dict[str, Any]:
        try:
            return _map(json.loads(body.decode("utf-8", "replace"), parse_int=float))
        except ValueError:
            raise EventError(FAILED) from None

    def _event_fields(self) -> dict[str, Any]:
        fields, data = self._fields, self._fields["data"]
        text = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else None
        source = fields.get("source", "")
        return {
            "id": fields.get("eventID", ""),
            "type": fields.get("eventType", ""),
            "type_version": fields.get("eventTypeVersion", ""),
            "version": fields.get("cloudEventsVersion", ""),
            "timestamp": fields["eventTime"],
            "trigger": {"kind": source, "name": source},
            "content_type": fields.get("contentType", ""),
            "headers": fields["extensions"],
            "body": data if isinstance(data, dict) else text,
            "size": len(text or b""),
        }
