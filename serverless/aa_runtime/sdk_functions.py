"""cvat-sdk's own torchvision functions, made ready for a worker: on the GPU where there is one, with boxes kept on the
picture.

By themselves they stay on the CPU, keep what gradients would need, and instance segmentation fails on a whole picture
when rounding puts a box that touches the border a hair beyond it: torchvision gives 240.00002 for the border of some
pictures, and cvat-sdk's mask coding then raises. Hooks on their model see to these three. The functions themselves
stay as they are, and so does every other function.
"""

import os
import sys
from typing import Any, Final

from cvat_sdk.version import VERSION

from aa_runtime.log import Log

#: The environment variable that names a device as torch does: `cpu`, `cuda:1`.
DEVICE_ENV: Final = "AA_DEVICE"
#: What the modules of these functions are called.
MODULES: Final = "cvat_sdk.auto_annotation.functions.torchvision_"


def is_torchvision(function: object) -> bool:
    """Whether cvat-sdk itself has this function's class. Classes derived from one are somebody else's."""
    return type(function).__module__.startswith(MODULES)


def place(function: object, log: Log) -> None:
    """Puts one of cvat-sdk's torchvision functions on the device that `AA_DEVICE` names, else on CUDA where torch sees
    it, else on the CPU, and logs what runs where. Leaves other functions alone.

    A version of cvat-sdk that keeps its model elsewhere is left on the CPU, with a warning. Raises ValueError for an
    `AA_DEVICE` that torch cannot use, and what torch raises where the model does not fit.
    """
    if not is_torchvision(function):
        return
    # The function has imported it; nothing here may.
    torch: Any = sys.modules.get("torch")
    model = getattr(function, "_model", None)
    if torch is None or not isinstance(model, torch.nn.Module):
        log.warn(
            "%s of cvat-sdk %s keeps its model in an unknown place: it runs as it is, on the CPU",
            type(function).__name__,
            VERSION,
        )
        return
    device = _placed(torch, model)
    log.info("%s with %s, %s", type(model).__name__, _contents(function, model), _described(torch, device))


def _placed(torch: Any, model: Any) -> Any:
    """The device that the model now is on."""
    wanted = os.environ.get(DEVICE_ENV, "").strip()
    if not wanted:
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        _hook(model, device)
        return device
    try:
        device = torch.device(wanted)
        _hook(model, device)
    except Exception as fault:
        raise ValueError(f"{DEVICE_ENV}={wanted}: torch cannot use that device: {fault}") from fault
    return device


def _hook(model: Any, device: Any) -> None:
    """Puts the model on a device without its callers noticing: pictures go there, results come back."""
    model.to(device).requires_grad_(False)

    def go(module: Any, args: tuple[Any, ...]) -> Any:
        return _moved(args, device)

    def come_back(module: Any, args: tuple[Any, ...], results: Any) -> Any:
        results = _moved(results, "cpu")
        if not isinstance(results, list):
            return results
        return [_on_picture(result, image.shape[-2:]) for result, image in zip(results, args[0], strict=True)]

    model.register_forward_pre_hook(go)
    model.register_forward_hook(come_back)


def _moved(value: Any, device: Any) -> Any:
    """A tensor on a device, or the tensors in lists and dicts."""
    if isinstance(value, dict):
        return {name: _moved(one, device) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_moved(one, device) for one in value)
    return value.to(device)


def _on_picture(found: dict[str, Any], size: tuple[int, int]) -> dict[str, Any]:
    """One picture's objects, their boxes within its height and width, without those that are left empty."""
    height, width = size
    boxes = found["boxes"].clamp(min=0)
    boxes = boxes.minimum(boxes.new_tensor([width, height, width, height]))
    found = {**found, "boxes": boxes}
    kept = (boxes[:, 2:] > boxes[:, :2]).all(1)
    # Copied only where something goes: a hundred masks of a large picture are gigabytes.
    return found if kept.all() else {name: value[kept] for name, value in found.items()}


def _contents(function: object, model: Any) -> str:
    """What was loaded: the weights' name in torchvision, and their size."""
    tensors = [*model.parameters(), *model.buffers()]
    size = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
    return f"{getattr(function, '_weights', 'weights')}, {size / 2**20:.0f} MiB"


def _described(torch: Any, device: Any) -> str:
    if device.type != "cuda":
        return f"on {device}, {torch.get_num_threads()} threads" if device.type == "cpu" else f"on {device}"
    free, total = torch.cuda.mem_get_info(device)
    name = torch.cuda.get_device_name(device)
    return f"on {device}, {name}, {free / 2**30:.1f} of {total / 2**30:.1f} GiB free"
