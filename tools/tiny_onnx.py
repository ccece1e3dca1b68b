"""ONNX graphs with the inputs and outputs of known networks, for tests and the demo: constant or random answers.

onnx is imported where a graph is made: tests of other formats take random values from here too, and are collected where
it is not installed.
"""

import math
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import onnx

#: What ONNX Runtime 1.20 and OpenVINO 2024 read; onnx's own default is newer.
OPSET = 17
IR_VERSION = 8
#: What YuNet says of a cell: class, object, box (x, y, log width, log height), five points.
YUNET = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}
STRIDES = (8, 16, 32)

Values = Mapping[str, npt.ArrayLike]
Metadata = Mapping[str, object] | None


def random_values(name: str, shape: tuple[int, ...]) -> npt.NDArray[Any]:
    """A weight's values, which follow from its name.

    Matrices are drawn around 0 by their size, vectors around 1 for norms' weights and variances and around 0 otherwise.
    """
    random = np.random.default_rng(zlib.crc32(name.encode()))
    if name.endswith("num_batches_tracked"):
        return np.zeros(shape, np.int64)
    # As wide as keeps a signal's size from layer to layer.
    centred = random.normal(0, math.sqrt(2 / math.prod(shape[1:])) if len(shape) > 1 else 0.08, shape)
    is_scale = len(shape) == 1 and name.endswith(("weight", "running_var"))
    return (centred + is_scale).astype(np.float32)


def constants(
    file: Path,
    outputs: Values,
    inputs: Mapping[str, Sequence[int | str]],
    metadata: Metadata = None,
    free: Mapping[str, Sequence[int | str]] | None = None,
    half: bool = False,
) -> Path:
    """A graph that answers `outputs` whatever it is asked. `free`: outputs whose declared shapes have names in them."""
    from onnx import TensorProto, helper

    arrays = {name: np.asarray(value) for name, value in outputs.items()}
    nodes = [helper.make_node("Identity", [f"{name}_value"], [name], name=f"answer_{name}") for name in arrays]
    infos = [
        helper.make_tensor_value_info(
            name, helper.np_dtype_to_tensor_dtype(value.dtype), (free or {}).get(name, value.shape)
        )
        for name, value in arrays.items()
    ]
    kind = TensorProto.FLOAT16 if half else TensorProto.FLOAT
    asked = [helper.make_tensor_value_info(name, kind, list(shape)) for name, shape in inputs.items()]
    values = {f"{name}_value": value for name, value in arrays.items()}
    return _save(file, helper.make_graph(nodes, "constants", asked, infos), values, metadata)


def graph(file: Path, text: str, values: Values | None = None, metadata: Metadata = None) -> Path:
    """The graph that `text` writes as ONNX's parser reads it, `name (inputs) => (outputs) { nodes }`.

    `values`: its weights by their names.
    """
    from onnx import parser

    return _save(file, parser.parse_graph(text), values or {}, metadata)


def _save(file: Path, made: "onnx.GraphProto", values: Values, metadata: Metadata) -> Path:
    """Checks and writes a graph, with its metadata as ultralytics writes it: the text of Python values."""
    import onnx
    from onnx import helper, numpy_helper

    made.initializer.extend(numpy_helper.from_array(np.asarray(value), name) for name, value in values.items())
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)])
    model.ir_version = IR_VERSION
    helper.set_model_props(model, {key: str(value) for key, value in (metadata or {}).items()})
    onnx.checker.check_model(model)
    onnx.save(model, file)
    return file


def yunet(file: Path, side: int = 64) -> Path:
    """A face detector with YuNet's outputs: at each stride one random convolution for each of them."""
    nodes, values, outputs = list[str](), dict[str, npt.NDArray[Any]](), list[str]()
    for name, channels in YUNET.items():
        for stride in STRIDES:
            key = f"{name}_{stride}"
            # Small enough that a box is of its cell's size, however bright the picture.
            values[f"kernel_{key}"] = random_values(f"yunet.{key}.weight", (channels, 3, stride, stride)) / 64
            nodes.append(f"""
                seen_{key} = Conv <strides = [{stride}, {stride}]> (input, kernel_{key})
                shape_{key} = Constant <value_ints = [1, {channels}, -1]> ()
                flat_{key} = Reshape (seen_{key}, shape_{key})
                cells_{key} = Transpose <perm = [0, 2, 1]> (flat_{key})
                {key} = {"Sigmoid" if channels == 1 else "Identity"} (cells_{key})""")
            outputs.append(f"float[1, {(side // stride) ** 2}, {channels}] {key}")
    head = f"yunet (float[1, 3, {side}, {side}] input) => ({', '.join(outputs)})"
    return graph(file, f"{head} {{{''.join(nodes)}}}", values)


def yolo(file: Path, labels: list[str], side: int = 640) -> Path:
    """A detector with v8's outputs: at each stride one random convolution, boxes about the cells, scores of colours."""
    nodes, values = list[str](), dict[str, npt.NDArray[Any]]()
    rows = 4 + len(labels)
    for stride in STRIDES:
        cells = side // stride
        kernel = random_values(f"yolo.{stride}.weight", (rows, 3, stride, stride))
        kernel[4:] *= 2
        y, x = (np.mgrid[0:cells, 0:cells] + 0.5) * stride
        anchors = np.stack([x, y, x * 0 + 6 * stride, x * 0 + 4 * stride]).reshape(1, 4, -1)
        values |= {f"kernel{stride}": kernel, f"anchors{stride}": anchors.astype(np.float32)}
        nodes.append(f"""
            seen{stride} = Conv <strides = [{stride}, {stride}]> (images, kernel{stride})
            flat{stride} = Reshape (seen{stride}, shape)
            moves{stride}, logits{stride} = Split <axis = 1> (flat{stride}, split)
            boxes{stride} = Add (moves{stride}, anchors{stride})
            lowered{stride} = Add (logits{stride}, low)
            scores{stride} = Sigmoid (lowered{stride})
            part{stride} = Concat <axis = 1> (boxes{stride}, scores{stride})""")
    text = f"""yolo (float[1, 3, {side}, {side}] images) => (float[1, {rows}, anchors] output0) {{
        shape = Constant <value_ints = [1, {rows}, -1]> ()
        split = Constant <value_ints = [4, {len(labels)}]> ()
        low = Constant <value_float = -4.0> ()
        {"".join(nodes)}
        output0 = Concat <axis = 2> (part8, part16, part32)
    }}"""
    metadata = {"task": "detect", "names": dict(enumerate(labels)), "stride": 32, "imgsz": [side, side]}
    return graph(file, text, values, metadata)


def embedding(file: Path) -> Path:
    """A person's 128 x 256 crop to 64 features: one random convolution, and what of it is above zero."""
    text = """reid (float[N, 3, 256, 128] crops) => (float[N, 64] features) {
        seen = Conv <strides = [16, 16]> (crops, kernel)
        active = Relu (seen)
        features = ReduceMean <axes = [2, 3], keepdims = 0> (active)
    }"""
    return graph(file, text, {"kernel": random_values("reid.weight", (64, 3, 16, 16))})
