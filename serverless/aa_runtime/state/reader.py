"""A flat row of values → a state. The row may be a stranger's: every step is checked, and only classes of
the table are made, without calling anything that they define but their keys' hash and equality."""

import struct
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from typing import Any, Final

from aa_runtime.state import foreign, tags
from aa_runtime.state.classes import ClassTable, StateClass
from aa_runtime.state.faults import DecodeError
from aa_runtime.state.tags import Tag
from aa_runtime.state.wire import MAX_DEPTH, MAX_VALUES

_DAMAGED: Final = "damaged"
#: Python's integers and tuples of them can be chosen to collide; a dict of n such keys takes n * n steps.
_MAX_EQUAL_HASHES: Final = 64
_ITEM_BYTES: Final = {"B": 1, "h": 2, "i": 4, "q": 8, "f": 4, "d": 8}


class Reader:
    """Reads one state from `row`, of which the first values name the classes."""

    def __init__(self, row: list[Any], table: ClassTable) -> None:
        self._row = row
        self._at = 0
        self._packed = 0
        self._shared: list[Any] = []
        self._classes = [table.named(name) for name in self.scalars()]

    def read(self, depth: int = 0) -> Any:
        """The next value. DecodeError when there is none, or none that makes sense."""
        value = self.next()
        if type(value) is not Tag:
            return value
        if depth > MAX_DEPTH:
            raise DecodeError(_DAMAGED)
        read = _READ.get(value)
        if read is None:
            raise DecodeError(_DAMAGED)
        made = read(self, depth)
        if value.shared:
            self.share(made)
        return made

    def share(self, made: Any) -> None:
        """Lets references name a value that has just ended."""
        self._shared.append(made)

    def end(self) -> None:
        """DecodeError unless the row is used up."""
        if self._at != len(self._row):
            raise DecodeError(_DAMAGED)

    def next(self) -> Any:
        try:
            value = self._row[self._at]
        except IndexError:
            raise DecodeError(_DAMAGED) from None
        self._at += 1
        return value

    def scalars(self) -> list[Any]:
        """A count and that many scalars."""
        count = self.count()
        items = self._row[self._at : self._at + count]
        self._at += count
        if Tag in set(map(type, items)):
            raise DecodeError(_DAMAGED)
        return items

    def count(self) -> int:
        value = self.next()
        if type(value) is not int or not 0 <= value <= len(self._row) - self._at:
            raise DecodeError(_DAMAGED)
        return value

    def run(self, depth: int) -> list[Any]:
        """The items of a container."""
        tag = self.next()
        if tag is tags.SCALAR_ITEMS:
            return self.scalars()
        if tag is tags.PACKED_ITEMS:
            return self._unpack(self.next(), self.blob())
        if tag is not tags.ITEMS:
            raise DecodeError(_DAMAGED)
        return [self.read(depth + 1) for _ in range(self.count())]

    def blob(self) -> bytes:
        value = self.next()
        if type(value) is not bytes:
            raise DecodeError(_DAMAGED)
        return value

    def state_class(self, tag: Tag) -> StateClass:
        index = self.next()
        if type(index) is not int or not 0 <= index < len(self._classes) or self._classes[index].tag is not tag:
            raise DecodeError(_DAMAGED)
        return self._classes[index]

    def shared(self) -> Any:
        index = self.next()
        if type(index) is not int or not 0 <= index < len(self._shared):
            raise DecodeError(_DAMAGED)
        return self._shared[index]

    def _unpack(self, code: Any, data: bytes) -> list[Any]:
        size = _ITEM_BYTES.get(code) if type(code) is str else None
        if size is None or len(data) % size:
            raise DecodeError(_DAMAGED)
        self._packed += len(data) // size
        if self._packed > MAX_VALUES:
            raise DecodeError(f"more than {MAX_VALUES} values")
        return list(data) if code == "B" else list(struct.unpack(f"<{len(data) // size}{code}", data))


_Read = Callable[[Reader, int], Any]


def _hashable(items: list[Any]) -> list[Any]:
    """The items, unless far too many of them have one hash."""
    if len(items) > _MAX_EQUAL_HASHES:
        (_, equal), *_ = Counter(map(hash, items)).most_common(1)
        if equal > _MAX_EQUAL_HASHES:
            raise DecodeError(_DAMAGED)
    return items


def _read_deque(reader: Reader, depth: int) -> deque[Any]:
    longest = reader.next()
    if longest is not None and (type(longest) is not int or not 0 <= longest < 2**63):
        raise DecodeError(_DAMAGED)
    return deque(reader.run(depth), longest)


def _read_items(reader: Reader, depth: int) -> list[tuple[Any, Any]]:
    keys = _hashable(reader.run(depth))
    values = reader.run(depth)
    if len(keys) != len(values):
        raise DecodeError(_DAMAGED)
    return list(zip(keys, values, strict=True))


def _read_complex(reader: Reader, depth: int) -> complex:
    real, imaginary = reader.next(), reader.next()
    if type(real) is not float or type(imaginary) is not float:
        raise DecodeError(_DAMAGED)
    return complex(real, imaginary)


def _read_object(reader: Reader, depth: int) -> Any:
    known = reader.state_class(tags.OBJECT)
    names, values = reader.run(depth), reader.run(depth)
    if len(names) != len(values) or not all(type(name) is str and known.accepts(name) for name in names):
        raise DecodeError(_DAMAGED)
    made: object = object.__new__(known.cls)
    for name, value in zip(names, values, strict=True):
        object.__setattr__(made, name, value)
    if known.shareable:
        reader.share(made)
    return made


def _read_enum(reader: Reader, depth: int) -> Any:
    known = reader.state_class(tags.ENUM)
    members: Any = known.cls.__members__  # type: ignore[attr-defined]
    member = members.get(reader.next())
    if member is None:
        raise DecodeError(_DAMAGED)
    return member


def _read_flag(reader: Reader, depth: int) -> Any:
    known = reader.state_class(tags.FLAG)
    value = reader.next()
    # Bits that no member has would make the class remember a member for each such value.
    if type(value) is not int or value & ~known.cls._flag_mask_:  # type: ignore[attr-defined]
        raise DecodeError(_DAMAGED)
    return known.cls(value)


def _read_named_tuple(reader: Reader, depth: int) -> Any:
    known = reader.state_class(tags.NAMED_TUPLE)
    items = reader.run(depth)
    if len(items) != len(known.fields):
        raise DecodeError(_DAMAGED)
    return tuple.__new__(known.cls, items)


def _read_foreign(tag: Tag) -> _Read:
    def read(reader: Reader, depth: int) -> Any:
        return foreign.adapter_for(tag).put_together(reader.scalars())

    return read


_READ: Final[dict[Tag, _Read]] = {
    tags.LIST: lambda reader, depth: reader.run(depth),
    tags.TUPLE: lambda reader, depth: tuple(reader.run(depth)),
    tags.SET: lambda reader, depth: set(_hashable(reader.run(depth))),
    tags.FROZENSET: lambda reader, depth: frozenset(_hashable(reader.run(depth))),
    tags.DEQUE: _read_deque,
    tags.DICT: lambda reader, depth: dict(_read_items(reader, depth)),
    tags.ORDERED_DICT: lambda reader, depth: OrderedDict(_read_items(reader, depth)),
    tags.BYTEARRAY: lambda reader, depth: bytearray(reader.blob()),
    tags.COMPLEX: _read_complex,
    tags.REFERENCE: lambda reader, depth: reader.shared(),
    tags.OBJECT: _read_object,
    tags.ENUM: _read_enum,
    tags.FLAG: _read_flag,
    tags.NAMED_TUPLE: _read_named_tuple,
    **{tag: _read_foreign(tag) for tag in (tags.ARRAY, tags.ARRAY_SCALAR, tags.IMAGE, tags.TENSOR)},
}
