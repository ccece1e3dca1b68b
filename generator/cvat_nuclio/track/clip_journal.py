"""How far a run has come, kept in a file so that the same command goes on there after an interruption."""

import json
import types
import typing
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import attrs

from ..atomic import write
from ..errors import UserError
from ..private_files import cannot_keep, journal_of, open_private
from .drafts import Draft
from .subjects import Followed

VERSION = 1
T = TypeVar("T")


@attrs.define
class Progress:
    """`index`: frames of the walk that are done; `at`: the frame to which the objects were moved last.

    `drafts` by the job's id and the object's index, as texts.

    `marks`: the highest ids of a job before its tracks were sent, by which another process sees whether they came.
    `replaced`: what the tracks began with, by the job's id.
    """

    index: int = 0
    at: int | None = None
    followed: list[Followed] = attrs.field(factory=list)
    drafts: dict[str, dict[str, Draft]] = attrs.field(factory=dict)
    marks: dict[str, dict[str, int]] = attrs.field(factory=dict)
    replaced: dict[str, dict[str, list[Any]]] = attrs.field(factory=dict)
    notes: list[str] = attrs.field(factory=list)
    tracks: int = 0
    keyframes: int = 0
    masks: int = 0


@attrs.frozen
class Journal:
    path: Path

    def load(self) -> Progress | None:
        """None where no such run was interrupted. Raises UserError for a file that is damaged."""
        if not self.path.exists():
            return None
        try:
            with open_private(self.path, "r") as stream:
                kept = json.load(stream)
            if kept["version"] != VERSION:
                return None
            progress: Progress = thaw(Progress, kept["progress"])
            return progress
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(
                f"{self.path} does not tell how far the last run came", why=str(error), remedy="--fresh"
            ) from error

    def save(self, progress: Progress) -> None:
        """Whole or not at all. Raises UserError where the disk is full."""
        kept = {"version": VERSION, "progress": attrs.asdict(progress)}
        try:
            write(self.path, json.dumps(kept).encode())
        except OSError as error:
            raise cannot_keep(self.path, error) from error

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)


@contextmanager
def open_journal(identity: dict[str, Any]) -> Iterator[Journal]:
    """`identity`: all that has to be the same for a run to go on where another one ended. Raises UserError."""
    with journal_of("track", identity) as path:
        yield Journal(path)


def thaw(wanted: Any, value: Any) -> Any:
    """JSON that `attrs.asdict` gave as what it was: attrs' classes, lists, tuples, dicts by text, and plain values."""
    origin, arguments = typing.get_origin(wanted), typing.get_args(wanted)
    if origin in (types.UnionType, typing.Union):
        return None if value is None else thaw(arguments[0], value)
    if origin is list:
        return [thaw(arguments[0], each) for each in value]
    if origin is tuple:
        each = arguments[:1] * len(value) if arguments[-1] is Ellipsis else arguments
        return tuple(thaw(one, item) for one, item in zip(each, value, strict=True))
    if origin is dict:
        return {key: thaw(arguments[1], item) for key, item in value.items()}
    if attrs.has(wanted):
        attrs.resolve_types(wanted)
        return wanted(**{field.alias: thaw(field.type, value[field.name]) for field in attrs.fields(wanted)})
    return value
