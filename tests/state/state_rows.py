"""States as somebody else would write them."""

from collections.abc import Sequence
from typing import Any

from aa_runtime.state import Encoded, tags
from aa_runtime.state.wire import pack


class Tag(int):
    """A tag in `row`, where plain integers are scalars. `FLAT` makes one of a node whose parts have none."""

    def __or__(self, other: int) -> "Tag":
        return Tag(int(self) | int(other))


SCALAR = Tag(tags.SCALAR)
LIST = Tag(tags.LIST)
TUPLE = Tag(tags.TUPLE)
SET = Tag(tags.SET)
DEQUE = Tag(tags.DEQUE)
DICT = Tag(tags.DICT)
OBJECT = Tag(tags.OBJECT)
VALUE = Tag(tags.VALUE)
ENUM = Tag(tags.ENUM)
NAMED_TUPLE = Tag(tags.NAMED_TUPLE)
ARRAY = Tag(tags.ARRAY)
NUMBER = Tag(tags.NUMBER)
TENSOR = Tag(tags.TENSOR)
REFERENCE = Tag(tags.REFERENCE)
FLAT = Tag(tags.FLAT)


def row(*parts: Any, classes: Sequence[Any] = (0,), bulk: bytes = b"") -> Encoded:
    """Tags and scalars in the order in which they are read; `classes` is the whole table."""
    scalars = [part for part in parts if not isinstance(part, Tag)]
    return Encoded(pack(bytes(part for part in parts if isinstance(part, Tag)), [*classes, *scalars]), bulk)


def flat(tag: Tag, *parts: Any, **options: Any) -> Encoded:
    """A state of one node whose parts are scalars."""
    return row(tag | FLAT, len(parts), *parts, **options)
