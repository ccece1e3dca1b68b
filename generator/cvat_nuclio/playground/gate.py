"""Who may speak to the page: itself alone. Another page's requests end here, before anything has an effect.

* `Host` must name this machine, so that no other name can be pointed here (DNS rebinding).
* A request that a browser says comes from elsewhere (`Origin`, `Sec-Fetch-Site`) is refused.
* Whatever calls the API carries a header that no form and no link can set; a script elsewhere would have to ask first
  (CORS preflight), and is refused.
"""

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

API = "/api/"
OWN_HEADER = "x-cvat-nuclio"
NAMES = {"127.0.0.1", "localhost"}
METHODS = {"GET", "HEAD", "POST"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}


class Gate:
    """Around the page's application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuses strangers; lays the headers over every answer."""

        async def sealed(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        refusal = refused(scope["method"], scope["path"], Headers(scope=scope))
        app = JSONResponse({"error": {"what": refusal}}, 403) if refusal else self._app
        await app(scope, receive, sealed)


def refused(method: str, path: str, headers: Headers) -> str:
    """Why a request is not answered; empty for the page's own. A user's way to the page itself stays open."""
    host = headers.get("host", "")
    if method not in METHODS:
        return f"{method} is not answered here"
    if _name(host) not in NAMES:
        return "this page answers to 127.0.0.1 and localhost alone"
    origin = headers.get("origin")
    if origin is not None and origin != f"http://{host}":
        return "another page may not call this one"
    if headers.get("sec-fetch-site", "same-origin") != "same-origin" and not _is_visit(method, path, headers):
        return "another page may not call this one"
    if path.startswith(API) and headers.get(OWN_HEADER) != "page":
        return f"a call needs the header {OWN_HEADER}: page"
    return ""


def _name(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def _is_visit(method: str, path: str, headers: Headers) -> bool:
    """Somebody who typed the address or followed a link: it shows the page, and changes nothing."""
    return method == "GET" and path == "/" and headers.get("sec-fetch-mode", "navigate") == "navigate"
