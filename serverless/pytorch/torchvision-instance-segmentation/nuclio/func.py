r"""cvat-sdk's torchvision functions as they are, on the GPU where there is one, with boxes kept on the picture.

The function is `cvat_sdk.auto_annotation.functions.torchvision_TASK`, unmodified. By itself it stays on the CPU, keeps
what gradients would need, and its instance segmentation fails on a picture when rounding puts a box that touches the
border a hair beyond it. Hooks on its model see to these three.

    cvat-cli task auto-annotate TASK --function-file func.py \
        -p task=str:detection -p model_name=str:fasterrcnn_resnet50_fpn_v2
"""

import importlib
import sys
import time
from typing import Any, Final

import torch

TASKS: Final = ("detection", "instance_segmentation", "keypoint_detection", "classification")


def place(model: torch.nn.Module, device: torch.device) -> None:
    """Puts a model on a device without its callers noticing: pictures go there, results come back."""
    model.to(device).requires_grad_(False)

    def go(module: torch.nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(
            [one.to(device) for one in value] if isinstance(value, list) else value.to(device) for value in args
        )

    def come_back(module: torch.nn.Module, args: tuple[Any, ...], results: Any) -> Any:
        if isinstance(results, torch.Tensor):
            return results.cpu()
        return [on_picture(result, image.shape[-2:]) for result, image in zip(results, args[0], strict=True)]

    model.register_forward_pre_hook(go)
    model.register_forward_hook(come_back)


def on_picture(result: dict[str, torch.Tensor], size: tuple[int, int]) -> dict[str, torch.Tensor]:
    """One picture's objects on the CPU, their boxes within its height and width, without those that are left empty."""
    found = {name: value.cpu() for name, value in result.items()}
    height, width = size
    boxes = found["boxes"].clamp(min=0).minimum(torch.tensor([width, height, width, height], dtype=torch.float32))
    found["boxes"] = boxes
    kept = (boxes[:, 2:] > boxes[:, :2]).all(1)
    return {name: value[kept] for name, value in found.items()}


def describe(device: torch.device) -> str:
    """The device, for the log."""
    if device.type != "cuda":
        return f"cpu, {torch.get_num_threads()} threads"
    free, total = torch.cuda.mem_get_info(device)
    return f"{torch.cuda.get_device_name(device)}, {free / 2**30:.1f} of {total / 2**30:.1f} GiB free"


def create(task: str, model_name: str, weights_name: str = "DEFAULT", device: str | None = None, **kwargs: Any) -> Any:
    """cvat-sdk's function for `task`: detection, instance_segmentation, keypoint_detection or classification.

    `model_name`, `weights_name` and what else torchvision's model takes (`box_score_thresh=float:0.3`) are passed on.
    """
    if task not in TASKS:
        raise ValueError(f"task is {task!r}: one of {', '.join(TASKS)}")
    started = time.monotonic()
    module = importlib.import_module(f"cvat_sdk.auto_annotation.functions.torchvision_{task}")
    function = module.create(model_name, weights_name, **kwargs)
    chosen = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    place(function._model, chosen)
    seconds = time.monotonic() - started
    print(f"{model_name} {weights_name}: loaded in {seconds:.1f} s, on {describe(chosen)}", file=sys.stderr, flush=True)
    return function
