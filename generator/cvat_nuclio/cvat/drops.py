"""What CVAT drops without a word: collected so that a user can be told."""

from collections.abc import Iterator
from contextlib import contextmanager

import attrs


@attrs.frozen
class Drop:
    """One thing dropped: which item of the answer (its index, None for the whole answer) and why."""

    item: int | None
    reason: str


@attrs.define
class Drops:
    """Collects drops; `item` names the item at hand."""

    found: list[Drop] = attrs.field(factory=list)
    _item: int | None = None
    _prefix: str = ""

    def add(self, reason: str) -> None:
        self.found.append(Drop(self._item, self._prefix + reason))

    @contextmanager
    def of(self, item: int | None) -> Iterator[None]:
        """Everything noted inside belongs to that item."""
        before, self._item = self._item, item
        try:
            yield
        finally:
            self._item = before

    @contextmanager
    def within(self, name: object) -> Iterator[None]:
        """Everything noted inside belongs to that element of the item at hand."""
        before, self._prefix = self._prefix, f"{self._prefix}element {name!r}: "
        try:
            yield
        finally:
            self._prefix = before
