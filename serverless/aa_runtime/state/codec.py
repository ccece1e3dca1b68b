"""A state ↔ bytes."""

import sys
from typing import Any

from aa_runtime.state.classes import ClassTable
from aa_runtime.state.faults import DecodeError, TooLargeError
from aa_runtime.state.reader import Reader
from aa_runtime.state.wire import pack, unpack
from aa_runtime.state.writer import Ways, Writer

_NO_CLASSES = ClassTable()


class Codec:
    """A tagged encoding of plain data, within limits and without pickle.

    It knows None, bool, int, float, complex, str, bytes, bytearray, list, tuple, deque, dict, OrderedDict,
    set, frozenset, numpy arrays and scalars, Pillow images, torch tensors, and dataclasses, attrs classes,
    named tuples and enums of the classes in `table`. References to one list, dict, set, array, image, tensor
    or object stay references to one; what contains itself is refused. Views of one array's memory become
    arrays of their own. Objects are made without calling their class.
    """

    def __init__(self, table: ClassTable = _NO_CLASSES, limit: int = 2**26) -> None:
        """`limit` is the most bytes of one encoded state."""
        self._table = table
        self._ways = Ways(table)
        self._limit = limit

    def encode(self, value: Any) -> bytes:
        """EncodeError names the first part that has no encoding."""
        writer = Writer(self._ways)
        writer.write(value)
        data = pack(writer.tags, [len(writer.classes), *writer.classes, *writer.scalars])
        if len(data) > self._limit:
            raise TooLargeError(f"{len(data)} bytes; at most {self._limit} are accepted")
        return data

    def heaviest(self, value: Any) -> str:
        """The path of the largest part of a state that is known to be encodable, for an error's text."""
        if isinstance(value, dict):
            parts = {f"state[{key!r:.40}]": part for key, part in value.items()}
        elif isinstance(value, (list, tuple)):
            parts = {f"state[{index}]": part for index, part in enumerate(value)}
        else:
            parts = {f"state.{name}": part for name, part in getattr(value, "__dict__", {}).items()}
        unlimited = Codec(self._table, sys.maxsize)
        return max(parts, key=lambda path: len(unlimited.encode(parts[path])), default="state")

    def decode(self, data: bytes) -> Any:
        """DecodeError for anything that `encode` did not make, or made of classes that have changed."""
        if len(data) > self._limit:
            raise DecodeError(f"{len(data)} bytes; at most {self._limit} are accepted")
        rows = unpack(data)
        try:
            reader = Reader(rows, self._table)
            value = reader.read()
            reader.end()
        except (DecodeError, MemoryError):
            raise
        except Exception as fault:  # what libraries and keys raise for parts that make no sense
            raise DecodeError("damaged") from fault
        return value
