"""Writes torchvision's Mask R-CNN as an OpenVINO IR: `python -m tools.openvino_mask_rcnn OUT.xml [--size W,H]`.

The weights are torchvision's, downloaded unless they are in TORCH_HOME. Its ONNX export is of no use: OpenVINO 2026
cannot read the loop that pastes the masks.
"""

import argparse
from pathlib import Path
from typing import Any


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
