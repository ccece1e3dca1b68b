"""Weights of the right names and shapes with random values, laid where a function's unmodified loading code looks.

They find nothing sensible: they are for tests, for `make demo-torch`, and for generating bundles where the real ones
cannot be downloaded.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


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
