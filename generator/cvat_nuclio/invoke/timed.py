"""A gateway with a clock."""

import time
from collections.abc import Mapping
from typing import Any

import attrs

from ..cvat import Gateway, Listed


@attrs.define
class Timed:
    """Sends what it is given through `gateway`; keeps the payloads, the answers and the milliseconds of each call."""

    gateway: Gateway
    milliseconds: list[float] = attrs.field(factory=list)
    answers: list[Any] = attrs.field(factory=list)
    payloads: list[Mapping[str, Any]] = attrs.field(factory=list)

    def invoke(self, function: Listed, payload: Mapping[str, Any]) -> Any:
        """One call. Raises `CvatError` where it fails."""
        self.payloads.append(payload)
        started = time.perf_counter()
        try:
            answer = self.gateway.invoke(function, payload)
        finally:
            self.milliseconds.append(1000 * (time.perf_counter() - started))
        self.answers.append(answer)
        return answer
