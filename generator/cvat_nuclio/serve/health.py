"""The processor's health server: `/live` and `/ready` as the health checks of Docker and Kubernetes ask for them."""

import json
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import request_response

from .listener import App

JSON = "application/json; charset=utf-8"
NO_SNIFF = {"X-Content-Type-Options": "nosniff"}


def health_app(is_ready: Callable[[], bool]) -> App:
    """Answers `/live` and `/ready`; `?full=1` names the checks."""

    async def answer(request: Request) -> Response:
        path = request.url.path
        if path not in ("/live", "/ready"):
            return not_found()
        if request.method != "GET":
            return PlainTextResponse("method not allowed\n", 405, NO_SNIFF)
        checks = {"processor_liveness": "OK"}
        if path == "/ready":
            checks["processor_readiness"] = "OK" if is_ready() else "Processor not ready yet"
        status = 200 if set(checks.values()) == {"OK"} else 503
        full = request.query_params.get("full") == "1"
        return Response(json.dumps(checks if full else {}, indent=4) + "\n", status, media_type=JSON)

    return request_response(answer)


def not_found() -> Response:
    """What Go's routers say to an unknown path."""
    return PlainTextResponse("404 page not found\n", 404, NO_SNIFF)
