"""A task's side of a call: its labels with their ids, and its frames."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import attrs

from .spec import ModelLabel


@attrs.frozen
class TaskAttribute:
    """An attribute of a task's label. `values` as CVAT keeps them; number: min, max, step.

    A `mutable` one may change along a track: there it belongs to the track's shapes.
    """

    id: int
    name: str
    input_type: str
    values: tuple[str, ...]
    default_value: str
    mutable: bool = False

    @property
    def stored_values(self) -> str:
        """The column of the database, in which CVAT looks select and radio values up as substrings."""
        return "\n".join(self.values)


@attrs.frozen
class TaskLabel:
    id: int
    name: str
    type: str = "any"
    attributes: tuple[TaskAttribute, ...] = ()
    sublabels: "tuple[TaskLabel, ...]" = ()

    def attribute(self, name: str) -> TaskAttribute | None:
        return next((a for a in self.attributes if a.name == name), None)


@attrs.define
class Task:
    """A task: labels, and frames as the bytes that CVAT would send (see `frames`).

    `image(frame)` is called for one frame at a time. `deleted` frames are skipped by batch jobs.
    """

    labels: tuple[TaskLabel, ...]
    size: int
    image: Callable[[int], bytes] = attrs.field(repr=False)
    deleted: frozenset[int] = frozenset()

    @classmethod
    def of(cls, labels: Iterable[TaskLabel], images: Sequence[bytes]) -> "Task":
        return cls(tuple(labels), len(images), lambda frame: images[frame])

    def label_by_id(self, label_id: int) -> TaskLabel | None:
        """The label or sublabel with that id."""
        nested = itertools.chain(self.labels, *(label.sublabels for label in self.labels))
        return next((label for label in nested if label.id == label_id), None)


def labels_from_spec(labels: Iterable[ModelLabel]) -> tuple[TaskLabel, ...]:
    """The task labels that a user gets with the UI's "pick labels from model"."""
    ids = itertools.count(1)
    return tuple(_task_label(label, ids) for label in labels)


def _task_label(label: ModelLabel, ids: Iterator[int]) -> TaskLabel:
    return TaskLabel(
        next(ids),
        str(label.name),
        "any" if label.type == "unknown" else str(label.type),
        tuple(
            TaskAttribute(next(ids), str(a.name), str(a.input_type), _values(a.values), _default(a))
            for a in label.attributes
        ),
        tuple(_task_label(sublabel, ids) for sublabel in label.sublabels or ()),
    )


def _values(values: Any) -> tuple[str, ...]:
    return tuple(str(value) for value in values or ())


def _default(attribute: Any) -> str:
    values = _values(attribute.values)
    return values[0] if values else {"checkbox": "false", "number": "0"}.get(attribute.input_type, "")
