"""A state → tags and scalars."""

from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from typing import Any, Final

from aa_runtime.state import foreign, tags
from aa_runtime.state.classes import ClassTable, StateClass, is_candidate
from aa_runtime.state.faults import EncodeError
from aa_runtime.state.numbers import pack_numbers
from aa_runtime.state.wire import MAX_DEPTH, MAX_VALUES, SCALARS

_Step = Callable[[int], str]
_Write = Callable[["Writer", Any, int], None]

#: Shorter runs gain nothing from being packed.
_LEAST_PACKED: Final = 8
_IN_PROGRESS: Final = -1


class Writer:
    """Writes one state. `tags` and `scalars` grow; `classes` are the names of the classes met, in order of
    their index."""

    def __init__(self, table: ClassTable) -> None:
        self.tags = bytearray()
        self.scalars: list[Any] = []
        self.classes: dict[str, int] = {}
        self._table = table
        self._shared: dict[int, int] = {}
        self._ended = 0

    def write(self, value: Any, depth: int = 0) -> None:
        """Appends a value. EncodeError where something in it has no encoding."""
        kind = type(value)
        if kind in SCALARS:
            self.tags.append(tags.SCALAR)
            self.scalars.append(value)
            return
        if depth > MAX_DEPTH:
            raise EncodeError(f"nested more than {MAX_DEPTH} levels deep")
        write = _SHARED.get(kind)
        if write is not None:
            self._write_shared(write, value, depth)
        elif (write := _UNSHARED.get(kind)) is not None:
            write(self, value, depth)
        else:
            self._write_other(value, depth)

    def _write_shared(self, write: _Write, value: Any, depth: int) -> None:
        shared, name = self._shared, id(value)
        index = shared.get(name)
        if index is None:
            shared[name] = _IN_PROGRESS
            write(self, value, depth)
            shared[name] = self._ended
            self._ended += 1
        elif index == _IN_PROGRESS:
            raise EncodeError("contains itself")
        else:
            self.tags.append(tags.REFERENCE)
            self.scalars.append(index)

    def _write_other(self, value: Any, depth: int) -> None:
        known = self._table.find(type(value))
        if known is not None:
            if known.tag == tags.OBJECT and known.shareable:
                self._write_shared(_write_object, value, depth)
            else:
                _BY_CLASS[known.tag](self, value, depth)
            return
        adapter = foreign.adapter_of(value)
        if adapter is None:
            raise EncodeError(_refusal(value))
        if adapter.tag in tags.SHARED:
            self._write_shared(_write_foreign, value, depth)
        else:
            _write_foreign(self, value, depth)

    def run(self, items: Sequence[Any], step: _Step, depth: int) -> None:
        """Appends the items of a container."""
        if len(self.tags) + len(self.scalars) + len(items) > MAX_VALUES:
            raise EncodeError(f"more than {MAX_VALUES} values: keep many numbers in a numpy array")
        kinds = set(map(type, items))
        if not kinds <= SCALARS:
            self._mixed_run(items, step, depth)
        elif len(items) < _LEAST_PACKED or len(kinds) > 1 or (packed := pack_numbers(items, *kinds)) is None:
            self.tags.append(tags.SCALAR_ITEMS)
            self.scalars.append(len(items))
            self.scalars += items
        else:
            self.tags.append(tags.PACKED_ITEMS[packed[0]])
            self.scalars.append(packed[1])

    def _mixed_run(self, items: Sequence[Any], step: _Step, depth: int) -> None:
        self.tags.append(tags.ITEMS)
        self.scalars.append(len(items))
        index = 0
        try:
            for item in items:
                self.write(item, depth + 1)
                index += 1
        except EncodeError as fault:
            raise fault.within(step(index)) from None

    def begin_object(self, tag: int, value: object) -> StateClass:
        """Appends the tag and the class of a value whose class is in the table."""
        known = self._table.find(type(value))
        assert known is not None  # noqa: S101 - _write_other found it
        self.tags.append(tag)
        self.scalars.append(self.classes.setdefault(known.name, len(self.classes)))
        return known


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


def _write_object(writer: Writer, value: Any, depth: int) -> None:
    known = writer.begin_object(tags.OBJECT, value)
    attributes = dict(getattr(value, "__dict__", ()))
    for name in known.slots:
        try:
            attributes[name] = object.__getattribute__(value, name)
        except AttributeError:  # a slot that was never set
            continue
    names = list(attributes)
    writer.run(names, _index, depth)
    writer.run(list(attributes.values()), lambda index: f".{names[index]}", depth)


def _write_enum(writer: Writer, value: Any, depth: int) -> None:
    writer.begin_object(tags.ENUM, value)
    writer.scalars.append(value.name)


def _write_flag(writer: Writer, value: Any, depth: int) -> None:
    if value.value & ~type(value)._flag_mask_:
        raise EncodeError(f"{value!r} has bits that no member of its class has")
    writer.begin_object(tags.FLAG, value)
    writer.scalars.append(value.value)


def _write_named_tuple(writer: Writer, value: Any, depth: int) -> None:
    known = writer.begin_object(tags.NAMED_TUPLE, value)
    writer.run(tuple(value), lambda index: f".{known.fields[index]}", depth)


def _write_foreign(writer: Writer, value: Any, depth: int) -> None:
    adapter = foreign.adapter_of(value)
    assert adapter is not None  # noqa: S101 - _write_other found it
    parts = adapter.take_apart(value)
    writer.tags.append(adapter.tag)
    writer.scalars.append(len(parts))
    writer.scalars += parts


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
_BY_CLASS: Final[dict[int, _Write]] = {
    tags.OBJECT: _write_object,
    tags.ENUM: _write_enum,
    tags.FLAG: _write_flag,
    tags.NAMED_TUPLE: _write_named_tuple,
}
