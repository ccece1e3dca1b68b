"""One real request to a deployed function, of its kind, with a tiny image: the state `ready` alone lies both ways."""

import json
from collections.abc import Mapping
from typing import Any

import urllib3

from ..cvat import ListingError
from ..cvat.listing import list_function
from ..cvat.sample import sample_payload


def failure(config: Mapping[str, Any], url: str, *, timeout: float) -> str | None:
    """None when the function with this configuration answered 200 with JSON, else what went wrong, in one line."""
    try:
        function = list_function({**config, "status": {}})
    except ListingError as error:
        return f"CVAT cannot list the function: {error.message}"
    if trouble := _send(url, sample_payload(function), timeout=timeout):
        return f"a first request failed: {trouble}"
    return None


def _send(url: str, body: Mapping[str, Any], *, timeout: float) -> str | None:
    try:
        # The content type must be exactly this, or the function gets bytes.
        answer = urllib3.request(
            "POST", url, body=json.dumps(body), headers={"Content-Type": "application/json"},
            timeout=timeout, retries=False,
        )  # fmt: skip
    except urllib3.exceptions.HTTPError as error:
        return f"no answer: {error}"
    text = answer.data.decode("utf-8", "replace").strip()
    if answer.status != 200:
        return f"HTTP {answer.status}: {text.splitlines()[0][:200] if text else 'empty answer'}"
    try:
        json.loads(text)
    except ValueError:
        return f"the answer is not JSON: {text[:80]!r}"
    return None


def is_alive(port: int) -> bool:
    """Whether anything healthy listens on the port of this host (127.0.0.1: IPv6's published port may differ)."""
    try:
        answer = urllib3.request("GET", f"http://127.0.0.1:{port}/__internal/health", timeout=2.0, retries=False)
    except urllib3.exceptions.HTTPError:
        return False
    return answer.status == 200
