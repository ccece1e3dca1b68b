"""A gateway with a clock."""

import time
from collections.abc import Mapping
from typing import Any

import attrs

from ..cvat import Gateway, Listed


@attrs.define
class Timed:
    """Sends what it is given through `gateway`; keeps the milliseconds, answers and payloads of all calls.

    Pictures are kept of the last payload alone: a tracker's would be the whole clip again.
    """

    gateway: Gateway
    milliseconds: list[float] = attrs.field(factory=list)
    answers: list[Any] = attrs.field(factory=list)
    payloads: list[dict[str, Any]] = attrs.field(factory=list)
    last: Mapping[str, Any] = attrs.field(factory=dict)

    def invoke(self, function: Listed, payload: Mapping[str, Any]) -> Any:
        """One call. Raises `CvatError` where it fails."""
        self.last = payload
        self.payloads.append({key: value for key, value in payload.items() if not key.startswith("image")})
        started = time.perf_counter()
        try:
            answer = self.gateway.invoke(function, payload)
        finally:
            self.milliseconds.append(1000 * (time.perf_counter() - started))
        self.answers.append(answer)
        return answer
