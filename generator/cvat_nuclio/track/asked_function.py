"""A function asked about frames as CVAT asks it, in this process's own pace.

The requests and the reading of answers are the model's (`cvat`). One thing differs from CVAT's page: a lost object may
be answered by null, on which the page would fail for all objects of the request.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from ..cvat import CvatError, Generation, Listed, Server, Task, TaskLabel
from ..cvat.interpolation import Placed
from ..cvat.server import Invoker
from ..errors import UserError
from ..invoke.answer_causes import causes
from .subjects import Leaf

#: Seconds before a request that failed is sent again: a worker that died is back in a moment.
PAUSES = (1.0, 5.0, 15.0)


class RefusedError(UserError):
    """The function took the request itself for wrong: HTTP 400 to 499. Sent again it would be refused again."""


@attrs.frozen
class _Asking:
    """An invoker that asks for null of what is lost."""

    invoker: Invoker

    def invoke(self, function: Listed, payload: Mapping[str, Any]) -> Any:
        more = {"lost_shape": "null"} if function.kind == "tracker" else {}
        return self.invoker.invoke(function, {**payload, **more})


@attrs.define
class Function:
    """One function in front of one task's frames. `size` is how many the task has."""

    listed: Listed
    server: Server
    labels: Sequence[TaskLabel]
    size: int
    pauses: Sequence[float] = PAUSES

    @classmethod
    def of(
        cls, listed: Listed, invoker: Invoker, generation: Generation, labels: Sequence[TaskLabel], size: int
    ) -> "Function":
        """`invoker` sends the payloads, as a gateway does."""
        return cls(listed, Server(generation, _Asking(invoker)), labels, size)

    def ask(self, pictures: Mapping[int, bytes], body: Mapping[str, Any]) -> Any:
        """One call about frames whose pictures are given. Raises UserError, after some tries."""
        task = Task(tuple(self.labels), self.size, lambda frame: pictures[frame])
        for pause in (*self.pauses, None):
            try:
                return self.server.call(self.listed, task, body)
            except CvatError as error:
                if pause is None or not _passing(error):
                    raise self._failed(max(pictures), error) from error
            finally:
                self.server.drops.found.clear()
            time.sleep(pause)
        raise AssertionError

    def _failed(self, frame: int, error: CvatError) -> UserError:
        told = [f"{error.name}: {error.message}", *causes(error)]
        kind = RefusedError if error.http_status < 500 else UserError
        return kind(
            f"{self.listed.id} failed on frame {frame}",
            why="; ".join(told),
            remedy="see the function's log; then the same command goes on where it was",
        )


def _passing(error: CvatError) -> bool:
    """No answer, or a worker that ended, ran out of time or was not free. What CVAT refuses fails again."""
    return (error.exception or "").startswith("requests.") and error.http_status >= 500


@attrs.frozen
class Tracker:
    function: Function

    def start(self, frame: int, picture: bytes, leaves: Sequence[Leaf]) -> None:
        """Shows the function where objects are; their states are set."""
        shapes = [{"type": leaf.place.type, "points": list(leaf.place.points)} for leaf in leaves]
        answer = self.function.ask({frame: picture}, {"frame": frame, "shapes": shapes})
        for leaf, state in zip(leaves, _listed(answer, "states", len(leaves)), strict=True):
            leaf.state = state

    def follow(self, frame: int, picture: bytes, leaves: Sequence[Leaf]) -> None:
        """Moves all that were started to where they are now; hides what is lost. One request."""
        answer = self.function.ask({frame: picture}, {"frame": frame, "states": [leaf.state for leaf in leaves]})
        shapes, states = (_listed(answer, key, len(leaves)) for key in ("shapes", "states"))
        for leaf, shape, state in zip(leaves, shapes, states, strict=True):
            leaf.state = state
            leaf.hidden = shape is None
            if shape is not None:
                leaf.place = Placed(leaf.place.type, tuple(map(float, shape["points"])), leaf.place.rotation)


def _listed(answer: Any, key: str, count: int) -> list[Any]:
    values = answer.get(key) if isinstance(answer, Mapping) else None
    if not isinstance(values, list) or len(values) != count:
        raise UserError(
            "the tracker's answer does not fit the request",
            why=f"it needs {count} {key}, one for each object",
            remedy="cvat-nuclio check says how a tracker answers",
        )
    return values
