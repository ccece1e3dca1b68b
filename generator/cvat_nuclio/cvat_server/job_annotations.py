"""Annotations of jobs: read, added once and no more, removed by their ids.

CVAT takes a request whole or not at all, but its answer may be lost on the way, and a second try would store
everything twice: cvat-sdk never repeats a PATCH. So whoever adds notes the highest ids beforehand (`Marks`), and after
a lost answer looks whether what it sent stands above them. PUT is never used: beside another writer it loses or
doubles; adding and removing by id do neither.
"""

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from ..cvat.storage import Collection
from .connection import Connection
from .refusals import Unreachable

KINDS = ("tags", "shapes", "tracks")
SETTLE = 10.0
"""Seconds in which a request whose answer was lost is through at the server, or will never be."""
LOOK_EVERY = 1.0


@attrs.frozen
class Marks:
    """The highest id of each kind in a job: what is added later has higher ones."""

    tags: int = 0
    shapes: int = 0
    tracks: int = 0

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> "Marks":
        """Of annotations as `Annotations.get` gives them."""
        return cls(*(max((each["id"] for each in found[kind]), default=0) for kind in KINDS))

    def above(self, found: Mapping[str, Any]) -> Collection:
        """Those that were added since."""
        return {kind: [each for each in found[kind] if each["id"] > getattr(self, kind)] for kind in KINDS}


@attrs.frozen
class Annotations:
    """The annotations of one job: `{tags, shapes, tracks}`, each a list of CVAT's own objects."""

    connection: Connection
    job_id: int

    def get(self) -> Collection:
        """All of them, in no order."""
        found = self.connection.get(self._path)
        return {kind: found[kind] for kind in KINDS}

    def add(self, data: Mapping[str, Any], before: Marks, *, again: bool = False) -> None:
        """Stores all of `data` (without ids) or nothing of it, once, whatever becomes of the answer.

        `before`: the marks of the job before the first try; `again`: an earlier process may have made it, and not have
        lived to hear the answer. Frames outside of the job would be stored all the same: see to them.
        Raises Refused, or Unreachable where nothing is known.
        """
        if not any(data.values()) or (again and self.has(data, before)):
            return
        while True:
            try:
                self.connection.send("PATCH", self._path, {"action": "create"}, data)
            except Unreachable as lost:
                if self._settled(data, before, lost):
                    return
            else:
                return

    def _settled(self, data: Mapping[str, Any], before: Marks, lost: Unreachable) -> bool:
        """Whether the request was stored. False only when it is not, and can no longer be."""
        until = time.monotonic() + (SETTLE if lost.sent else 0.0)
        while True:
            if self.has(data, before):
                return True
            if time.monotonic() >= until:
                return False
            time.sleep(LOOK_EVERY)

    def has(self, data: Mapping[str, Any], before: Marks) -> bool:
        """Whether all of `data` was added after `before`."""
        return not Counter(_keys(data)) - Counter(_keys(before.above(self.get())))

    def remove(self, found: Mapping[str, Any]) -> None:
        """Removes annotations that `get` gave. What is gone already is no error, so it may be done twice."""
        body = {kind: list(found.get(kind, ())) for kind in KINDS}
        if any(body.values()):
            self.connection.patiently(lambda: self.connection.send("PATCH", self._path, {"action": "delete"}, body))

    @property
    def _path(self) -> str:
        return f"jobs/{self.job_id}/annotations"


def _keys(data: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    """What tells an annotation from another, equal before and after the database."""
    for kind in KINDS:
        for each in data.get(kind, ()):
            yield kind, each["frame"], each["label_id"], each.get("type"), *_places(each)


def _places(annotation: Mapping[str, Any]) -> Iterator[Any]:
    yield tuple(round(float(point), 3) for point in annotation.get("points") or ())
    for shape in annotation.get("shapes", ()):
        yield shape["frame"], bool(shape.get("outside")), *_places(shape)
