"""Values of libraries: scalars that say what they are, and bytes.

A library is looked for only where a state holds its values: a function without numpy or torch does without.
"""

import math
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final

from aa_runtime.state import tags
from aa_runtime.state.faults import DecodeError, EncodeError

Parts = list[Any]
#: What scalars and bytes a value is taken apart into. EncodeError where they could not say all of it.
TakeApart = Callable[[Any], tuple[Parts, bytes]]
#: Gives the next bytes of a state.
Take = Callable[[int], memoryview]

_NUMBERS: Final = {"i": (2, 4, 8), "u": (2, 4, 8), "f": (2, 4, 8), "c": (8, 16)}
#: Numbers alone: no objects, structures, texts or times. Another library's types name themselves "<V2".
_DTYPES: Final = frozenset({"|b1", "|i1", "|u1"}).union(
    f"{order}{kind}{size}" for order in "<>" for kind, sizes in _NUMBERS.items() for size in sizes
)
#: No quantized ones, whose numbers mean nothing without their scale.
_TENSOR_DTYPES: Final = frozenset(
    {"bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "float16", "float32", "float64"}
    | {"bfloat16", "float8_e4m3fn", "float8_e5m2", "complex64", "complex128"}
)
#: Dimensions of an empty array may be anything; functions allocate by them.
_LARGEST: Final = 2**31


def adapter_of(value: object) -> tuple[int, TakeApart] | None:
    """The tag of a library's value, and what takes it apart; None for a value of no known library."""
    numpy, torch = map(sys.modules.get, ("numpy", "torch"))
    if numpy is not None and type(value) is numpy.ndarray:
        return tags.ARRAY, _array_parts
    if numpy is not None and isinstance(value, numpy.generic):
        return tags.NUMBER, lambda number: ([_dtype_name(number.dtype)], number.tobytes())
    if torch is not None and type(value) is torch.Tensor:
        return tags.TENSOR, _tensor_parts
    return None


def read_array(parts: Parts, take: Take) -> Any:
    """DecodeError or any other exception for parts that make no sense, as with all of these; memory is taken only
    for bytes that are there."""
    import numpy as np

    name, order, *shape = parts
    dtype = np.dtype(_known(name, _DTYPES))
    data = take(_size(shape, dtype.itemsize))
    return np.ndarray(shape, dtype, data, order=_known(order, "CF")).copy("K")


def read_number(parts: Parts, take: Take) -> Any:
    """A numpy scalar."""
    import numpy as np

    (name,) = parts
    dtype = np.dtype(_known(name, _DTYPES))
    return np.frombuffer(take(dtype.itemsize), dtype)[0]


def read_tensor(parts: Parts, take: Take) -> Any:
    """A tensor that was on an accelerator comes back on the one of this worker, or on the CPU where it has none."""
    torch = sys.modules.get("torch")
    if torch is None:
        raise DecodeError("a torch tensor, but this function does not use torch")
    name, device, *shape = parts
    dtype = getattr(torch, _known(name, _TENSOR_DTYPES))
    data = take(_size(shape, dtype.itemsize))
    made = torch.frombuffer(bytearray(data), dtype=dtype).reshape(shape) if data else torch.empty(shape, dtype=dtype)
    return made if device == "cpu" else made.to(_accelerator(torch))


def _array_parts(value: Any) -> tuple[Parts, bytes]:
    """Memory order and byte order are kept; views become arrays of their own."""
    order = "F" if value.flags.fnc else "C"
    return [_dtype_name(value.dtype), order, *value.shape], value.tobytes(order)


def _dtype_name(dtype: Any) -> str:
    if dtype.str not in _DTYPES:
        raise EncodeError(f"numpy values of {dtype} have no encoding; use a plain number type")
    name: str = dtype.str
    return name


def _tensor_parts(value: Any) -> tuple[Parts, bytes]:
    """Gradients, strides and shared storage are not kept."""
    torch = sys.modules["torch"]
    name, device = str(value.dtype).removeprefix("torch."), value.device.type
    if value.layout is not torch.strided or device == "meta" or name not in _TENSOR_DTYPES:
        raise EncodeError(f"a {value.layout} tensor of {value.dtype} on {device} has no encoding")
    parts = [name, device, *value.shape]
    try:
        return parts, value.numpy(force=True).tobytes()
    except TypeError:  # a dtype that numpy does not have
        flat = value.detach().cpu().contiguous().reshape(-1)
        return parts, flat.view(torch.uint8).numpy().tobytes() if flat.numel() else b""


def _known(name: Any, names: frozenset[str] | str) -> Any:
    if type(name) is not str or name not in names:
        raise DecodeError("damaged")
    return name


def _size(shape: Sequence[Any], item: int) -> int:
    """Bytes of that many items."""
    if any(type(length) is not int or length < 0 for length in shape):
        raise DecodeError("damaged")
    if math.prod(length or 1 for length in shape) > _LARGEST:
        raise DecodeError("damaged")
    size: int = math.prod(shape) * item
    return size


def _accelerator(torch: Any) -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
