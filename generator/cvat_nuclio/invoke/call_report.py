"""What one invocation found, before it is printed or drawn."""

import time
from collections.abc import Mapping
from typing import Any

import attrs

from ..cvat import CvatError, Gateway, Generation, Listed, ListingError, Task
from ..cvat.drops import Drop
from ..errors import UserError
from .frame_files import Frame


@attrs.frozen
class Kept:
    """One annotation that CVAT would keep: where it is, what it is, and what is wrong with it all the same."""

    frame: int
    type: str
    label: str
    points: tuple[float, ...] = attrs.field(default=(), repr=False)
    rotation: float = 0.0
    group: int | None = None
    attributes: dict[str, str] = attrs.field(factory=dict)
    elements: "tuple[Kept, ...]" = ()
    outside: bool = False
    track: int | None = None
    confidence: float | None = None
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        body = attrs.asdict(self, filter=lambda field, value: field.name != "elements")
        if self.elements:
            body["elements"] = [element.to_dict() for element in self.elements]
        return body


@attrs.define
class Timed:
    """Sends what it is given through `gateway`; keeps the milliseconds, answers and payloads of all calls.

    Pictures are kept of the `last` payload alone: a tracker's would be the whole clip again.
    """

    gateway: Gateway
    milliseconds: list[float] = attrs.field(factory=list)
    answers: list[Any] = attrs.field(factory=list, repr=False)
    payloads: list[dict[str, Any]] = attrs.field(factory=list, repr=False)
    last: Mapping[str, Any] = attrs.field(factory=dict, repr=False)

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


@attrs.define
class Report:
    """One invocation. `fault` says what CVAT's user would see where the call fails, `causes` why."""

    function: Listed
    generation: Generation
    frames: list[Frame]
    task: Task
    calls: Timed
    kept: list[Kept] = attrs.field(factory=list)
    dropped: list[Drop] = attrs.field(factory=list)
    notes: list[str] = attrs.field(factory=list)
    fault: str = ""
    causes: list[str] = attrs.field(factory=list)
    fatal: bool = False

    @property
    def failed(self) -> bool:
        """Whether CVAT would fail on the answer, or could not open what it stored."""
        return bool(self.fault) or self.fatal

    def to_dict(self) -> dict[str, Any]:
        return {
            "function": self.function.id,
            "kind": self.function.kind,
            "cvat": self.generation.value,
            "requests": self.calls.payloads,
            "answers": self.calls.answers,
            "milliseconds": [round(ms, 1) for ms in self.calls.milliseconds],
            "kept": [kept.to_dict() for kept in self.kept],
            "dropped": [attrs.asdict(drop) for drop in self.dropped],
            "notes": self.notes,
            "error": {"cvat": self.fault, "causes": self.causes} if self.fault else None,
        }


def fault_text(error: CvatError, *, job: bool) -> str:
    """What CVAT's user sees of an error."""
    where = "the job fails" if job else f"the call answers {error.http_status}"
    words = error.message if error.handled or job else "the page 'Server Error (500)' and nothing else"
    detail = "" if error.handled or job else f" ({error.name}: {error.message})"
    return f"{where}: {error.name + ': ' if job else ''}{words}{detail}"


def unlistable(error: ListingError, generation: Generation) -> UserError:
    """What a user is told of a function that CVAT cannot list."""
    effect = "the whole list of functions fails" if error.breaks_list else "CVAT hides the function"
    return UserError(
        f"CVAT {generation.value} cannot list the function: {effect}",
        why=f"{error.name}: {error.message}",
        remedy="cvat-nuclio check says what to write",
    )
