"""PyTorch checkpoints of the right names and shapes with random values, of torchvision, SAM and TransT."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import torch
import torchvision.models

from tools.tiny_onnx import random_values

CHECKPOINTS = Path(__file__).parent / "checkpoints"


def of_torchvision(torch_home: Path, model_name: str, change: Callable[[Any], object] | None = None) -> Any:
    """Writes `model_name`'s checkpoint under `TORCH_HOME`, after `change`, and returns the model itself.

    torchvision looks at a checkpoint's hash only when it downloads it.
    """
    weights = torchvision.models.get_model_weights(model_name)["DEFAULT"]
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


def opinionated(model: Any) -> None:
    """Random detectors are sure of nothing: this one is of its third class, or its first."""
    head = getattr(getattr(model, "roi_heads", None), "box_predictor", None)
    if head is not None:
        with torch.no_grad():
            head.cls_score.weight.zero_()
            head.cls_score.bias[min(3, len(head.cls_score.bias) - 1)] = 9


def checkpoint(table: str, section: str) -> dict[str, Any]:
    """A state dict with the names and shapes of `tools/checkpoints/TABLE.txt`."""
    return {name: torch.from_numpy(random_values(name, shape)) for name, shape in names(table, section).items()}


def sam(file: Path, size: str = "tiny") -> None:
    """A checkpoint as facebookresearch/segment-anything saves it; sizes are the sections of `checkpoints/sam.txt`."""
    torch.save(checkpoint("sam", size), file)


def transt(file: Path) -> None:
    """A checkpoint as TransT saves it."""
    torch.save({"net": checkpoint("transt", "transt")}, file)


def names(table: str, section: str) -> dict[str, tuple[int, ...]]:
    """The names and shapes of one section of `tools/checkpoints/TABLE.txt`."""
    text = (CHECKPOINTS / f"{table}.txt").read_text(encoding="utf-8")
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
