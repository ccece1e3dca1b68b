"""A bundle's files on disk: which are new, changed, edited by the user; and `cvat-nuclio.sums`, which tells."""

import difflib
import hashlib
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

import attrs

from .. import atomic
from ..atomic import Content
from ..errors import UserError

SUMS = "cvat-nuclio.sums"


class State(StrEnum):
    """What happens to a file."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    EDITED = "edited"
    GONE = "removed"


@attrs.frozen(kw_only=True)
class Change:
    """One file: its path below the bundle's folder, and what a run does to it."""

    path: str
    state: State
    content: Content | None
    """None for a file that goes."""
    summary: str = ""


@attrs.frozen(kw_only=True)
class Plan:
    """What a run would write."""

    folder: Path
    changes: tuple[Change, ...]
    recorded: Mapping[str, str]

    def of(self, *states: State) -> list[Change]:
        """The changes of one state."""
        return [change for change in self.changes if change.state in states]

    def write(self, *, force: bool) -> None:
        """Writes what differs; edited files only with `force`. Raises OSError, and then nothing has changed."""
        states = (State.NEW, State.CHANGED, State.EDITED) if force else (State.NEW, State.CHANGED)
        files = {self.folder / change.path: change.content for change in self.of(*states) if change.content is not None}
        sums = self._sums(force).encode()
        if not (self.folder / SUMS).is_file() or (self.folder / SUMS).read_bytes() != sums:
            files[self.folder / SUMS] = sums
        atomic.write_all(files)
        for change in self.changes:
            if change.content is None and (force or change.state is State.GONE):
                (self.folder / change.path).unlink(missing_ok=True)

    def _sums(self, force: bool) -> str:
        sums = {}
        for change in self.changes:
            kept = change.state is State.EDITED and not force
            if kept and change.path in self.recorded:
                sums[change.path] = self.recorded[change.path]
            elif not kept and change.content is not None:
                sums[change.path] = digest(change.content)
        return sums_text(sums)


def plan(folder: Path, files: Mapping[str, Content]) -> Plan:
    """Compares what shall be with what is. Raises UserError where a file would lie outside of the folder."""
    recorded = read_sums(folder / SUMS)
    for path in {*files, *recorded}:
        _check_inside(folder, path)
    changes = [_change(folder, path, content, recorded) for path, content in sorted(files.items())]
    changes += [_leftover(folder, path, recorded) for path in sorted(set(recorded) - set(files))]
    return Plan(folder=folder, changes=tuple(changes), recorded=recorded)


def sums_text(sums: Mapping[str, str]) -> str:
    """The sums of files, by path, in the form of `sha256sum`."""
    return "".join(f"{value}  {path}\n" for path, value in sorted(sums.items()))


def read_sums(path: Path) -> dict[str, str]:
    """What `sums_text` gave; nothing where there is no such file. Raises UserError."""
    if not path.is_file():
        return {}
    sums = {}
    for line in path.read_text("utf-8").splitlines():
        value, gap, name = line.partition("  ")
        if not gap or len(value) != 64 or Path(name).is_absolute() or ".." in Path(name).parts:
            raise UserError(
                f"{path} is damaged", why=f"it says {line!r}", remedy="delete it, and regenerate with --force"
            )
        sums[name] = value
    return sums


def _check_inside(folder: Path, path: str) -> None:
    """Links are followed first: a linked folder in a bundle may lead anywhere, and files are written and removed there.

    A file that is itself a link is only replaced or removed; what it leads to stays.
    """
    parent = (folder / path).parent
    if not parent.resolve().is_relative_to(folder.resolve()):
        raise UserError(
            f"{folder / path} lies outside of the bundle",
            why=f"a link leads to {parent.resolve()}",
            remedy="put a folder in the place of the link",
        )


def digest(content: Content) -> str:
    """SHA-256, in hexadecimal."""
    if isinstance(content, Path):
        with content.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    return hashlib.sha256(content).hexdigest()


def _change(folder: Path, path: str, content: Content, recorded: Mapping[str, str]) -> Change:
    target = folder / path
    if target.is_dir():
        raise UserError(f"{target} is a folder, where a file has to go", remedy="move it away")
    if not target.exists():
        return Change(path=path, state=State.NEW, content=content)
    now, wanted = digest(target), digest(content)
    if now == wanted:
        return Change(path=path, state=State.SAME, content=content)
    state = State.CHANGED if now == recorded.get(path) else State.EDITED
    return Change(path=path, state=state, content=content, summary=_summary(target, content))


def _leftover(folder: Path, path: str, recorded: Mapping[str, str]) -> Change:
    """A file of an earlier run that this one has no use for."""
    target = folder / path
    state = State.EDITED if target.is_file() and digest(target) != recorded[path] else State.GONE
    return Change(path=path, state=state, content=None)


def _summary(old: Path, new: Content) -> str:
    try:
        before = old.read_text("utf-8").splitlines()
        after = (new.read_bytes() if isinstance(new, Path) else new).decode().splitlines()
    except UnicodeDecodeError:
        return "binary"
    lines = list(difflib.unified_diff(before, after, lineterm="", n=0))[2:]
    plus, minus = (sum(line.startswith(sign) for line in lines) for sign in "+-")
    return f"+{plus} -{minus}"
