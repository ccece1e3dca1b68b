"""What one invocation found, before it is printed or drawn."""

from collections.abc import Mapping
from typing import Any

import attrs

from ..cvat import CvatError, Generation, Listed, ListingError, Task
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
        """For `--json`."""
        body = attrs.asdict(self, filter=lambda field, value: field.name != "elements")
        if self.elements:
            body["elements"] = [element.to_dict() for element in self.elements]
        return body


@attrs.define
class Report:
    """One invocation. `fault` says what CVAT's user would see where the call fails, `causes` why."""

    function: Listed
    generation: Generation
    frames: list[Frame]
    task: Task
    kept: list[Kept] = attrs.field(factory=list)
    dropped: list[Drop] = attrs.field(factory=list)
    notes: list[str] = attrs.field(factory=list)
    fault: str = ""
    causes: list[str] = attrs.field(factory=list)
    fatal: bool = False
    milliseconds: list[float] = attrs.field(factory=list)
    requests: list[dict[str, Any]] = attrs.field(factory=list, repr=False)
    answers: list[Any] = attrs.field(factory=list, repr=False)
    payload: Mapping[str, Any] = attrs.field(factory=dict, repr=False)
    """The last body that was sent, with its images."""

    @property
    def failed(self) -> bool:
        """Whether CVAT would fail on the answer, or could not open what it stored."""
        return bool(self.fault) or self.fatal

    def to_dict(self) -> dict[str, Any]:
        """The document that `--json` prints."""
        return {
            "function": self.function.id,
            "kind": self.function.kind,
            "cvat": self.generation.value,
            "requests": self.requests,
            "answers": self.answers,
            "milliseconds": [round(ms, 1) for ms in self.milliseconds],
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
