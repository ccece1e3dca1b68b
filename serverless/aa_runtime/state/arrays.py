"""numpy arrays and scalars: dtype, order, bytes, shape."""

import math
import re
from typing import Any, Final

import numpy as np

from aa_runtime.state import tags
from aa_runtime.state.faults import DecodeError, EncodeError

#: Byte order, kind, size, unit of times. No objects, no structures.
_DTYPE: Final = re.compile(r"[<>|=](?:[biufcSUV][0-9]{1,9}|[mM]8(?:\[[0-9]{0,9}[A-Za-z]{1,3}\])?)")


class _Arrays:
    """`[dtype, order, bytes, *shape]`; memory order and byte order are kept, views become arrays of their
    own."""

    tag = tags.ARRAY

    def take_apart(self, value: np.ndarray[Any, Any]) -> list[Any]:
        """EncodeError for arrays of objects and structures."""
        order = "F" if value.flags.fnc else "C"
        return [_name(value.dtype), order, value.tobytes("A" if order == "F" else "C"), *value.shape]

    def put_together(self, parts: list[Any]) -> np.ndarray[Any, Any]:
        """DecodeError unless the bytes are exactly what the shape needs."""
        name, order, data, *shape = parts
        dtype = _dtype(name)
        if type(data) is not bytes or not all(type(length) is int and length >= 0 for length in shape):
            raise DecodeError("damaged")
        if order not in ("C", "F") or not dtype.itemsize or math.prod(shape) * dtype.itemsize != len(data):
            raise DecodeError("damaged")
        return np.ndarray(shape, dtype, data, order=order).copy(order="K")


class _ArrayScalars:
    """`[dtype, bytes]`; `["U", str]` or `["S", bytes]` for texts, whose bytes would lose trailing zeros."""

    tag = tags.ARRAY_SCALAR

    def take_apart(self, value: np.generic) -> list[Any]:
        """EncodeError for structures."""
        if isinstance(value, np.str_):
            return ["U", str(value)]
        if isinstance(value, np.bytes_):
            return ["S", bytes(value)]
        return [_name(value.dtype), value.tobytes()]

    def put_together(self, parts: list[Any]) -> Any:
        """DecodeError unless the bytes are one item."""
        name, data = parts
        if name == "U" and type(data) is str:
            return np.str_(data)
        if type(data) is not bytes:
            raise DecodeError("damaged")
        if name == "S":
            return np.bytes_(data)
        dtype = _dtype(name)
        if dtype.kind in "US" or dtype.itemsize != len(data):
            raise DecodeError("damaged")
        return np.ndarray((), dtype, data)[()]


def _name(dtype: np.dtype[Any]) -> str:
    # Extension types such as bfloat16 call themselves raw bytes, "<V2", and would come back as those.
    if not _DTYPE.fullmatch(dtype.str) or np.dtype(dtype.str) != dtype:
        raise EncodeError(f"a numpy array of {dtype} cannot be encoded; use a plain number type")
    return dtype.str


def _dtype(name: object) -> np.dtype[Any]:
    if not isinstance(name, str) or not _DTYPE.fullmatch(name):
        raise DecodeError("damaged")
    return np.dtype(name)


ARRAYS: Final = _Arrays()
ARRAY_SCALARS: Final = _ArrayScalars()
