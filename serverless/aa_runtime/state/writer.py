"""A state → a flat row of values."""

import struct
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from typing import Any, Final

from aa_runtime.state import foreign, tags
from aa_runtime.state.classes import ClassTable, StateClass, is_candidate
from aa_runtime.state.faults import EncodeError
from aa_runtime.state.tags import Tag
from aa_runtime.state.wire import MAX_DEPTH, MAX_VALUES, SCALARS

_Step = Callable[[int], str]
_Write = Callable[["Writer", Any, int], None]

#: Shorter runs gain nothing from being packed.
_LEAST_PACKED: Final = 8
_IN_PROGRESS: Final = -1


class Writer:
    """Writes one state. `row` grows; `classes` are the names of the classes met, in order of their index."""

    def __init__(self, table: ClassTable) -> None:
        self.row: list[Any] = []
        self.classes: dict[str, int] = {}
        self._table = table
        self._shared: dict[int, int] = {}
        self._ended = 0

    def write(self, value: Any, depth: int = 0) -> None:
        """Appends a value. EncodeError where something in it has no encoding."""
        kind = type(value)
        if kind in SCALARS:
            self.row.append(value)
            return
        if depth > MAX_DEPTH:
            raise EncodeError(f"nested more than {MAX_DEPTH} levels deep")
        write = _SHARED.get(kind)
        if write is not None:
            self._write_shared(write, value, depth)
            return
        write = _UNSHARED.get(kind)
        if write is not None:
            write(self, value, depth)
            return
        self._write_other(value, depth)

    def _write_shared(self, write: _Write, value: Any, depth: int) -> None:
        index = self._shared.get(id(value))
        if index is None:
            self._shared[id(value)] = _IN_PROGRESS
            write(self, value, depth)
            self._shared[id(value)] = self._ended
            self._ended += 1
        elif index == _IN_PROGRESS:
            raise EncodeError("contains itself")
        else:
            self.row += (tags.REFERENCE.mark, index)

    def _write_other(self, value: Any, depth: int) -> None:
        known = self._table.find(type(value))
        if known is not None:
            if known.tag is tags.OBJECT and known.shareable:
                self._write_shared(_write_object, value, depth)
            else:
                _BY_CLASS[known.tag](self, value, depth)
            return
        adapter = foreign.adapter_of(value)
        if adapter is None:
            raise EncodeError(_refusal(value))
        if adapter.tag.shared:
            self._write_shared(_write_foreign, value, depth)
        else:
            _write_foreign(self, value, depth)

    def run(self, items: Sequence[Any], step: _Step, depth: int) -> None:
        """Appends the items of a container."""
        if len(self.row) + len(items) > MAX_VALUES:
            raise EncodeError(f"more than {MAX_VALUES} values: keep many numbers in a numpy array")
        kinds = set(map(type, items))
        if not kinds <= SCALARS:
            self._mixed_run(items, step, depth)
            return
        packed = _pack(items, *kinds) if len(items) >= _LEAST_PACKED and len(kinds) == 1 else None
        if packed is not None:
            self.row += (tags.PACKED_ITEMS.mark, *packed)
        else:
            self.row += (tags.SCALAR_ITEMS.mark, len(items))
            self.row += items

    def _mixed_run(self, items: Sequence[Any], step: _Step, depth: int) -> None:
        self.row += (tags.ITEMS.mark, len(items))
        for index, item in enumerate(items):
            try:
                self.write(item, depth + 1)
            except EncodeError as fault:
                raise fault.within(step(index)) from None

    def class_index(self, known: StateClass) -> int:
        return self.classes.setdefault(known.name, len(self.classes))

    def known(self, value: object) -> StateClass:
        known = self._table.find(type(value))
        assert known is not None  # noqa: S101 - _write_other found it
        return known


def _pack(items: Sequence[Any], kind: type) -> tuple[str, bytes] | None:
    """Typecode of `struct` and bytes of numbers of one kind, in the fewest bytes that lose nothing."""
    if kind is float:
        return _pack_floats(items)
    return _pack_integers(items) if kind is int else None


def _pack_floats(items: Sequence[float]) -> tuple[str, bytes]:
    # Features often come from float32 tensors; the first item tells most of those that do not.
    for count in (1, len(items)):
        try:
            single = struct.pack(f"<{count}f", *items[:count])
        except OverflowError:
            break
        if struct.unpack(f"<{count}f", single) != tuple(items[:count]):
            break
    else:
        return "f", single
    return "d", struct.pack(f"<{len(items)}d", *items)


def _pack_integers(items: Sequence[int]) -> tuple[str, bytes] | None:
    try:
        return "B", bytes(items)
    except ValueError:
        pass
    for code in "hiq":
        try:
            return code, struct.pack(f"<{len(items)}{code}", *items)
        except struct.error:
            continue
    return None


def _index(index: int) -> str:
    return f"[{index}]"


def _write_list(writer: Writer, value: list[Any], depth: int) -> None:
    writer.row.append(tags.LIST.mark)
    writer.run(value, _index, depth)


def _write_tuple(writer: Writer, value: tuple[Any, ...], depth: int) -> None:
    writer.row.append(tags.TUPLE.mark)
    writer.run(list(value), _index, depth)


def _write_set(writer: Writer, value: set[Any] | frozenset[Any], depth: int) -> None:
    writer.row.append((tags.SET if type(value) is set else tags.FROZENSET).mark)
    writer.run(list(value), lambda _: " (an item)", depth)


def _write_deque(writer: Writer, value: deque[Any], depth: int) -> None:
    writer.row += (tags.DEQUE.mark, value.maxlen)
    writer.run(list(value), _index, depth)


def _write_dict(writer: Writer, value: dict[Any, Any], depth: int) -> None:
    writer.row.append((tags.DICT if type(value) is dict else tags.ORDERED_DICT).mark)
    keys = list(value)
    writer.run(keys, lambda index: f" (key {keys[index]!r:.40})", depth)
    writer.run(list(value.values()), lambda index: f"[{keys[index]!r:.40}]", depth)


def _write_bytearray(writer: Writer, value: bytearray, depth: int) -> None:
    writer.row += (tags.BYTEARRAY.mark, bytes(value))


def _write_complex(writer: Writer, value: complex, depth: int) -> None:
    writer.row += (tags.COMPLEX.mark, value.real, value.imag)


def _write_object(writer: Writer, value: Any, depth: int) -> None:
    known = writer.known(value)
    attributes = dict(getattr(value, "__dict__", ()))
    for name in known.slots:
        try:
            attributes[name] = object.__getattribute__(value, name)
        except AttributeError:  # a slot that was never set
            continue
    names = list(attributes)
    writer.row += (tags.OBJECT.mark, writer.class_index(known))
    writer.run(names, _index, depth)
    writer.run(list(attributes.values()), lambda index: f".{names[index]}", depth)


def _write_enum(writer: Writer, value: Any, depth: int) -> None:
    writer.row += (tags.ENUM.mark, writer.class_index(writer.known(value)), value.name)


def _write_flag(writer: Writer, value: Any, depth: int) -> None:
    if value.value & ~type(value)._flag_mask_:
        raise EncodeError(f"{value!r} has bits that no member of its class has")
    writer.row += (tags.FLAG.mark, writer.class_index(writer.known(value)), value.value)


def _write_named_tuple(writer: Writer, value: Any, depth: int) -> None:
    known = writer.known(value)
    writer.row += (tags.NAMED_TUPLE.mark, writer.class_index(known))
    writer.run(list(value), lambda index: f".{known.fields[index]}", depth)


def _write_foreign(writer: Writer, value: Any, depth: int) -> None:
    adapter = foreign.adapter_of(value)
    assert adapter is not None  # noqa: S101 - _write_other found it
    parts = adapter.take_apart(value)
    writer.row += (adapter.tag.mark, len(parts))
    writer.row += parts


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
_BY_CLASS: Final[dict[Tag, _Write]] = {
    tags.OBJECT: _write_object,
    tags.ENUM: _write_enum,
    tags.FLAG: _write_flag,
    tags.NAMED_TUPLE: _write_named_tuple,
}
