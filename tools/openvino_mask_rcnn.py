"""Writes torchvision's Mask R-CNN as an OpenVINO IR: `python -m tools.openvino_mask_rcnn OUT.xml [--size W,H]`.

The weights are torchvision's, downloaded unless they are in TORCH_HOME. Its ONNX export is of no use: OpenVINO 2026
cannot read the loop that pastes the masks.
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np


def save(model: Any, width: int, height: int, file: Path, half: bool = True) -> Path:
    """The IR of one of torchvision's Mask R-CNNs for pictures of one size: boxes, labels, scores, masks.

    `half`: weights in half precision, as OpenVINO writes them by default.
    """
    import torch

    import openvino

    class Lists(torch.nn.Module):  # type: ignore[misc]
        def __init__(self, detector: Any) -> None:
            super().__init__()
            self.detector = detector

        def forward(self, pictures: Any) -> Any:
            (found,) = self.detector([pictures[0]])
            return found["boxes"], found["labels"], found["scores"], found["masks"]

    shape = (1, 3, height, width)
    graph = openvino.convert_model(Lists(model.eval()), example_input=torch.rand(shape), input=[shape])
    openvino.save_model(graph, file, compress_to_fp16=half)
    return file


def random(file: Path) -> Path:
    """One of random weights, which finds ten objects in a picture of 1280 x 720."""
    import torchvision.models

    from tools import random_checkpoints

    model = torchvision.models.get_model(
        "maskrcnn_resnet50_fpn_v2", weights=None, weights_backbone=None, box_detections_per_img=10
    )
    random_checkpoints.opinionated(model)
    return save(model, 1280, 720, file)


def discs(file: Path) -> Path:
    """One that sees the same three discs in every picture, as Open Model Zoo's networks answer."""
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


def main() -> None:
    import torchvision.models

    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("--size", default="1280,800", metavar="W,H", help="of the input; pictures are stretched")
    parser.add_argument("--model", default="maskrcnn_resnet50_fpn_v2")
    args = parser.parse_args()
    width, height = map(int, args.size.split(","))
    save(torchvision.models.get_model(args.model, weights="DEFAULT"), width, height, args.output)


if __name__ == "__main__":
    main()
