"""Everything found is stored: job by job, in requests of some thousand objects, each once."""

from collections.abc import Callable, Iterator
from typing import Any

import attrs

from ..cvat_server import Annotations, Connection, Job, Marks, Scope
from .frame_call import KINDS
from .frame_journal import Journal, Part

MOST = 2000
"""Objects of one request: about a second of the server's time."""


@attrs.define
class Storing:
    """Stores what a journal holds for the jobs of one task. `clear`: what stood on the frames before goes away, after.

    Tracks stay as they are.
    """

    connection: Connection
    scope: Scope
    journal: Journal
    clear: bool = False

    def run(self, advance: Callable[[int], None]) -> None:
        """Stores all that is not stored yet; `advance` is told the number of frames. Raises UserError."""
        if self.journal.sending:
            self._send(self.journal.sending, again=True)
        for job in self.scope.jobs:
            for frames in self._parts(job):
                self._store(job, frames)
                advance(len(frames))

    def _parts(self, job: Job) -> Iterator[tuple[int, ...]]:
        chosen: list[int] = []
        count = 0
        for frame in self.scope.frames:
            done = frame in self.journal.found and (job.id, frame) not in self.journal.stored
            if frame not in job.frames or not done:
                continue
            size = sum(len(objects) for objects in self.journal.read(frame).values())
            if chosen and count + size > MOST:
                yield tuple(chosen)
                chosen, count = [], 0
            chosen.append(frame)
            count += size
        if chosen:
            yield tuple(chosen)

    def _store(self, job: Job, frames: tuple[int, ...]) -> None:
        there = Annotations(self.connection, job.id).get()
        chosen = set(frames)
        old = {kind: [each["id"] for each in there[kind] if each["frame"] in chosen] for kind in KINDS}
        part = Part(job.id, frames, attrs.asdict(Marks.of(there)), old if self.clear else {})
        self.journal.begin(part)
        self._send(part)

    def _send(self, part: Part, *, again: bool = False) -> None:
        annotations = Annotations(self.connection, part.job)
        annotations.add(self._data(part), Marks(**part.marks), again=again)
        if any(part.old.values()):
            there = annotations.get()
            annotations.remove(
                {kind: [each for each in there[kind] if each["id"] in set(part.old[kind])] for kind in KINDS}
            )
        self.journal.end()

    def _data(self, part: Part) -> dict[str, list[dict[str, Any]]]:
        frames = [self.journal.read(frame) for frame in part.frames]
        return {kind: [each for frame in frames for each in frame[kind]] for kind in KINDS}
