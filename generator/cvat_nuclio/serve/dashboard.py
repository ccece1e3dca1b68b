"""Nuclio's dashboard as far as CVAT asks it: the functions of a project, one function, a call through the dashboard."""

import asyncio
import copy
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import urllib3
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from ..limits import NAMESPACE
from ..nuclio.duration import BadDuration, seconds
from .function_port import Bodies, Busy, Gone, TooLarge
from .function_settings import Settings
from .health import not_found
from .listener import BAD_REQUEST, TEXT
from .restart_policy import Container

PROJECT = "cvat"
PROJECT_LABEL = "nuclio.io/project-name"
INVOKE_TIMEOUT = 60.0
NOT_PASSED_ON = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "te", "upgrade"}


@dataclass(frozen=True)
class Entry:
    """A function as the dashboard sees it; `host`: where its port is reached."""

    container: Container
    host: str = "127.0.0.1"

    @property
    def settings(self) -> Settings:
        """The function's."""
        return self.container.settings

    @property
    def address(self) -> str:
        """Host and port of the function."""
        return f"{self.host}:{self.container.function.port}"

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
        workers = self.container.function.worker_count
        if workers != self.settings.trigger.workers:
            for trigger in (spec.get("triggers") or {}).values():
                trigger |= {"numWorkers": workers} if trigger.get("kind") == "http" else {}
        return {"metadata": metadata, "spec": spec, "status": self._status()}

    def _status(self) -> dict[str, Any]:
        status: dict[str, Any] = {"state": self.container.state}
        if status["state"] == "unhealthy":
            status["message"] = f"Function is not healthy: {self.container.cause}"
        urls = {"internalInvocationUrls": [self.address], "externalInvocationUrls": [self.address]}
        return status | {"httpPort": self.container.function.port} | urls


def dashboard_app(entries: Sequence[Entry]) -> Starlette:
    """The ASGI application for these functions."""
    dashboard = Dashboard(entries)
    routes = [
        Route("/api/functions", dashboard.list),
        Route("/api/functions/{name}", dashboard.one),
        Route("/api/projects", dashboard.projects),
        Route("/api/function_invocations", dashboard.invoke, methods=["GET", "POST", "PUT", "DELETE"]),
    ]
    missing = dict.fromkeys((404, 405), lambda request, exc: with_vary(not_found()))
    return Starlette(routes=routes, exception_handlers=missing)


class Dashboard:
    """Answers for the functions in `entries`."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries = entries
        self.largest_body = max((e.settings.trigger.max_body for e in entries), default=0)
        self._bodies = Bodies()
        self._pool = urllib3.PoolManager(retries=False, maxsize=16)

    def _in_namespace(self, request: Request) -> list[Entry]:
        asked = request.headers.get("x-nuclio-function-namespace", "")
        return [e for e in self._entries if asked in ("", "*", e.settings.namespace)]

    def _named(self, request: Request, name: str) -> Entry | None:
        return next((e for e in self._in_namespace(request) if e.settings.name == name), None)

    async def list(self, request: Request) -> Response:
        """GET /api/functions."""
        project = request.headers.get("x-nuclio-project-name", "")
        entries = [e for e in self._in_namespace(request) if project in ("", "*", e.project)]
        return as_json({e.settings.name: e.as_json() for e in sorted(entries, key=lambda e: e.settings.name)})

    async def one(self, request: Request) -> Response:
        """GET /api/functions/NAME."""
        entry = self._named(request, request.path_params["name"])
        if entry:
            return as_json(entry.as_json())
        text = "Function not found"
        trace = f"\nError - {text}\n\nCall stack:\nFailed to get get function\n"
        return as_json({"error": text, "errorStackTrace": trace}, 404, newline="")

    async def projects(self, request: Request) -> Response:
        """GET /api/projects."""
        names = sorted({PROJECT, "default", *(e.project for e in self._entries)})
        return as_json({n: {"metadata": {"name": n, "namespace": NAMESPACE}, "spec": {}, "status": {}} for n in names})

    async def invoke(self, request: Request) -> Response:
        """POST /api/function_invocations: the headers name the function, the rest is the function's."""
        name = request.headers.get("x-nuclio-function-name", "")
        namespace = request.headers.get("x-nuclio-function-namespace", "")
        entry = self._named(request, name)
        limit = entry.settings.trigger.max_body if entry else self.largest_body
        try:
            body = await self._bodies.read(request.scope, request.receive, limit)
        except (TooLarge, Busy) as exc:
            status, text = (400, BAD_REQUEST) if isinstance(exc, TooLarge) else (503, b"")
            return with_vary(Response(text, status, {"Content-Type": TEXT.decode(), "Connection": "close"}))
        except Gone:
            raise ClientDisconnect from None
        if not name:
            return invocation_error(400, "Function name must be provided")
        if not namespace:
            return invocation_error(400, "Namespace must be provided")
        if entry is None:
            return invocation_error(404, f"Failed to invoke function: Function not found: {name} @ {namespace}")
        url = request.headers.get("x-nuclio-invoke-url", "")
        if url and url != entry.address:
            return invocation_error(400, f"Failed to invoke function: Invalid function url {url}")
        return await asyncio.to_thread(self._forward, request, body, entry)

    def _forward(self, request: Request, body: bytes | None, entry: Entry) -> Response:
        url = f"http://{entry.address}/{request.headers.get('x-nuclio-path', '').removeprefix('/')}"
        timeout = invoke_timeout(request.headers.get("x-nuclio-invoke-timeout", ""))
        own = {k: v for k, v in request.headers.items() if k not in NOT_PASSED_ON | {"host", "expect"}}
        try:
            answer = self._pool.request(
                request.method,
                url,
                body=body,
                headers=own,
                timeout=urllib3.Timeout(connect=timeout, read=timeout),
                redirect=False,
                decode_content=False,
            )
        except urllib3.exceptions.HTTPError as exc:
            return invocation_error(500, f"Failed to invoke function: Post '{url}': {exc}")
        passed = {k: v for k, v in answer.headers.items() if k.lower() not in NOT_PASSED_ON}
        return with_vary(Response(answer.data, answer.status, passed))


def invoke_timeout(text: str) -> float:
    """`X-Nuclio-Invoke-Timeout` (`120s`) in seconds; a minute without it."""
    try:
        return seconds(text) if text else INVOKE_TIMEOUT
    except BadDuration:
        return INVOKE_TIMEOUT


def as_json(value: object, status: int = 200, *, newline: str = "\n", compact: bool = True) -> Response:
    """A JSON answer as the dashboard's."""
    text = json.dumps(value, separators=(",", ":") if compact else None, ensure_ascii=False) + newline
    return with_vary(Response(text, status, media_type="application/json"))


def invocation_error(status: int, text: str) -> Response:
    """The dashboard's form of a call that failed."""
    return as_json({"error": text}, status, newline="", compact=False)


def with_vary(response: Response) -> Response:
    """As the dashboard's CORS filter leaves every answer."""
    response.headers.setdefault("Vary", "Origin")
    return response
