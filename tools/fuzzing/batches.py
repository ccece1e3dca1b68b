"""Runs cases in batches, each of which one number repeats."""

import json
import random
from collections.abc import Iterator
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from . import strategies
from .fuzz_target import Target, foreign_tokens
from .mutate import mutated
from .strategies import CONTENT_TYPES

#: Requests of a batch, and of one structure: itself and copies with broken bytes.
BATCH = 1000
_COPIES = 4


class Batches:
    """The cases of one kind, sent to one worker."""

    def __init__(self, kind: str) -> None:
        self.target = Target(kind)
        self._bodies = _bodies(self.target)
        self.sent = 0

    def run(self, number: int) -> None:
        """Sends batch `number`. Finding when an answer must not be; the message ends with the shrunk request."""

        @seed(number)
        @settings(
            max_examples=BATCH // _COPIES,
            database=None,
            deadline=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        )
        @given(self._bodies, st.sampled_from(CONTENT_TYPES), st.integers(0, 2**32))
        def send(body: Any, content_type: str, chance: int) -> None:
            for data in _variants(body, chance):
                self.sent += 1
                self.target.check(data, content_type)

        send()


def _variants(body: Any, chance: int) -> Iterator[bytes]:
    data = json.dumps(body).encode()
    yield data
    source = random.Random(chance)  # noqa: S311
    for _ in range(_COPIES - 1):
        yield mutated(data, source)


def _bodies(target: Target) -> st.SearchStrategy[Any]:
    if target.kind == "tracker":
        return strategies.track(target.tokens, foreign_tokens())
    return {"detector": strategies.detect, "interactor": strategies.interact, "reid": strategies.reid}[target.kind]
