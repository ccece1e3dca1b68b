"""numpy arrays and scalars: dtype, order, shape, bytes.

What a state's arrays have in common from frame to frame is worked out once: whether a dtype can be encoded, and what
a header means.
"""

import math
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np

from aa_runtime.state import tags
from aa_runtime.state.faults import DecodeError, EncodeError
from aa_runtime.state.headers import REMEMBERED, read_header, write_header

#: Byte order, kind, size, unit of times. No objects, no structures.
_DTYPE: Final = r"[<>|=](?:[biufcSUV][0-9]{1,9}|[mM]8(?:\[[0-9]{0,9}[A-Za-z]{1,3}\])?)"
_SCALAR: Final = re.compile(_DTYPE)
_HEADER: Final = re.compile(rf"([CF])({_DTYPE})((?: [0-9]{{1,19}})*)")


class _Layout(NamedTuple):
    """What a header says."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    order: Any
    size: int
    """Bytes."""


class _Arrays:
    """`[header, bytes]`, the header such as `C<f4 64 64`; memory order and byte order are kept, views become
    arrays of their own."""

    tag = tags.ARRAY

    def take_apart(self, value: np.ndarray[Any, Any]) -> list[Any]:
        """EncodeError for arrays of objects and structures."""
        if value.flags.fnc:
            return [_header("F", value.dtype, value.shape), value.tobytes("A")]
        return [_header("C", value.dtype, value.shape), value.tobytes()]

    def put_together(self, part: Callable[[], Any]) -> np.ndarray[Any, Any]:
        """DecodeError unless the bytes are exactly what the shape needs."""
        header, data = read_header(part)
        layout = _layout(header)
        if layout.size != len(data):
            raise DecodeError("damaged")
        return np.ndarray(layout.shape, layout.dtype, data, order=layout.order).copy("K")


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

    def put_together(self, part: Callable[[], Any]) -> Any:
        """DecodeError unless the bytes are one item."""
        name, data = part(), part()
        if name == "U" and type(data) is str:
            return np.str_(data)
        if type(data) is not bytes:
            raise DecodeError("damaged")
        if name == "S":
            return np.bytes_(data)
        if type(name) is not str or not _SCALAR.fullmatch(name):
            raise DecodeError("damaged")
        dtype = np.dtype(name)
        if dtype.kind in "US" or dtype.itemsize != len(data):
            raise DecodeError("damaged")
        return np.ndarray((), dtype, data)[()]


@lru_cache(REMEMBERED)
def _header(order: str, dtype: np.dtype[Any], shape: tuple[int, ...]) -> str:
    return write_header(order + _name(dtype), shape, "numpy array")


@lru_cache(REMEMBERED)
def _layout(header: str) -> _Layout:
    found = _HEADER.fullmatch(header)
    if found is None:
        raise DecodeError("damaged")
    order, name, lengths = found.groups()
    dtype, shape = np.dtype(name), tuple(map(int, lengths.split()))
    if not dtype.itemsize:
        raise DecodeError("damaged")
    return _Layout(shape, dtype, order, math.prod(shape) * dtype.itemsize)


def _name(dtype: np.dtype[Any]) -> str:
    # Extension types such as bfloat16 call themselves raw bytes, "<V2", and would come back as those.
    if not _SCALAR.fullmatch(dtype.str) or np.dtype(dtype.str) != dtype:
        raise EncodeError(f"a numpy array of {dtype} cannot be encoded; use a plain number type")
    return dtype.str


ARRAYS: Final = _Arrays()
ARRAY_SCALARS: Final = _ArrayScalars()
