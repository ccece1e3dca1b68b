"""ONNX graphs with the inputs and outputs of known networks and constant answers, for tests and the demo."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

import onnx
from onnx import TensorProto, helper, numpy_helper

#: What ONNX Runtime 1.20 and OpenVINO 2024 read; onnx's own default is newer.
OPSET = 17
IR_VERSION = 8


def constants(
    file: Path,
    outputs: Mapping[str, npt.ArrayLike],
    inputs: Mapping[str, Sequence[int | str]],
    metadata: Mapping[str, object] | None = None,
    free: Mapping[str, Sequence[int | str]] | None = None,
    half: bool = False,
) -> Path:
    """A graph that answers `outputs` whatever it is asked. `free`: outputs whose declared shapes have names in them."""
    arrays = {name: np.asarray(value) for name, value in outputs.items()}
    nodes = [helper.make_node("Identity", [f"{name}_value"], [name], name=f"answer_{name}") for name in arrays]
    initializers = [numpy_helper.from_array(value, f"{name}_value") for name, value in arrays.items()]
    infos = [
        helper.make_tensor_value_info(
            name, helper.np_dtype_to_tensor_dtype(value.dtype), (free or {}).get(name, value.shape)
        )
        for name, value in arrays.items()
    ]
    return save(file, nodes, inputs, infos, metadata, initializers, half)


def save(
    file: Path,
    nodes: Sequence[onnx.NodeProto],
    inputs: Mapping[str, Sequence[int | str]],
    outputs: Sequence[onnx.ValueInfoProto],
    metadata: Mapping[str, object] | None = None,
    initializers: Sequence[onnx.TensorProto] = (),
    half: bool = False,
) -> Path:
    """Checks and writes a graph, with its metadata as ultralytics writes it: the text of Python values."""
    kind = TensorProto.FLOAT16 if half else TensorProto.FLOAT
    graph = helper.make_graph(
        list(nodes),
        "tiny",
        [helper.make_tensor_value_info(name, kind, list(shape)) for name, shape in inputs.items()],
        list(outputs),
        list(initializers),
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
    model.ir_version = IR_VERSION
    helper.set_model_props(model, {key: str(value) for key, value in (metadata or {}).items()})
    onnx.checker.check_model(model)
    onnx.save(model, file)
    return file
