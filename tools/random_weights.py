"""Weights of the right names and shapes with random values, laid where a function's unmodified loading code looks.

They find nothing sensible: they are for tests, for `make demo-torch`, and for generating bundles where the real ones
cannot be downloaded.
"""

import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt


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

    Matrices are drawn around 0, vectors around 1 for norms' weights and variances and around 0 otherwise.
    """
    import torch

    return {name: torch.from_numpy(_values(name, shape)) for name, shape in names(table, section).items()}


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
    centred = random.normal(0, 0.08, shape)
    is_scale = len(shape) == 1 and name.endswith(("weight", "running_var"))
    return (centred + is_scale).astype(np.float32)
