"""Nuclio's dashboard as far as CVAT asks it: the functions of a project, one function, a call through the dashboard."""

import asyncio
import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import urllib3

from ..nuclio.duration import BadDuration, seconds
from .request import Request
from .response import Response
from .settings import Settings

PROJECT = "cvat"
PROJECT_LABEL = "nuclio.io/project-name"
DEFAULT_PORT = 8070
INVOKE_TIMEOUT = 60.0
HOP_HEADERS = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "te", "upgrade"}


@dataclass(frozen=True)
class Entry:
    """A function that is served: `state` is Nuclio's (building, ready, unhealthy, error), `port` its own."""

    settings: Settings
    state: str
    port: int
    host: str = "127.0.0.1"

    @property
    def project(self) -> str:
        """The project in its label; CVAT's, which `nuctl deploy --project-name cvat` would set, when it has none."""
        return str(self._labels.get(PROJECT_LABEL) or PROJECT)

    @property
    def _labels(self) -> dict[str, Any]:
        return (self.settings.config.get("metadata") or {}).get("labels") or {}

    def as_json(self) -> dict[str, Any]:
        """The function as the dashboard lists it."""
        config = copy.deepcopy(self.settings.config)
        metadata, spec = config.get("metadata") or {}, config.get("spec") or {}
        labels = {**self._labels, PROJECT_LABEL: self.project}
        metadata |= {"name": self.settings.name, "namespace": self.settings.namespace, "labels": labels}
        return {"metadata": metadata, "spec": spec, "status": self._status()}

    def _status(self) -> dict[str, Any]:
        address = f"{self.host}:{self.port}"
        status: dict[str, Any] = {"state": self.state}
        if self.state == "unhealthy":
            status["message"] = "Function is not healthy"
        urls = {"internalInvocationUrls": [address], "externalInvocationUrls": [address]}
        return status | {"httpPort": self.port} | urls


class Dashboard:
    """Answers for the functions that `entries` gives."""

    def __init__(self, entries: Callable[[], list[Entry]]) -> None:
        self._entries = entries
        self._pool = urllib3.PoolManager(retries=False, maxsize=16)

    async def handle(self, request: Request) -> Response:
        """The answer to one request."""
        response = await self._route(request)
        response.headers.setdefault(b"Vary", b"Origin")
        return response

    async def _route(self, request: Request) -> Response:
        path = request.path.decode("utf-8", "replace").rstrip("/")
        if path == "/api/function_invocations":
            return await self._invoke(request)
        if request.method == b"GET":
            if path == "/api/functions":
                return self._list(request)
            if path.startswith("/api/functions/"):
                return self._one(request, path.removeprefix("/api/functions/"))
            if path == "/api/projects":
                return self._projects()
        return not_found()

    def _in_namespace(self, request: Request) -> list[Entry]:
        asked = text_header(request, b"X-Nuclio-Function-Namespace")
        return [e for e in self._entries() if asked in ("", "*", e.settings.namespace)]

    def _list(self, request: Request) -> Response:
        project = text_header(request, b"X-Nuclio-Project-Name")
        entries = [e for e in self._in_namespace(request) if project in ("", "*", e.project)]
        return as_json({e.settings.name: e.as_json() for e in sorted(entries, key=lambda e: e.settings.name)})

    def _one(self, request: Request, name: str) -> Response:
        entry = next((e for e in self._in_namespace(request) if e.settings.name == name), None)
        if entry:
            return as_json(entry.as_json())
        text = "Function not found"
        trace = f"\nError - {text}\n\nCall stack:\nFailed to get get function\n"
        return as_json({"error": text, "errorStackTrace": trace}, 404, newline="", compact=True)

    def _projects(self) -> Response:
        names = sorted({PROJECT, "default", *(e.project for e in self._entries())})
        return as_json({n: {"metadata": {"name": n, "namespace": "nuclio"}, "spec": {}, "status": {}} for n in names})

    async def _invoke(self, request: Request) -> Response:
        name = text_header(request, b"X-Nuclio-Function-Name")
        namespace = text_header(request, b"X-Nuclio-Function-Namespace")
        if not name:
            return invocation_error(400, "Function name must be provided")
        if not namespace:
            return invocation_error(400, "Namespace must be provided")
        entry = next((e for e in self._in_namespace(request) if e.settings.name == name), None)
        if entry is None:
            return invocation_error(404, f"Failed to invoke function: Function not found: {name} @ {namespace}")
        url = text_header(request, b"X-Nuclio-Invoke-Url")
        if url and url not in entry.as_json()["status"]["externalInvocationUrls"]:
            return invocation_error(400, f"Failed to invoke function: Invalid function url {url}")
        return await asyncio.to_thread(self._forward, request, entry)

    def _forward(self, request: Request, entry: Entry) -> Response:
        path = text_header(request, b"X-Nuclio-Path").removeprefix("/")
        url = f"http://{entry.host}:{entry.port}/{path}"
        timeout = invoke_timeout(text_header(request, b"X-Nuclio-Invoke-Timeout"))
        try:
            answer = self._pool.request(
                request.method.decode("latin-1"),
                url,
                body=request.body,
                headers=forwarded_headers(request),
                timeout=urllib3.Timeout(connect=timeout, read=timeout),
                redirect=False,
                decode_content=False,
            )
        except urllib3.exceptions.HTTPError as exc:
            return invocation_error(500, f"Failed to invoke function: Post '{url}': {exc}")
        return forwarded_answer(answer)


def forwarded_headers(request: Request) -> dict[str, str]:
    """The client's own headers, without those that speak to the dashboard or of the connection."""
    headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in request.visited_headers.items()}
    return {k: v for k, v in headers.items() if k.lower() not in HOP_HEADERS | {"host", "expect"}}


def forwarded_answer(answer: urllib3.BaseHTTPResponse) -> Response:
    """The function's answer, passed on."""
    response = Response(answer.status, answer.data)
    for name, value in answer.headers.items():
        if name.lower() not in HOP_HEADERS:
            response.set_header(name, value)
    return response


def invoke_timeout(text: str) -> float:
    """`X-Nuclio-Invoke-Timeout` (`120s`) in seconds; a minute without it."""
    try:
        return seconds(text) if text else INVOKE_TIMEOUT
    except BadDuration:
        return INVOKE_TIMEOUT


def text_header(request: Request, name: bytes) -> str:
    """A header's value, empty without it."""
    return (request.header(name) or b"").decode("utf-8", "replace")


def as_json(value: object, status: int = 200, *, newline: str = "\n", compact: bool = True) -> Response:
    """A JSON answer without a `Server` header, as the dashboard's."""
    text = json.dumps(value, separators=(",", ":") if compact else None, ensure_ascii=False) + newline
    return Response(status, text.encode(), b"application/json", server=b"")


def invocation_error(status: int, text: str) -> Response:
    """The dashboard's form of a call that failed."""
    return as_json({"error": text}, status, newline="", compact=False)


def not_found() -> Response:
    """What the dashboard's router says to an unknown path."""
    return Response(
        404,
        b"404 page not found\n",
        b"text/plain; charset=utf-8",
        headers={b"X-Content-Type-Options": b"nosniff"},
        server=b"",
    )
