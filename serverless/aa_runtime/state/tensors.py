"""torch tensors: dtype, device, shape, bytes. torch is used only where the function has imported it.

As with arrays, what headers mean is worked out once.
"""

import math
import re
import sys
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, NamedTuple

from aa_runtime.state import tags
from aa_runtime.state.faults import DecodeError, EncodeError
from aa_runtime.state.headers import REMEMBERED, read_header, write_header

#: No quantized ones, whose numbers mean nothing without their scale.
_DTYPE: Final = r"(?:bool|u?int(?:8|16|32|64)|b?float(?:16|32|64)|float8_\w{1,20}|complex(?:32|64|128))"
_HEADER: Final = re.compile(rf"({_DTYPE}) ([a-z]{{1,20}})((?: [0-9]{{1,18}})*)")


class _Layout(NamedTuple):
    """What a header says."""

    shape: tuple[int, ...]
    dtype: Any
    device: str
    """Type of the device that the tensor was on."""
    size: int
    """Bytes."""


class _Tensors:
    """`[header, bytes]`, the header such as `float32 cpu 64 64`.

    A tensor that was on an accelerator comes back on the one of the worker that decodes it, or on the CPU
    where that worker has none. Gradients, strides and shared storage are not kept.
    """

    tag = tags.TENSOR

    def take_apart(self, value: Any) -> list[Any]:
        """EncodeError for sparse and quantized tensors, and those without data."""
        header = _header(value.dtype, value.layout, value.device.type, value.shape)
        try:
            return [header, value.numpy(force=True).tobytes()]
        except TypeError:  # a dtype that numpy does not have
            flat = value.detach().resolve_conj().resolve_neg().cpu().contiguous().reshape(-1)
            return [header, flat.view(_torch().uint8).numpy().tobytes() if flat.numel() else b""]

    def put_together(self, part: Callable[[], Any]) -> Any:
        """DecodeError unless the bytes are exactly what the shape needs."""
        torch = _torch()
        header, data = read_header(part)
        layout = _layout(header)
        if layout.size != len(data):
            raise DecodeError("damaged")
        if not data:
            return torch.empty(layout.shape, dtype=layout.dtype, device=_device(layout.device))
        flat = torch.frombuffer(bytearray(data), dtype=layout.dtype)
        made = flat if len(layout.shape) == 1 else flat.reshape(layout.shape)
        return made if layout.device == "cpu" else made.to(_device(layout.device))


@lru_cache(REMEMBERED)
def _header(dtype: Any, layout: Any, device: str, shape: tuple[int, ...]) -> str:
    words = f"{str(dtype).removeprefix('torch.')} {device}"
    if layout is not _torch().strided or device == "meta" or not _HEADER.fullmatch(words):
        raise EncodeError(f"a {layout} tensor of {dtype} on {device} has no encoding")
    return write_header(words, shape, "tensor")


@lru_cache(REMEMBERED)
def _layout(header: str) -> _Layout:
    found = _HEADER.fullmatch(header)
    if found is None:
        raise DecodeError("damaged")
    name, device, lengths = found.groups()
    dtype, shape = getattr(_torch(), name), tuple(map(int, lengths.split()))
    return _Layout(shape, dtype, device, math.prod(shape) * dtype.itemsize)


def _torch() -> Any:
    torch = sys.modules.get("torch")
    if torch is None:
        raise DecodeError("a torch tensor, but this function does not use torch")
    return torch


def _device(kind: str) -> str:
    """The device for a tensor that was on a device of this kind."""
    torch = _torch()
    if kind != "cpu":
        if torch.cuda.is_available():
            return "cuda"
        if torch.backends.mps.is_available():
            return "mps"
    return "cpu"


TENSORS: Final = _Tensors()
