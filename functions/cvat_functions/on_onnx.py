"""What the families on ONNX Runtime share: a graph that takes pictures, on CUDA where there is one."""

from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import onnxruntime

Floats = npt.NDArray[np.float32]
#: ONNX Runtime's words for the devices that a function may be given.
PROVIDERS: Final = {
    "auto": ("CUDAExecutionProvider", "CPUExecutionProvider"),
    "cpu": ("CPUExecutionProvider",),
    "cuda": ("CUDAExecutionProvider",),
}


class Graph:
    """An ONNX file that takes pictures, `[N, 3, H, W]`, as ONNX Runtime runs it.

    `device`: `auto` is CUDA where the installed build has it. `threads`: for each picture; 0 leaves it to ONNX Runtime.
    ValueError for another device or another input, RuntimeError where the device cannot be had.
    """

    def __init__(self, file: Path, device: str = "auto", threads: int = 0) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(str(file), options, providers=_providers(device))
        self._input = self.session.get_inputs()[0]
        shape = self._input.shape
        if len(shape) != 4 or (isinstance(shape[1], int) and shape[1] != 3):
            raise ValueError(f"{file.name} takes {shape}: this function feeds [N, 3, H, W]")
        if self._input.type not in ("tensor(float)", "tensor(float16)"):
            raise ValueError(f"{file.name} takes {self._input.type}: this function feeds tensor(float)")

    @property
    def provider(self) -> str:
        """What the graph really runs on; ONNX Runtime falls back silently."""
        return str(self.session.get_providers()[0])

    @property
    def batch(self) -> int | None:
        """Pictures in a run, where the graph fixes them."""
        return _fixed(self._input.shape[0])

    @property
    def size(self) -> tuple[int | None, int | None]:
        """Width and height, each where the graph fixes it."""
        return _fixed(self._input.shape[3]), _fixed(self._input.shape[2])

    def run(self, batch: Floats) -> list[Floats]:
        """Every output, for the pictures of `batch` first; a graph of half precision gets them in it, and one of more
        pictures gets grey ones too."""
        missing = max(0, (self.batch or 0) - len(batch))
        batch = np.concatenate([batch, np.full((missing, *batch.shape[1:]), 0.5, np.float32)]) if missing else batch
        fed = batch.astype(np.float16) if self._input.type == "tensor(float16)" else batch
        return [np.asarray(output, np.float32) for output in self.session.run(None, {self._input.name: fed})]


def _fixed(dimension: object) -> int | None:
    return dimension if isinstance(dimension, int) else None


def _providers(device: str) -> list[str]:
    if device not in PROVIDERS:
        raise ValueError(f"device is {device!r}; it must be one of {', '.join(PROVIDERS)}")
    available = onnxruntime.get_available_providers()
    providers = [provider for provider in PROVIDERS[device] if provider in available]
    if not providers:
        raise RuntimeError(f"this onnxruntime cannot use {device}: it has {', '.join(available)}")
    return providers
