"""Tags and scalars → a state. They may be a stranger's: every step is checked, and only classes of the table
are made, without calling anything that they define but the hash and equality of keys."""

from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from typing import Any, Final, NoReturn

from aa_runtime.state import foreign, tags
from aa_runtime.state.classes import ClassTable, StateClass
from aa_runtime.state.faults import DecodeError
from aa_runtime.state.numbers import unpack_numbers
from aa_runtime.state.wire import MAX_DEPTH, MAX_VALUES

#: Python's integers and tuples of them can be chosen to collide; a dict of n such keys takes n * n steps.
_MAX_EQUAL_HASHES: Final = 64
_PACKED: Final = {tag: code for code, tag in tags.PACKED_ITEMS.items()}


class Reader:
    """Reads one state. The first scalars name its classes."""

    def __init__(self, rows: tuple[bytes, list[Any]], table: ClassTable) -> None:
        self._tags = bytearray(rows[0])
        self._scalars = rows[1]
        # From the end, where taking one is quick; both raise IndexError when there is none.
        self._tags.reverse()
        self._scalars.reverse()
        self.tag = self._tags.pop
        self.scalar = self._scalars.pop
        self._left = MAX_VALUES
        self._shared: list[Any] = []
        self._classes = [table.named(name) for name in self.scalars()]

    def read(self, depth: int = 0) -> Any:
        """The next value. Any exception when there is none, or none that makes sense."""
        tag = self.tag()
        if tag == tags.SCALAR:
            return self.scalar()
        if depth > MAX_DEPTH:
            _refuse()
        made = _READ[tag](self, depth)
        if tag in tags.SHARED:
            self._shared.append(made)
        return made

    def end(self) -> None:
        """DecodeError unless all is used up."""
        if self._tags or self._scalars:
            _refuse()

    def run(self, depth: int) -> list[Any]:
        """The items of a container."""
        tag = self.tag()
        code = _PACKED.get(tag)
        if code is not None:
            items = unpack_numbers(code, self.blob())
            self._spend(len(items))
            return items
        if tag == tags.SCALAR_ITEMS:
            return self.scalars()
        if tag != tags.ITEMS:
            _refuse()
        return [self.read(depth + 1) for _ in range(self.count())]

    def scalars(self) -> list[Any]:
        """A count and that many scalars."""
        count = self.count()
        start = len(self._scalars) - count
        if start < 0:
            _refuse()
        items = self._scalars[start:]
        del self._scalars[start:]
        items.reverse()
        return items

    def count(self) -> int:
        value = self.scalar()
        if type(value) is not int or not 0 <= value <= MAX_VALUES:
            _refuse()
        return value

    def blob(self) -> bytes:
        value = self.scalar()
        if type(value) is not bytes:
            _refuse()
        return value

    def state_class(self, tag: int) -> StateClass:
        index = self.scalar()
        if type(index) is not int or not 0 <= index < len(self._classes) or self._classes[index].tag != tag:
            _refuse()
        return self._classes[index]

    def share(self, made: Any) -> None:
        """Lets references name an object that has just ended."""
        self._shared.append(made)

    def shared(self) -> Any:
        index = self.scalar()
        if type(index) is not int or not 0 <= index < len(self._shared):
            _refuse()
        return self._shared[index]

    def _spend(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise DecodeError(f"more than {MAX_VALUES} values")


_Read = Callable[[Reader, int], Any]


def _refuse() -> NoReturn:
    raise DecodeError("damaged")


def _hashable(items: list[Any]) -> list[Any]:
    """The items, unless far too many of them have one hash."""
    if len(items) > _MAX_EQUAL_HASHES:
        (_, equal), *_ = Counter(map(hash, items)).most_common(1)
        if equal > _MAX_EQUAL_HASHES:
            _refuse()
    return items


def _read_deque(reader: Reader, depth: int) -> deque[Any]:
    longest = reader.scalar()
    if longest is not None and (type(longest) is not int or not 0 <= longest < 2**63):
        _refuse()
    return deque(reader.run(depth), longest)


def _read_items(reader: Reader, depth: int) -> list[tuple[Any, Any]]:
    keys = _hashable(reader.run(depth))
    values = reader.run(depth)
    if len(keys) != len(values):
        _refuse()
    return list(zip(keys, values, strict=True))


def _read_complex(reader: Reader, depth: int) -> complex:
    real, imaginary = reader.scalar(), reader.scalar()
    if type(real) is not float or type(imaginary) is not float:
        _refuse()
    return complex(real, imaginary)


def _read_object(reader: Reader, depth: int) -> Any:
    known = reader.state_class(tags.OBJECT)
    names, values = reader.run(depth), reader.run(depth)
    if len(names) != len(values):
        _refuse()
    made: object = object.__new__(known.cls)
    for name, value in zip(names, values, strict=True):
        if type(name) is not str or not known.accepts(name):
            _refuse()
        object.__setattr__(made, name, value)
    if known.shareable:
        reader.share(made)
    return made


def _read_fields(reader: Reader, depth: int) -> Any:
    known = reader.state_class(tags.OBJECT)
    made: object = object.__new__(known.cls)
    for name in known.fields:
        object.__setattr__(made, name, reader.read(depth + 1))
    if known.shareable:
        reader.share(made)
    return made


def _read_enum(reader: Reader, depth: int) -> Any:
    known = reader.state_class(tags.ENUM)
    members: Any = known.cls.__members__  # type: ignore[attr-defined]
    member = members.get(reader.scalar())
    if member is None:
        _refuse()
    return member


def _read_flag(reader: Reader, depth: int) -> Any:
    known = reader.state_class(tags.FLAG)
    value = reader.scalar()
    # Bits that no member has would make the class remember a member for each such value.
    if type(value) is not int or value & ~known.cls._flag_mask_:  # type: ignore[attr-defined]
        _refuse()
    return known.cls(value)


def _read_named_tuple(reader: Reader, depth: int) -> Any:
    known = reader.state_class(tags.NAMED_TUPLE)
    items = reader.run(depth)
    if len(items) != len(known.fields):
        _refuse()
    return tuple.__new__(known.cls, items)


def _read_foreign(tag: int) -> _Read:
    def read(reader: Reader, depth: int) -> Any:
        return foreign.adapter_for(tag).put_together(reader.scalar)

    return read


_READ: Final[dict[int, _Read]] = {
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
    tags.FIELDS: _read_fields,
    tags.ENUM: _read_enum,
    tags.FLAG: _read_flag,
    tags.NAMED_TUPLE: _read_named_tuple,
    **{tag: _read_foreign(tag) for tag in (tags.ARRAY, tags.ARRAY_SCALAR, tags.IMAGE, tags.TENSOR)},
}
