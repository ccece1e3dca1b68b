"""A state → tags and scalars."""

from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from aa_runtime.state import foreign, tags
from aa_runtime.state.classes import ClassTable, StateClass, is_candidate
from aa_runtime.state.faults import EncodeError
from aa_runtime.state.numbers import pack_numbers
from aa_runtime.state.wire import MAX_DEPTH, MAX_VALUES, SCALARS

_Step = Callable[[int], str]
_Write = Callable[["Writer", Any, int], None]
#: How to write a value of one type, and whether its identity is kept.
_Way = tuple[_Write, bool]

#: Shorter runs gain nothing from being packed.
_LEAST_PACKED: Final = 8
_IN_PROGRESS: Final = -1


class Ways(dict[type, _Way]):
    """The way to write each type of value: Python's, those of `table`, and libraries' as they are met."""

    def __init__(self, table: ClassTable) -> None:
        super().__init__({kind: (write, kind not in _UNSHARED) for kind, write in (_SHARED | _UNSHARED).items()})
        for known in table:
            shared = known.tag == tags.OBJECT and known.shareable
            self[known.cls] = partial(_BY_CLASS[known.tag], known), shared

    def learn(self, value: object) -> _Way:
        """The way of a type that is met for the first time. EncodeError when there is none."""
        adapter = foreign.adapter_of(value)
        if adapter is None:
            raise EncodeError(_refusal(value))
        way = self[type(value)] = partial(_write_foreign, adapter), adapter.tag in tags.SHARED
        return way


class Writer:
    """Writes one state. `tags` and `scalars` grow; `classes` are the names of the classes met, in order of
    their index."""

    def __init__(self, ways: Ways) -> None:
        self.tags = bytearray()
        self.scalars: list[Any] = []
        self.classes: dict[str, int] = {}
        self._ways = ways
        self._shared: dict[int, int] = {}
        self._ended = 0

    def write(self, value: Any, depth: int = 0) -> None:
        """Appends a value. EncodeError where something in it has no encoding."""
        if type(value) in SCALARS:
            self.tags.append(tags.SCALAR)
            self.scalars.append(value)
            return
        if depth > MAX_DEPTH:
            raise EncodeError(f"nested more than {MAX_DEPTH} levels deep")
        write, shareable = self._ways.get(type(value)) or self._ways.learn(value)
        if not shareable:
            write(self, value, depth)
        elif (index := self._shared.get(id(value))) is None:
            self._shared[id(value)] = _IN_PROGRESS
            write(self, value, depth)
            self._shared[id(value)] = self._ended
            self._ended += 1
        elif index == _IN_PROGRESS:
            raise EncodeError("contains itself")
        else:
            self.tags.append(tags.REFERENCE)
            self.scalars.append(index)

    def run(self, items: Sequence[Any], step: _Step, depth: int) -> None:
        """Appends the items of a container."""
        kinds = set(map(type, items))
        if not kinds <= SCALARS:
            self.tags.append(tags.ITEMS)
            self.scalars.append(len(items))
            self.each(items, step, depth)
            return
        self._check(len(items))
        if len(items) < _LEAST_PACKED or len(kinds) > 1 or (packed := pack_numbers(items, *kinds)) is None:
            self.tags.append(tags.SCALAR_ITEMS)
            self.scalars.append(len(items))
            self.scalars += items
        else:
            self.tags.append(tags.PACKED_ITEMS[packed[0]])
            self.scalars.append(packed[1])

    def each(self, items: Sequence[Any], step: _Step, depth: int) -> None:
        """Appends values that are within the one at `depth`."""
        self._check(len(items))
        index = 0
        try:
            for item in items:
                self.write(item, depth + 1)
                index += 1
        except EncodeError as fault:
            raise fault.within(step(index)) from None

    def begin_object(self, tag: int, known: StateClass) -> None:
        """Appends the tag and the class of an object."""
        self.tags.append(tag)
        self.scalars.append(self.classes.setdefault(known.name, len(self.classes)))

    def _check(self, more: int) -> None:
        if len(self.tags) + len(self.scalars) + more > MAX_VALUES:
            raise EncodeError(f"more than {MAX_VALUES} values: keep many numbers in a numpy array")


def _index(index: int) -> str:
    return f"[{index}]"


def _write_list(writer: Writer, value: list[Any], depth: int) -> None:
    writer.tags.append(tags.LIST)
    writer.run(value, _index, depth)


def _write_tuple(writer: Writer, value: tuple[Any, ...], depth: int) -> None:
    writer.tags.append(tags.TUPLE)
    writer.run(value, _index, depth)


def _write_set(writer: Writer, value: set[Any] | frozenset[Any], depth: int) -> None:
    writer.tags.append(tags.SET if type(value) is set else tags.FROZENSET)
    writer.run(list(value), lambda _: " (an item)", depth)


def _write_deque(writer: Writer, value: deque[Any], depth: int) -> None:
    writer.tags.append(tags.DEQUE)
    writer.scalars.append(value.maxlen)
    writer.run(list(value), _index, depth)


def _write_dict(writer: Writer, value: dict[Any, Any], depth: int) -> None:
    writer.tags.append(tags.DICT if type(value) is dict else tags.ORDERED_DICT)
    keys = list(value)
    writer.run(keys, lambda index: f" (key {keys[index]!r:.40})", depth)
    writer.run(list(value.values()), lambda index: f"[{keys[index]!r:.40}]", depth)


def _write_bytearray(writer: Writer, value: bytearray, depth: int) -> None:
    writer.tags.append(tags.BYTEARRAY)
    writer.scalars.append(bytes(value))


def _write_complex(writer: Writer, value: complex, depth: int) -> None:
    writer.tags.append(tags.COMPLEX)
    writer.scalars += (value.real, value.imag)


def _write_object(known: StateClass, writer: Writer, value: Any, depth: int) -> None:
    values = known.values(value)
    if values is None:
        _write_attributes(known, writer, value, depth)
        return
    writer.begin_object(tags.FIELDS, known)
    writer.each(values, lambda index: f".{known.fields[index]}", depth)


def _write_attributes(known: StateClass, writer: Writer, value: Any, depth: int) -> None:
    writer.begin_object(tags.OBJECT, known)
    attributes = dict(getattr(value, "__dict__", ()))
    for name in known.slots:
        try:
            attributes[name] = object.__getattribute__(value, name)
        except AttributeError:  # a slot that was never set
            continue
    names = list(attributes)
    writer.run(names, _index, depth)
    writer.run(list(attributes.values()), lambda index: f".{names[index]}", depth)


def _write_enum(known: StateClass, writer: Writer, value: Any, depth: int) -> None:
    writer.begin_object(tags.ENUM, known)
    writer.scalars.append(value.name)


def _write_flag(known: StateClass, writer: Writer, value: Any, depth: int) -> None:
    if value.value & ~type(value)._flag_mask_:
        raise EncodeError(f"{value!r} has bits that no member of its class has")
    writer.begin_object(tags.FLAG, known)
    writer.scalars.append(value.value)


def _write_named_tuple(known: StateClass, writer: Writer, value: Any, depth: int) -> None:
    writer.begin_object(tags.NAMED_TUPLE, known)
    writer.run(tuple(value), lambda index: f".{known.fields[index]}", depth)


def _write_foreign(adapter: foreign.Adapter, writer: Writer, value: Any, depth: int) -> None:
    writer.tags.append(adapter.tag)
    writer.scalars += adapter.take_apart(value)


def _refusal(value: object) -> str:
    cls = type(value)
    name = f"{cls.__module__}.{cls.__qualname__}" if cls.__module__ != "builtins" else cls.__qualname__
    if not is_candidate(cls):
        return f"an object of type {name} has no encoding"
    if "<locals>" in cls.__qualname__:
        return f"{name} is defined inside a function; define it at the top of the function's module"
    return f"{name} is not a class of the function's own modules, or its module was imported too late"


_SHARED: Final[dict[type, _Write]] = {
    list: _write_list,
    dict: _write_dict,
    OrderedDict: _write_dict,
    set: _write_set,
    deque: _write_deque,
    bytearray: _write_bytearray,
}
_UNSHARED: Final[dict[type, _Write]] = {
    tuple: _write_tuple,
    frozenset: _write_set,
    complex: _write_complex,
}
_BY_CLASS: Final[dict[int, Callable[[StateClass, Writer, Any, int], None]]] = {
    tags.OBJECT: _write_object,
    tags.ENUM: _write_enum,
    tags.FLAG: _write_flag,
    tags.NAMED_TUPLE: _write_named_tuple,
}
