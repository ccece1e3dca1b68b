"""A bounded cache of preprocessed images: least recently used goes first, by entries and by bytes."""

import sys
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any, Final, Generic, TypeVar

import numpy as np
import PIL.Image

Value = TypeVar("Value")

#: Objects that are looked at to estimate a size; what lies beyond is counted as nothing.
_MAX_OBJECTS: Final = 10_000
#: Bytes of one value, by Pillow's mode; Pillow keeps three-banded modes in four bytes a pixel.
_PIXEL_BYTES: Final = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16L": 2, "I;16B": 2, "I;16N": 2}
_SHARED: Final = (type, ModuleType, FunctionType, BuiltinFunctionType, MethodType)


class Cache(Generic[Value]):
    """Keeps values under keys, at most `entries` of them and at most about `size` bytes together.

    A value larger than `size` is not kept at all. Not for threads: a worker has none.
    """

    def __init__(self, entries: int, size: int) -> None:
        self._entries = entries
        self._size = size
        self._kept: OrderedDict[bytes, tuple[Value, int]] = OrderedDict()
        self._used = 0

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def used(self) -> int:
        """Estimated bytes of everything kept."""
        return self._used

    def get(self, key: bytes) -> Value | None:
        """The value under `key`, which is thereby the most recently used, or None."""
        entry = self._kept.get(key)
        if entry is None:
            return None
        self._kept.move_to_end(key)
        return entry[0]

    def put(self, key: bytes, value: Value) -> None:
        """Keeps `value`, and lets the longest unused go until it fits."""
        self._forget(key)
        size = size_of(value)
        if self._entries < 1 or size > self._size:
            return
        while self._kept and (len(self._kept) >= self._entries or self._used + size > self._size):
            self._forget(next(iter(self._kept)))
        self._kept[key] = value, size
        self._used += size

    def clear(self) -> None:
        """Lets everything go."""
        self._kept.clear()
        self._used = 0

    def _forget(self, key: bytes) -> None:
        entry = self._kept.pop(key, None)
        if entry is not None:
            self._used -= entry[1]


def size_of(value: object) -> int:
    """About how many bytes `value` holds, on the host and on devices: arrays, tensors, images, and what
    contains them.

    Modules, classes, functions and torch's models count as nothing: they are shared with the
    rest of the process.
    """
    seen: set[int] = set()
    waiting = [value]
    total = 0
    while waiting and len(seen) < _MAX_OBJECTS:
        item = waiting.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        own, parts = _measure(item)
        total += own
        waiting.extend(parts)
    return total


def _measure(item: Any) -> tuple[int, Iterable[object]]:
    """The bytes of one object without its parts, and those parts."""
    if isinstance(item, np.ndarray) and item.dtype != object:
        return item.nbytes, ()
    if isinstance(item, np.ndarray):
        return item.nbytes, item.ravel()[:_MAX_OBJECTS].tolist()
    if isinstance(item, PIL.Image.Image):
        return item.width * item.height * _PIXEL_BYTES.get(item.mode, 4), ()
    if callable(getattr(item, "element_size", None)) and callable(getattr(item, "numel", None)):
        return _tensor_bytes(item), ()
    if isinstance(item, Mapping):
        return sys.getsizeof(item, 0), [*item.keys(), *item.values()]
    if isinstance(item, (list, tuple, set, frozenset)):
        return sys.getsizeof(item, 0), item
    if isinstance(item, _SHARED) or hasattr(item, "named_parameters"):
        return 0, ()
    if isinstance(item, (str, bytes, bytearray, int, float)):
        return sys.getsizeof(item), ()
    return sys.getsizeof(item, 0), _members(item)


def _tensor_bytes(tensor: Any) -> int:
    try:
        return int(tensor.element_size()) * int(tensor.numel())
    except Exception:  # a class, or something that only looks like a tensor
        return 0


def _members(item: object) -> list[object]:
    members = list(getattr(item, "__dict__", {}).values())
    for cls in type(item).__mro__:
        slots = cls.__dict__.get("__slots__", ())
        members += [getattr(item, name, None) for name in ((slots,) if isinstance(slots, str) else slots)]
    return members
