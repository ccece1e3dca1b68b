"""Weights of the right names and shapes with random values, laid where a function's unmodified loading code looks.

    python -m tools.random_weights [FOLDER]              # lays them for every function, in a copy of `serverless/`
    python -m tools.random_weights --generate [FOLDER]   # regenerates the committed bundles over them

They find nothing sensible: they are for tests, for `make demo-torch`, and for generating bundles where the real ones
cannot be downloaded. In `serverless/` itself they are never laid: `deploy.sh` takes along what lies beside a function,
and nobody would see that it finds nothing.
"""

import argparse
import math
import os
import shutil
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt

SERVERLESS = Path(__file__).resolve().parents[1] / "serverless"


def torchvision(
    torch_home: Path,
    model_name: str,
    weights_name: str = "DEFAULT",
    change: Callable[[Any], object] | None = None,
) -> Any:
    """Writes `model_name`'s checkpoint under `TORCH_HOME`, after `change`, and returns the model itself.

    torchvision looks at a checkpoint's hash only when it downloads it.
    """
    import torch
    import torchvision.models

    weights = torchvision.models.get_model_weights(model_name)[weights_name]
    torch.manual_seed(0)
    # Detectors would otherwise download the weights of their backbones.
    backbone = {"weights_backbone": None} if "rcnn" in model_name else {}
    model = torchvision.models.get_model(
        model_name, weights=None, num_classes=len(weights.meta["categories"]), **backbone
    )
    if change is not None:
        change(model)
    folder = torch_home / "hub" / "checkpoints"
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(model.state_dict(), folder / Path(urlsplit(weights.url).path).name)
    return model.eval()


def checkpoint(table: str, section: str) -> dict[str, Any]:
    """A state dict with the names and shapes of `tools/checkpoints/TABLE.txt`; a weight's values follow from its name.

    Matrices are drawn around 0 by their size, vectors around 1 for norms' weights and variances and around 0 otherwise.
    """
    import torch

    return {name: torch.from_numpy(_values(name, shape)) for name, shape in names(table, section).items()}


def sam(file: Path, size: str = "tiny") -> None:
    """A checkpoint as facebookresearch/segment-anything saves it; sizes are the sections of `checkpoints/sam.txt`."""
    import torch

    torch.save(checkpoint("sam", size), file)


def transt(file: Path) -> None:
    """A checkpoint as TransT saves it."""
    import torch

    torch.save({"net": checkpoint("transt", "transt")}, file)


def names(table: str, section: str) -> dict[str, tuple[int, ...]]:
    """The names and shapes of one section of `tools/checkpoints/TABLE.txt`."""
    text = (Path(__file__).parent / "checkpoints" / f"{table}.txt").read_text(encoding="utf-8")
    lines = text.split(f"[{section}]\n")[1].split("\n\n")[0].splitlines()
    found = {}
    for line in lines:
        pattern, sizes = line.split()
        shape = () if sizes == "scalar" else tuple(int(size) for size in sizes.split("x"))
        found.update(dict.fromkeys(_expanded(pattern), shape))
    return found


def _expanded(pattern: str) -> Iterator[str]:
    before, brace, rest = pattern.partition("{")
    if not brace:
        yield pattern
        return
    numbers, _, after = rest.partition("}")
    for part in numbers.split(","):
        first, _, last = part.partition("-")
        for number in range(int(first), int(last or first) + 1):
            yield f"{before}{number}{after}"


def _values(name: str, shape: tuple[int, ...]) -> npt.NDArray[Any]:
    random = np.random.default_rng(zlib.crc32(name.encode()))
    if name.endswith("num_batches_tracked"):
        return np.zeros(shape, np.int64)
    # As wide as keeps a signal's size from layer to layer.
    centred = random.normal(0, math.sqrt(2 / math.prod(shape[1:])) if len(shape) > 1 else 0.08, shape)
    is_scale = len(shape) == 1 and name.endswith(("weight", "running_var"))
    return (centred + is_scale).astype(np.float32)


def sam2(folder: Path, image_size: int = 128) -> Any:
    """A small SAM 2.1 for videos, saved as the Hugging Face hub's folders are; returns the model."""
    import torch
    from transformers import Sam2ImageProcessor, Sam2Processor, Sam2VideoConfig, Sam2VideoModel

    cells = image_size // 4
    vision = {
        "model_type": "sam2_vision_model",
        "backbone_config": {
            "model_type": "sam2_hiera_det_model",
            "hidden_size": 8,
            "image_size": [image_size, image_size],
            "blocks_per_stage": [1, 1, 2, 1],
            "embed_dim_per_stage": [8, 16, 32, 64],
            "num_attention_heads_per_stage": [1, 2, 4, 8],
            "window_size_per_stage": [8, 4, 4, 2],
            "window_positional_embedding_background_size": [4, 4],
            "global_attention_blocks": [3],
        },
        "backbone_channel_list": [64, 32, 16, 8],
        "backbone_feature_sizes": [[cells, cells], [cells // 2, cells // 2], [cells // 4, cells // 4]],
        "fpn_hidden_size": 128,
    }
    config = Sam2VideoConfig(
        vision_config=vision,
        prompt_encoder_config={"hidden_size": 128, "image_size": image_size},
        mask_decoder_config={"hidden_size": 128, "mlp_dim": 64, "iou_head_hidden_dim": 32, "num_attention_heads": 2},
        image_size=image_size,
        memory_attention_hidden_size=128,
        memory_attention_feed_forward_hidden_size=64,
        memory_attention_num_layers=2,
        memory_attention_rope_feat_sizes=[cells // 4, cells // 4],
        memory_encoder_hidden_size=128,
        memory_encoder_output_channels=64,
        mask_downsampler_embed_dim=128,
        memory_fuser_embed_dim=128,
        memory_fuser_intermediate_dim=64,
    )
    torch.manual_seed(0)
    model = Sam2VideoModel(config).eval()
    with torch.no_grad():
        for name, value in model.named_parameters():
            if value.ndim > 1:
                value.copy_(torch.from_numpy(_values(name, tuple(value.shape))))
        # Random weights would see no object at all.
        model.mask_decoder.pred_obj_score_head.proj_out.bias.fill_(5)
    model.save_pretrained(folder)
    sides = {"height": image_size, "width": image_size}
    Sam2Processor(Sam2ImageProcessor(size=sides, mask_size=sides)).save_pretrained(folder)
    return model


#: What YuNet says of a cell: class, object, box (x, y, log width, log height), five points.
YUNET = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}


def yunet(file: Path, side: int = 64) -> Path:
    """A face detector with YuNet's outputs: at each stride one random convolution for each of them."""
    from onnx import TensorProto, helper, numpy_helper
    from tools import tiny_onnx

    nodes, initializers, outputs = [], [], []
    for name, channels in YUNET.items():
        for stride in (8, 16, 32):
            key = f"{name}_{stride}"
            # Small enough that a box is of its cell's size, however bright the picture.
            kernel = _values(f"yunet.{key}.weight", (channels, 3, stride, stride)) / 64
            initializers += [
                numpy_helper.from_array(kernel.astype(np.float32), f"k_{key}"),
                numpy_helper.from_array(np.array([1, channels, -1]), f"s_{key}"),
            ]
            nodes += [
                helper.make_node("Conv", ["input", f"k_{key}"], [f"c_{key}"], strides=[stride, stride]),
                helper.make_node("Reshape", [f"c_{key}", f"s_{key}"], [f"r_{key}"]),
                helper.make_node("Transpose", [f"r_{key}"], [f"t_{key}"], perm=[0, 2, 1]),
                helper.make_node("Sigmoid" if channels == 1 else "Identity", [f"t_{key}"], [key]),
            ]
            outputs.append(helper.make_tensor_value_info(key, TensorProto.FLOAT, [1, (side // stride) ** 2, channels]))
    return tiny_onnx.save(file, nodes, {"input": [1, 3, side, side]}, outputs, None, initializers)


def yolo(file: Path, labels: list[str], side: int = 640) -> Path:
    """A detector with v8's outputs: at each stride one random convolution, boxes about the cells, scores of colours."""
    from onnx import TensorProto, helper, numpy_helper
    from tools import tiny_onnx

    nodes, initializers, parts = [], [], []
    for stride in (8, 16, 32):
        cells = side // stride
        kernel = _values(f"yolo.{stride}.weight", (4 + len(labels), 3, stride, stride))
        kernel[4:] *= 2
        y, x = (np.mgrid[0:cells, 0:cells] + 0.5) * stride
        anchors = np.stack([x, y, x * 0 + 6 * stride, x * 0 + 4 * stride])[None].reshape(1, 4, -1)
        values: dict[str, Any] = {
            "kernel": kernel,
            "anchors": anchors.astype(np.float32),
            "split": np.array([4, len(labels)]),
        }
        values |= {"flat": np.array([1, 4 + len(labels), -1]), "low": np.float32(-4)}
        initializers += [
            numpy_helper.from_array(np.asarray(value), f"{name}{stride}") for name, value in values.items()
        ]
        steps: list[tuple[str, list[str], list[str], dict[str, Any]]] = [
            ("Conv", ["images", "kernel#"], ["seen#"], {"strides": [stride, stride]}),
            ("Reshape", ["seen#", "flat#"], ["flattened#"], {}),
            ("Split", ["flattened#", "split#"], ["moves#", "logits#"], {"axis": 1}),
            ("Add", ["moves#", "anchors#"], ["boxes#"], {}),
            ("Add", ["logits#", "low#"], ["lowered#"], {}),
            ("Sigmoid", ["lowered#"], ["scores#"], {}),
            ("Concat", ["boxes#", "scores#"], ["part#"], {"axis": 1}),
        ]
        for kind, inputs, outputs, attributes in steps:
            named = [[name.replace("#", str(stride)) for name in names] for names in (inputs, outputs)]
            nodes.append(helper.make_node(kind, *named, **attributes))
        parts.append(f"part{stride}")
    nodes.append(helper.make_node("Concat", parts, ["output0"], axis=2))
    info = helper.make_tensor_value_info("output0", TensorProto.FLOAT, [1, 4 + len(labels), "anchors"])
    metadata = {"task": "detect", "names": dict(enumerate(labels)), "stride": 32, "imgsz": [side, side]}
    return tiny_onnx.save(file, nodes, {"images": [1, 3, side, side]}, [info], metadata, initializers)


def embedding(file: Path) -> Path:
    """A person's 128 x 256 crop to 64 features: one random convolution, and what of it is above zero."""
    from onnx import TensorProto, helper, numpy_helper
    from tools import tiny_onnx

    kernel = numpy_helper.from_array(_values("reid.weight", (64, 3, 16, 16)), "kernel")
    nodes = [
        helper.make_node("Conv", ["crops", "kernel"], ["seen"], strides=[16, 16]),
        helper.make_node("Relu", ["seen"], ["active"]),
        helper.make_node("ReduceMean", ["active"], ["features"], axes=[2, 3], keepdims=0),
    ]
    info = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["N", 64])
    return tiny_onnx.save(file, nodes, {"crops": ["N", 3, 256, 128]}, [info], initializers=[kernel])


def mask_rcnn(file: Path) -> Path:
    """An OpenVINO IR that sees the same three discs in every picture, as Open Model Zoo's networks answer."""
    import openvino
    from tools import tiny_onnx

    rows, masks = np.zeros((4, 7), np.float32), np.zeros((4, 90, 33, 33), np.float32)
    y, x = np.mgrid[-1:1:33j, -1:1:33j]
    for place, (label, box) in enumerate(
        [(1, (0.1, 0.1, 0.4, 0.6)), (3, (0.5, 0.2, 0.9, 0.5)), (18, (0.3, 0.6, 0.6, 0.9))]
    ):
        rows[place] = [0, label, 0.9 - 0.1 * place, *box]
        masks[place, label - 1] = x**2 + y**2 < 1
    rows[3, 0] = -1
    inputs = {"image_tensor": [1, 3, 480, 640]}
    with tempfile.TemporaryDirectory() as folder:
        graph = tiny_onnx.constants(Path(folder) / "m.onnx", {"reshape_do_2d": rows, "masks": masks}, inputs)
        openvino.save_model(openvino.Core().read_model(graph), file)
    return file


def hub(hf_home: Path, model: str) -> None:
    """A small SAM 2 in the Hugging Face hub's cache under the name of a published one."""
    folder = hf_home / "hub" / f"models--{model.replace('/', '--')}"
    revision = "0" * 40
    (folder / "refs").mkdir(parents=True, exist_ok=True)
    (folder / "refs" / "main").write_text(revision)
    sam2(folder / "snapshots" / revision)


#: What `serverless/pytorch/torchvision-*` ask torchvision for.
TORCHVISION = (
    "fasterrcnn_resnet50_fpn_v2",
    "maskrcnn_resnet50_fpn_v2",
    "keypointrcnn_resnet50_fpn",
    "efficientnet_b0",
)


def beside() -> dict[str, Callable[[Path], object]]:
    """What lies beside a function, by its path in `serverless/`, and what writes it."""
    coco = (SERVERLESS / "onnx/yolo/nuclio/coco.txt").read_text(encoding="utf-8").splitlines()
    return {
        "onnx/yolo/nuclio/yolo.onnx": lambda file: yolo(file, coco),
        "onnx/person-reid/nuclio/person_reid.onnx": embedding,
        "openvino/mask-rcnn/nuclio/mask_rcnn.xml": mask_rcnn,
        "pytorch/sam/nuclio/sam_vit_b_01ec64.pth": sam,
        "pytorch/transt/nuclio/transt.pth": transt,
    }


def lay(folder: Path) -> Iterator[Path]:
    """Copies the functions to `folder/serverless`, with weights; fills `folder/torch` and `folder/huggingface`.

    The copy is made anew, without the weights that lie in the checkout, which may be real; the caches are kept. Yields
    the weights that were written.
    """
    copy, weights = folder / "serverless", beside()
    shutil.rmtree(copy, ignore_errors=True)
    for options in sorted(SERVERLESS.glob("*/*/cvat-nuclio.yaml")):
        here = options.parent.relative_to(SERVERLESS)
        has_weights = any(Path(name).is_relative_to(here) for name in weights)
        ignored = ("aa_runtime", "__pycache__", *(("*.onnx", "*.pth", "*.xml", "*.bin") if has_weights else ()))
        shutil.copytree(options.parent, copy / here, ignore=shutil.ignore_patterns(*ignored))
    for name, write in weights.items():
        write(copy / name)
        yield copy / name
    caches: dict[Path, Callable[[Path], object]] = {
        folder / "huggingface": lambda cache: hub(cache, "facebook/sam2.1-hiera-tiny"),
        **{folder / "torch" / name: lambda mark: _torchvision_once(folder, mark) for name in TORCHVISION},
    }
    for path, write in caches.items():
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            write(path)
            yield path


def environment(folder: Path) -> dict[str, str]:
    """The variables that make torch and the Hugging Face hub look in the caches of `folder`, and nowhere else."""
    cache = folder.resolve()
    return {"TORCH_HOME": f"{cache}/torch", "HF_HOME": f"{cache}/huggingface", "HF_HUB_OFFLINE": "1"}


def generate(folder: Path) -> int:
    """Regenerates the bundles in the copy and brings what was generated back; the exit status."""
    copies = sorted(file.parent for file in folder.glob("serverless/*/*/cvat-nuclio.yaml"))
    words = [sys.executable, "-m", "cvat_nuclio", "generate", *map(str, copies)]
    status = subprocess.run(words, env=os.environ | environment(folder)).returncode
    for copy in copies if status == 0 else []:
        _bring_back(copy, SERVERLESS / copy.relative_to(folder / "serverless"))
    return status


def _bring_back(copy: Path, bundle: Path) -> None:
    new, old = _generated(copy), _generated(bundle)
    for name in [*new, "cvat-nuclio.sums"]:
        if not (bundle / name).exists() or (bundle / name).read_bytes() != (copy / name).read_bytes():
            (bundle / name).parent.mkdir(exist_ok=True)
            shutil.copyfile(copy / name, bundle / name)
            print(bundle / name)
    for name in old - new:
        (bundle / name).unlink(missing_ok=True)


def _generated(bundle: Path) -> set[str]:
    lines = (bundle / "cvat-nuclio.sums").read_text(encoding="utf-8").splitlines()
    return {line.split("  ", 1)[1] for line in lines}


def _torchvision_once(folder: Path, mark: Path) -> None:
    torchvision(folder / "torch", mark.name, change=opinionated)
    mark.touch()


def opinionated(model: Any) -> None:
    """Random detectors are sure of nothing: this one is of its third class, or its first."""
    import torch

    head = getattr(getattr(model, "roi_heads", None), "box_predictor", None)
    if head is not None:
        with torch.no_grad():
            head.cls_score.weight.zero_()
            head.cls_score.bias[min(3, len(head.cls_score.bias) - 1)] = 9


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Lays random weights where every function looks, in a copy of serverless/."
    )
    parser.add_argument("folder", type=Path, nargs="?", default=Path("build/random-weights"))
    parser.add_argument("--generate", action="store_true", help="regenerate the committed bundles over them")
    args = parser.parse_args()
    for path in lay(args.folder):
        print(f"random weights: {path}")
    if args.generate:
        return generate(args.folder)
    print("export " + " ".join(f"{name}={value}" for name, value in environment(args.folder).items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
