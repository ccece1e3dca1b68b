"""The trigger's CORS gate: Nuclio answers what it refuses with an empty 200, a refused preflight with 400."""

from .request import Request
from .response import Response
from .settings import Cors


class Gate:
    """Lets requests through or answers them itself; without a configuration it lets all through."""

    def __init__(self, cors: Cors | None) -> None:
        self._cors = cors

    def check(self, request: Request, response: Response) -> Response | None:
        """The answer to a request that must not reach the function; else None, with headers set on `response`."""
        if not self._cors:
            return None
        if request.method == self._cors.preflight_method.encode() and request.header(b"Access-Control-Request-Method"):
            return self._preflight(self._cors, request)
        return self._admit(self._cors, request, response)

    def _admit(self, cors: Cors, request: Request, response: Response) -> Response | None:
        response.headers[b"Vary"] = b"Origin"
        origin = request.header(b"Origin") or b""
        if not _origin_allowed(cors, origin):
            return response
        response.headers[b"Access-Control-Allow-Origin"] = origin
        if cors.credentials:
            response.headers[b"Access-Control-Allow-Credentials"] = b"true"
        if cors.exposed:
            response.headers[b"Access-Control-Expose-Headers"] = ", ".join(cors.exposed).encode()
        return None

    def _preflight(self, cors: Cors, request: Request) -> Response:
        vary = b"Origin\r\nVary: Access-Control-Request-Method\r\nVary: Access-Control-Request-Headers"
        response = Response(400, headers={b"Vary": vary})
        if not self._preflight_allowed(cors, request):
            return response
        response.status = 200
        response.headers[b"Access-Control-Allow-Origin"] = request.header(b"Origin") or b""
        if cors.credentials:
            response.headers[b"Access-Control-Allow-Credentials"] = b"true"
        response.headers[b"Access-Control-Max-Age"] = str(cors.max_age).encode()
        response.headers[b"Access-Control-Allow-Methods"] = ", ".join(cors.methods).encode()
        response.headers[b"Access-Control-Allow-Headers"] = ", ".join(cors.headers).encode()
        return response

    def _preflight_allowed(self, cors: Cors, request: Request) -> bool:
        method = (request.header(b"Access-Control-Request-Method") or b"").decode("latin-1")
        asked = (request.header(b"Access-Control-Request-Headers") or b"").decode("latin-1")
        headers = {name.lower() for name in cors.headers}
        return (
            _origin_allowed(cors, request.header(b"Origin") or b"")
            and method in cors.methods
            and all(name.lower() in headers for name in asked.split(", ") if asked)
        )


def _origin_allowed(cors: Cors, origin: bytes) -> bool:
    return bool(origin) and ("*" in cors.origins or origin.decode("latin-1") in cors.origins)
