"""A graph that takes pictures, as OpenVINO runs it."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

import openvino

Floats = npt.NDArray[np.float32]


class Network:
    """On the CPU, or on the device that the user named. ValueError for a graph that takes no picture."""

    def __init__(self, file: Path, device: str) -> None:
        core = openvino.Core()
        model = core.read_model(file)
        inputs = [node.any_name for node in model.inputs]
        shapes = {node.any_name: node.partial_shape for node in model.inputs}
        pictures = [name for name in inputs if shapes[name].rank.get_length() >= 3]
        if len(pictures) != 1:
            raise ValueError(f"{file.name}: of the inputs {inputs} not one takes a picture")
        self._picture = pictures[0]
        self._info = next((name for name in inputs if name != self._picture), None)
        dimensions = [d.get_length() if d.is_static else None for d in shapes[self._picture]]
        self._batched = len(dimensions) == 4
        self._channels_last = dimensions[-1] == 3
        sides = (dimensions[-3:-1] if self._channels_last else dimensions[-2:])[::-1]
        #: Width and height, where the graph fixes them.
        self.fixed = (sides[0], sides[1]) if sides[0] and sides[1] else None
        # Results must not depend on how many other requests the device is working on.
        self._compiled = core.compile_model(model, device, {"PERFORMANCE_HINT": "LATENCY"})
        self.full_device_name: str = core.get_property(device, "FULL_DEVICE_NAME")

    def __call__(self, pixels: Floats) -> list[Floats]:
        """Every output for one H x W x 3 picture."""
        batch = pixels if self._channels_last else pixels.transpose(2, 0, 1)
        feed = {self._picture: np.ascontiguousarray(batch[None] if self._batched else batch, np.float32)}
        if self._info is not None:
            feed[self._info] = np.array([[*pixels.shape[:2], 1]], np.float32)
        answer = self._compiled(feed)
        return [np.asarray(answer[port]) for port in self._compiled.outputs]
