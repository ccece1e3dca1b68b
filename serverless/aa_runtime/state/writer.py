"""A state → tags, scalars and bytes."""

from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

from aa_runtime.state import foreign, keys, tags
from aa_runtime.state.budget import MOST
from aa_runtime.state.classes import ClassTable, StateClass
from aa_runtime.state.faults import EncodeError
from aa_runtime.state.wire import SCALARS

#: Levels of nodes; keeps the reader and the writer far from Python's recursion limit.
MAX_DEPTH: Final = 100

#: Names the part at an index, for an error's path.
_Step = Callable[[int], str]


class _Way(NamedTuple):
    """How to write the values of one type."""

    tag: int
    parts: Callable[["Writer", Any], Sequence[Any]]
    step: Callable[[Any], _Step]


class Ways(dict[type, _Way]):
    """The way to write each type of value: Python's, those of `table`, and libraries' as they are met."""

    def __init__(self, table: ClassTable) -> None:
        super().__init__(_PYTHON)
        for known in table:
            parts, step = _BY_CLASS[known.tag]
            self[known.cls] = _Way(known.tag, partial(parts, known), partial(step, known))

    def learn(self, value: object) -> _Way:
        """The way of a type that is met for the first time. EncodeError when there is none."""
        adapter = foreign.adapter_of(value)
        if adapter is None:
            raise EncodeError(_refusal(value))
        tag, take_apart = adapter
        way = self[type(value)] = _Way(tag, partial(_foreign, take_apart), _items)
        return way


class Writer:
    """Writes one state. `tags`, `scalars` and `bulk` grow; `classes` are the classes met with the attributes of
    their objects, in order of their index."""

    def __init__(self, ways: Ways) -> None:
        self.tags = bytearray()
        self.scalars: list[Any] = []
        self.bulk: list[bytes] = []
        self.classes: dict[tuple[str, tuple[str, ...]], int] = {}
        self._ways = ways
        self._shared: dict[int, int | None] = {}
        self._ended = 0

    def write(self, value: Any, depth: int = 0) -> None:
        """Appends a value. EncodeError where something in it has no encoding."""
        if type(value) in SCALARS:
            self.tags.append(tags.SCALAR)
            self.scalars.append(value)
            return
        way = self._ways.get(type(value)) or self._ways.learn(value)
        if way.tag not in tags.SHARED:
            self._node(way, value, depth)
        elif id(value) not in self._shared:
            self._shared[id(value)] = None
            self._node(way, value, depth)
            self._shared[id(value)] = self._ended
            self._ended += 1
        elif (index := self._shared[id(value)]) is None:
            raise EncodeError("contains itself")
        else:
            self._begin(tags.REFERENCE | tags.FLAT, 1)
            self.scalars.append(index)

    def class_index(self, known: StateClass, names: tuple[str, ...]) -> int:
        """The index of a class whose object has these attributes."""
        return self.classes.setdefault((known.name, names), len(self.classes))

    def _node(self, way: _Way, value: Any, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise EncodeError(f"nested more than {MAX_DEPTH} levels deep")
        parts = way.parts(self, value)
        if SCALARS.issuperset(map(type, parts)):
            self._begin(way.tag | tags.FLAT, len(parts))
            self.scalars += parts
            return
        self._begin(way.tag, len(parts))
        index = 0
        try:
            for part in parts:
                self.write(part, depth + 1)
                index += 1
        except EncodeError as fault:
            raise fault.within(way.step(value)(index)) from None

    def _begin(self, tag: int, count: int) -> None:
        if len(self.tags) + len(self.scalars) + count > MOST.values:
            raise EncodeError(f"more than {MOST.values} values: keep many numbers in a numpy array")
        self.tags.append(tag)
        self.scalars.append(count)


def _list(_: Writer, value: Sequence[Any]) -> Sequence[Any]:
    return value


def _set(_: Writer, value: set[Any]) -> list[Any]:
    return _checked(list(value))


def _deque(_: Writer, value: deque[Any]) -> list[Any]:
    return [value.maxlen, *value]


def _dict(_: Writer, value: dict[Any, Any]) -> list[Any]:
    return [*_checked(list(value)), *value.values()]


def _checked(hashable: list[Any]) -> list[Any]:
    """EncodeError for what `Reader` would refuse."""
    fault = keys.fault_of(hashable)
    if fault is not None:
        raise EncodeError(fault)
    return hashable


def _object(known: StateClass, writer: Writer, value: Any) -> list[Any]:
    attributes = known.attributes(value)
    return [writer.class_index(known, tuple(attributes)), *attributes.values()]


def _enum(known: StateClass, writer: Writer, value: Any) -> list[Any]:
    return [writer.class_index(known, ()), value.name]


def _named_tuple(known: StateClass, writer: Writer, value: Any) -> list[Any]:
    return [writer.class_index(known, known.fields), *value]


def _foreign(take_apart: foreign.TakeApart, writer: Writer, value: Any) -> list[Any]:
    parts, data = take_apart(value)
    writer.bulk.append(data)
    return parts


def _items(value: Any, skipped: int = 0) -> _Step:
    return lambda index: f"[{index - skipped}]"


def _unordered(_: Any) -> _Step:
    return lambda index: " (an item)"


def _entries(value: dict[Any, Any]) -> _Step:
    keys = list(value)
    count = len(keys)
    return lambda index: f" (key {keys[index]!r:.40})" if index < count else f"[{keys[index - count]!r:.40}]"


def _attributes(known: StateClass, value: Any) -> _Step:
    names = list(known.attributes(value)) if not isinstance(value, tuple) else known.fields
    return lambda index: f".{names[index - 1]}"


def _refusal(value: object) -> str:
    cls = type(value)
    if cls.__module__ == "builtins":
        return f"an object of type {cls.__qualname__} has no encoding"
    name = f"{cls.__module__}.{cls.__qualname__}"
    if name.startswith("PIL."):
        return f"{name} has no encoding; keep its numpy array"
    if "<locals>" in cls.__qualname__:
        return f"{name} is defined inside a function; define it at the top of the function's module"
    return (
        f"{name} has no encoding: it is no plain class, enum or named tuple of the function's own modules, or its"
        " module was imported too late"
    )


_PYTHON: Final[dict[type, _Way]] = {
    list: _Way(tags.LIST, _list, _items),
    tuple: _Way(tags.TUPLE, _list, _items),
    set: _Way(tags.SET, _set, _unordered),
    deque: _Way(tags.DEQUE, _deque, partial(_items, skipped=1)),
    dict: _Way(tags.DICT, _dict, _entries),
    OrderedDict: _Way(tags.ORDERED_DICT, _dict, _entries),
}
_BY_CLASS: Final[dict[int, tuple[Callable[..., Sequence[Any]], Callable[..., _Step]]]] = {
    tags.OBJECT: (_object, _attributes),
    tags.VALUE: (_object, _attributes),
    tags.ENUM: (_enum, _attributes),
    tags.NAMED_TUPLE: (_named_tuple, _attributes),
}
