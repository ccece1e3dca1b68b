"""What of a run is done, kept on disk from one process to the next, so that nothing is computed or stored twice.

One JSON object a line. `frame` and `data`: a frame's annotations; `failed`: why it has none. `sending`: a part is about
to be stored in a job, with what stood there before; `sent`: it is stored. A last line that was cut short is dropped.
"""

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import attrs

from ..private_files import cannot_keep, journal_of, open_private


@attrs.frozen
class Part:
    """Frames of one job whose annotations are stored in one request. `marks`: the highest ids before it.

    `old`: ids of annotations on these frames that are removed after it, by kind.
    """

    job: int
    frames: tuple[int, ...]
    marks: Mapping[str, int]
    old: Mapping[str, list[int]] = attrs.field(factory=dict)


@attrs.define
class Journal:
    """The journal of one run.

    `found` has the place of each frame's line, `failed` causes, `stored` (job, frame), `objects` how many were found.
    """

    file: IO[str]
    path: Path
    found: dict[int, int] = attrs.field(factory=dict)
    objects: Counter[str] = attrs.field(factory=Counter)
    failed: dict[int, str] = attrs.field(factory=dict)
    stored: set[tuple[int, int]] = attrs.field(factory=set)
    sending: Part | None = None

    def keep(self, frame: int, data: Mapping[str, Any]) -> None:
        self._found(frame, data, self._write({"frame": frame, "data": data}))

    def leave_out(self, frame: int, cause: str) -> None:
        """A frame failed; the next run tries it again."""
        self._write({"frame": frame, "failed": cause})
        self.failed[frame] = cause

    def read(self, frame: int) -> dict[str, list[dict[str, Any]]]:
        with open_private(self.path, "r") as file:
            file.seek(self.found[frame])
            return json.loads(file.readline())["data"]  # type: ignore[no-any-return]

    def begin(self, part: Part) -> None:
        """A part is about to be stored: on disk before the request leaves."""
        self._write({"sending": attrs.asdict(part)})
        os.fsync(self.file.fileno())
        self.sending = part

    def end(self) -> None:
        """The part is stored, and what it replaces is gone."""
        assert self.sending is not None  # noqa: S101
        self._write({"sent": True})
        self.stored |= {(self.sending.job, frame) for frame in self.sending.frames}
        self.sending = None

    def forget(self) -> None:
        """All is stored: nothing is left to go on with."""
        self.path.unlink(missing_ok=True)

    def _found(self, frame: int, data: Mapping[str, Any], place: int) -> None:
        self.found[frame] = place
        self.failed.pop(frame, None)
        self.objects.update({kind: len(objects) for kind, objects in data.items()})

    def _write(self, line: Mapping[str, Any]) -> int:
        """Where the line begins. Writes all of it or nothing; raises UserError."""
        number, content = self.file.fileno(), json.dumps(line).encode() + b"\n"
        place = os.lseek(number, 0, os.SEEK_END)
        try:
            rest = memoryview(content)
            while rest:
                rest = rest[os.write(number, rest) :]
        except OSError as error:
            os.ftruncate(number, place)
            raise cannot_keep(self.path, error) from error
        return place

    def _load(self) -> None:
        place = 0
        with open_private(self.path, "r") as file:
            while line := file.readline():
                if not line.endswith("\n"):
                    break
                self._take(json.loads(line), place)
                place = file.tell()
        self.file.truncate(place)

    def _take(self, line: Mapping[str, Any], place: int) -> None:
        match line:
            case {"frame": frame, "data": data}:
                self._found(frame, data, place)
            case {"frame": frame, "failed": cause}:
                self.failed[frame] = cause
            case {"sending": part}:
                self.sending = Part(part["job"], tuple(part["frames"]), part["marks"], part["old"])
            case {"sent": True} if self.sending:
                self.stored |= {(self.sending.job, frame) for frame in self.sending.frames}
                self.sending = None


@contextmanager
def open_journal(about: Mapping[str, Any], *, fresh: bool = False) -> Iterator[Journal]:
    """The journal of the run that `about` describes; `fresh` forgets an earlier one."""
    with journal_of("annotate", about) as path, open_private(path, "a") as file:
        if fresh:
            file.truncate(0)
        journal = Journal(file, path)
        journal._load()
        yield journal
