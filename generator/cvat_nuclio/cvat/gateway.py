"""CVAT's gateway to Nuclio: the dashboard's function list, and invocation by either way."""

from collections.abc import Mapping
from typing import Any

import attrs

from ..limits import CVAT_TIMEOUT, NAMESPACE
from .generation import NEWEST, Generation
from .listing import Listed, list_functions, retrieve_function
from .rest_errors import unhandled
from .transport import decode, send


@attrs.frozen
class Gateway:
    """Calls functions as CVAT does.

    `dashboard` is Nuclio's dashboard (`http://host:8070`). Calls go to the function's own port on `host`, CVAT's
    default outside Kubernetes, or through the dashboard if `via_dashboard`. `function_url` overrides the address
    for a function that no dashboard knows.
    """

    generation: Generation = NEWEST
    dashboard: str | None = None
    via_dashboard: bool = False
    host: str = "localhost"
    function_url: str | None = None
    namespace: str = NAMESPACE
    timeout: float = CVAT_TIMEOUT

    def list(self) -> list[Listed]:
        """`GET /api/lambda/functions`."""
        return list_functions(self._get("/api/functions"), self.generation)

    def get(self, function_id: str) -> Listed:
        """`GET /api/lambda/functions/<id>`."""
        return retrieve_function(self._get(f"/api/functions/{function_id}"), self.generation)

    def invoke(self, function: Listed, payload: Mapping[str, Any]) -> Any:
        """Sends a payload and returns the decoded answer. Raises `CvatError`."""
        if self.via_dashboard:
            headers = self._headers() | {"x-nuclio-function-name": function.id, "x-nuclio-path": "/"}
            return self._send("POST", f"{self.dashboard}/api/function_invocations", payload, headers)
        return self._send("POST", self.address(function), payload, {})

    def address(self, function: Listed) -> str:
        """Where the function listens; of a function without a port it is no address, and the call fails."""
        return self.function_url or f"http://{self.host}:{function.port}"

    def _get(self, path: str) -> Any:
        return self._send("GET", f"{self.dashboard}{path}", None, self._headers())

    def _headers(self) -> dict[str, str]:
        return {
            "x-nuclio-project-name": "cvat",
            "x-nuclio-function-namespace": self.namespace,
            "x-nuclio-invoke-via": "domain-name",
            "X-Nuclio-Invoke-Timeout": f"{self.timeout:g}s",
        }

    def _send(self, method: str, url: str, body: Any, headers: dict[str, str]) -> Any:
        with unhandled():
            answer = send(method, url, body=body, headers=headers, timeout=self.timeout, generation=self.generation)
            return decode(answer)
