"""Tags, scalars and bytes → a state. They may be a stranger's: every step is checked, and only classes of the table
are made, without calling anything that they define but the hash and equality of keys."""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from typing import Any, Final, NoReturn

from aa_runtime.state import foreign, keys, tags
from aa_runtime.state.classes import ClassTable, StateClass
from aa_runtime.state.faults import DecodeError
from aa_runtime.state.writer import MAX_DEPTH


class Reader:
    """Reads one state. The first scalars name its classes."""

    def __init__(self, rows: tuple[bytes, list[Any]], bulk: bytes, table: ClassTable) -> None:
        self._tags, self._scalars = rows
        self._next_tag = self._next_scalar = 0
        self._bulk = memoryview(bulk)
        self._shared: list[Any] = []
        self._classes = [self._class(table) for _ in range(self._count())]

    def read(self, depth: int = 0) -> Any:
        """The next value. Any exception when there is none, or none that makes sense."""
        tag = self._tags[self._next_tag]
        self._next_tag += 1
        if tag == tags.SCALAR:
            return self._scalar()
        if depth > MAX_DEPTH:
            _refuse()
        count = self._count()
        if tag & tags.FLAT:
            tag ^= tags.FLAT
            parts = self._run(count)
        else:
            parts = [self.read(depth + 1) for _ in range(count)]
        made = _MAKE[tag](self, parts)
        if tag in tags.SHARED:
            self._shared.append(made)
        return made

    def end(self) -> None:
        """DecodeError unless all is used up."""
        if self._next_tag != len(self._tags) or self._next_scalar != len(self._scalars) or self._bulk:
            _refuse()

    def take(self, size: int) -> memoryview:
        """The next bytes."""
        if size > len(self._bulk):
            _refuse()
        taken, self._bulk = self._bulk[:size], self._bulk[size:]
        return taken

    def known(self, index: Any, *kinds: int) -> tuple[StateClass, list[str]]:
        """A class of one of these tags, and the attributes of its objects."""
        if type(index) is not int or index < 0 or self._classes[index][0].tag not in kinds:
            _refuse()
        return self._classes[index]

    def shared(self, index: Any) -> Any:
        """What has ended before."""
        if type(index) is not int or index < 0:
            _refuse()
        return self._shared[index]

    def _class(self, table: ClassTable) -> tuple[StateClass, list[str]]:
        known = table.named(self._scalar())
        names = self._run(self._count())
        if not all(type(name) is str and known.accepts(name) for name in names):
            _refuse()
        return known, names

    def _scalar(self) -> Any:
        self._next_scalar += 1
        return self._scalars[self._next_scalar - 1]

    def _count(self) -> int:
        count = self._scalar()
        if type(count) is not int or count < 0:
            _refuse()
        return count

    def _run(self, count: int) -> list[Any]:
        start = self._next_scalar
        self._next_scalar += count
        if self._next_scalar > len(self._scalars):
            _refuse()
        return self._scalars[start : self._next_scalar]


def _refuse() -> NoReturn:
    raise DecodeError("damaged")


def _hashable(items: list[Any]) -> list[Any]:
    """The items, unless they are made to collide."""
    if keys.fault_of(items) is not None:
        _refuse()
    return items


def _deque(_: Reader, parts: list[Any]) -> deque[Any]:
    longest, *items = parts
    if longest is not None and (type(longest) is not int or longest < len(items)):
        _refuse()
    return deque(items, longest)


def _entries(parts: list[Any]) -> Iterator[tuple[Any, Any]]:
    half = len(parts) // 2
    return zip(_hashable(parts[:half]), parts[half:], strict=True)


def _object(tag: int, reader: Reader, parts: list[Any]) -> object:
    known, names = reader.known(parts[0], tag)
    return known.make(names, parts[1:])


def _enum(reader: Reader, parts: list[Any]) -> Any:
    index, name = parts
    known, _ = reader.known(index, tags.ENUM)
    return known.cls.__members__[name]  # type: ignore[attr-defined]


def _named_tuple(reader: Reader, parts: list[Any]) -> Any:
    known, _ = reader.known(parts[0], tags.NAMED_TUPLE)
    if len(parts) - 1 != len(known.fields):
        _refuse()
    return tuple.__new__(known.cls, parts[1:])


def _reference(reader: Reader, parts: list[Any]) -> Any:
    (index,) = parts
    return reader.shared(index)


_MAKE: Final[dict[int, Callable[[Reader, list[Any]], Any]]] = {
    tags.LIST: lambda _, parts: parts,
    tags.TUPLE: lambda _, parts: tuple(parts),
    tags.SET: lambda _, parts: set(_hashable(parts)),
    tags.DEQUE: _deque,
    tags.DICT: lambda _, parts: dict(_entries(parts)),
    tags.ORDERED_DICT: lambda _, parts: OrderedDict(_entries(parts)),
    tags.OBJECT: lambda reader, parts: _object(tags.OBJECT, reader, parts),
    tags.VALUE: lambda reader, parts: _object(tags.VALUE, reader, parts),
    tags.ENUM: _enum,
    tags.NAMED_TUPLE: _named_tuple,
    tags.ARRAY: lambda reader, parts: foreign.read_array(parts, reader.take),
    tags.NUMBER: lambda reader, parts: foreign.read_number(parts, reader.take),
    tags.TENSOR: lambda reader, parts: foreign.read_tensor(parts, reader.take),
    tags.REFERENCE: _reference,
}
