"""A bounded cache of preprocessed images: least recently used goes first, by entries and by bytes."""

import array
import io
import math
import mmap
import sys
from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any, Final, Generic, TypeVar

import numpy as np
import numpy.typing as npt
import PIL.Image

Value = TypeVar("Value")

#: Objects that are looked at to measure a value; one of more is not measured, and so never kept.
_MAX_OBJECTS: Final = 10_000
#: Bytes of one value, by Pillow's mode; Pillow keeps three-banded modes in four bytes a pixel.
_PIXEL_BYTES: Final = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16L": 2, "I;16B": 2, "I;16N": 2}
Array = npt.NDArray[Any]

_SHARED: Final = (type, ModuleType, FunctionType, BuiltinFunctionType, MethodType)


class Cache(Generic[Value]):
    """Keeps values under keys, at most `entries` of them and at most about `size` bytes together.

    A value larger than `size` is not kept at all. Not for threads: a worker has none.
    """

    def __init__(self, entries: int, size: int) -> None:
        self._entries = entries
        self._size = size
        self._kept: OrderedDict[bytes, tuple[Value, float]] = OrderedDict()
        self._used: float = 0

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def used(self) -> float:
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


def size_of(value: object) -> float:
    """About how many bytes `value` keeps alive, on the host and on devices: arrays, tensors, images, and what
    contains them. Infinite for more than 10,000 objects.

    A view keeps the whole of what it looks at; what several share counts once. Modules, classes, functions and torch's
    models count as nothing: they are shared with the rest of the process.
    """
    seen: dict[int, object] = {}  # with the objects, lest one that was made here is freed and its id comes again
    blocks: dict[object, int] = {}
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if id(item) in seen:
            continue
        if len(seen) >= _MAX_OBJECTS:
            return math.inf
        seen[id(item)] = item
        block, size, parts = _measure(item)
        blocks[block] = max(size, blocks.get(block, 0))
        waiting.extend(parts)
    return sum(blocks.values())


def _measure(item: Any) -> tuple[object, int, Iterable[object]]:
    """The memory that one object holds without its parts, by a name that all have who share it; its bytes; the parts,
    of which a view's owner is one."""
    own = id(item)
    if isinstance(item, np.ndarray):
        return own, _array_bytes(item), _array_parts(item)
    if isinstance(item, PIL.Image.Image):
        return own, item.width * item.height * _PIXEL_BYTES.get(item.mode, 4), _members(item)
    if callable(getattr(item, "element_size", None)) and callable(getattr(item, "numel", None)):
        return *_tensor_memory(item), ()
    if isinstance(item, memoryview):
        return own, sys.getsizeof(item), () if item.obj is None else (item.obj,)
    if isinstance(item, io.BytesIO):
        return own, _file_bytes(item), ()
    if isinstance(item, Mapping):
        return own, sys.getsizeof(item, 0), [*item.keys(), *item.values()]
    if isinstance(item, (list, tuple, set, frozenset, deque)):
        return own, sys.getsizeof(item, 0), item
    if isinstance(item, _SHARED) or hasattr(item, "named_parameters"):
        return own, 0, ()
    if isinstance(item, mmap.mmap):
        return own, len(item), ()
    if isinstance(item, (str, bytes, bytearray, array.array, int, float)):
        return own, sys.getsizeof(item), ()
    return own, sys.getsizeof(item, 0), _members(item)


def _array_bytes(item: Array) -> int:
    """An array that owns its memory, or whose owner is hidden in a capsule; a view's owner is counted by itself."""
    hidden = item.base is None or type(item.base).__name__ == "PyCapsule"
    return item.nbytes if item.flags.owndata or hidden else sys.getsizeof(item)


def _array_parts(item: Array) -> list[object]:
    parts: list[object] = [] if item.base is None else [item.base]
    if item.dtype == object:
        # One more than is looked at, so that more are seen to be too many.
        parts += item.ravel()[: _MAX_OBJECTS + 1].tolist()
    return parts


def _file_bytes(file: io.BytesIO) -> int:
    if file.closed:
        return 0
    place = file.tell()
    size = file.seek(0, io.SEEK_END)
    file.seek(place)
    return size


def _tensor_memory(tensor: Any) -> tuple[object, int]:
    """A tensor's storage, which is what it keeps; several tensors may share one."""
    try:
        storage = tensor.untyped_storage()
        return ("storage", str(tensor.device), int(storage.data_ptr())), int(storage.nbytes())
    except Exception:  # sparse, quantized or other tensors without a storage, and other frameworks'
        return id(tensor), _tensor_bytes(tensor)


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
