"""torch tensors: dtype, device, bytes, shape. torch is used only where the function has imported it."""

import math
import re
import sys
from typing import Any, Final

from aa_runtime.state import tags
from aa_runtime.state.faults import DecodeError, EncodeError

#: No quantized ones, whose numbers mean nothing without their scale.
_DTYPE: Final = re.compile(r"bool|u?int(8|16|32|64)|b?float(16|32|64)|float8_\w+|complex(32|64|128)")


class _Tensors:
    """`[dtype, device type, bytes, *shape]`.

    A tensor that was on an accelerator comes back on the one of the worker that decodes it, or on the CPU
    where that worker has none. Gradients, strides and shared storage are not kept.
    """

    tag = tags.TENSOR

    def take_apart(self, value: Any) -> list[Any]:
        """EncodeError for sparse and quantized tensors, and those without data."""
        torch = _torch()
        name = str(value.dtype).removeprefix("torch.")
        if value.layout is not torch.strided or value.device.type == "meta" or not _DTYPE.fullmatch(name):
            raise EncodeError(f"a {value.layout} tensor of {value.dtype} on {value.device} has no encoding")
        flat = value.detach().resolve_conj().resolve_neg().cpu().contiguous().reshape(-1)
        data = flat.view(torch.uint8).numpy().tobytes() if flat.numel() else b""
        return [name, value.device.type, data, *value.shape]

    def put_together(self, parts: list[Any]) -> Any:
        """DecodeError unless the bytes are exactly what the shape needs."""
        torch = _torch()
        name, device, data, *shape = parts
        if type(name) is not str or not _DTYPE.fullmatch(name):
            raise DecodeError("damaged")
        dtype = getattr(torch, name)
        if type(data) is not bytes or type(device) is not str:
            raise DecodeError("damaged")
        if not all(type(length) is int and 0 <= length < 2**62 for length in shape):
            raise DecodeError("damaged")
        if math.prod(shape) * dtype.itemsize != len(data):
            raise DecodeError("damaged")
        if not data:
            return torch.empty(shape, dtype=dtype, device=_device(device))
        flat = torch.frombuffer(bytearray(data), dtype=torch.uint8).view(dtype)
        return flat.reshape(shape).to(_device(device))


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
