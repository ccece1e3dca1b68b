"""An event as a worker sees it."""

import io
import warnings
from contextlib import redirect_stderr
from typing import Any

import nuclio_sdk
import nuclio_sdk.event


def make_event(body: bytes, content_type: str) -> Any:
    """The event that nuclio-sdk makes of what the processor sends."""
    message = {
        "body": body,
        "content_type": content_type,
        "trigger": {"kind": "http", "name": "http"},
        "fields": {},
        "headers": {"Content-Type": content_type},
        "id": "1",
        "method": "POST",
        "path": "/",
        "size": len(body),
        "timestamp": 1_700_000_000,
        "url": "",
        "shard_id": 0,
        "num_shards": 0,
        "type": "",
        "type_version": "",
        "version": "",
    }
    with warnings.catch_warnings(), redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore", DeprecationWarning)  # utcfromtimestamp, since Python 3.12
        return nuclio_sdk.Event.deserialize(message, kind=nuclio_sdk.event.EventDeserializerKinds.msgpack)
