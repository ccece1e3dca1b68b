"""Weights of the Hugging Face hub, or of a folder as it holds them."""

import time
from pathlib import Path
from typing import Any

import attrs
import torch
from huggingface_hub import hf_hub_download

from cvat_functions.on_torch import device_of, report
from cvat_functions.shared import check_sum


@attrs.frozen
class Loaded:
    """A network that is ready to answer, its preprocessing, and the device that it works on."""

    network: Any
    processor: Any
    device: torch.device

    def inputs(self, **given: Any) -> Any:
        """What the preprocessing makes of pictures, texts, boxes, on the network's device."""
        return self.processor(**given, return_tensors="pt").to(self.device)


def load(kind: Any, processor: Any, model: str, revision: str | None, sha256: str | None, device: str | None) -> Loaded:
    """The network and the preprocessing of `model` by transformers' classes for them, and a line for the log.

    On CUDA where torch sees it, unless `device` says otherwise. Raises as `pretrained` and `verify`.
    """
    started, place = time.monotonic(), device_of(device)
    verify(model, sha256, revision)
    network = pretrained(kind, model, revision, dtype=torch.float32).to(place).eval()
    loaded = Loaded(network, pretrained(processor, model, revision), place)
    report(f"{model}: {type(network).__name__}", place, started)
    return loaded


def pretrained(kind: Any, model: str, revision: str | None = None, **options: Any) -> Any:
    """`kind.from_pretrained` of a folder, or of a model of the Hugging Face hub at a revision.

    FileNotFoundError where neither is there or the preprocessing is not, ValueError where transformers cannot load it;
    each says what to do.
    """
    try:
        return kind.from_pretrained(model, revision=revision, **options)
    except (OSError, ValueError, RuntimeError) as fault:
        said, is_folder = str(fault).splitlines()[0], Path(model).is_dir()
        if "trust_remote_code" in str(fault):
            raise ValueError(
                f"{model} brings code of its own, which no ready function runs: `cvat-nuclio init` writes a function "
                "to start from"
            ) from fault
        if is_folder and kind.__name__.endswith("Processor"):
            raise FileNotFoundError(
                f"{model} has no preprocessing that can be read: lay the preprocessor_config.json of the network that "
                "it was trained from beside config.json, as save_pretrained of its processor writes it"
            ) from fault
        if "ignore_mismatched_sizes" in str(fault):
            raise ValueError(
                f"the weights of {model} have other shapes than its config.json says: take both from one training"
            ) from fault
        if is_folder:
            raise ValueError(
                f"transformers cannot load {model}: {said} If config.json and weights are of one network: pip install "
                "--upgrade transformers"
            ) from fault
        if not isinstance(fault, OSError):
            raise
        raise FileNotFoundError(
            f"no model {model!r}: no folder of that name with config.json, and the Hugging Face hub or its cache gave "
            f"none ({said}). Let the image fetch it while it is built (generate --bake), or name a folder that goes "
            "into the image: -p model=file:FOLDER"
        ) from fault


def verify(model: str, sha256: str | None, revision: str | None = None) -> None:
    """ValueError unless the weights' file has the sum that was recorded with the bundle; nothing without one."""
    if not sha256:
        return
    file = Path(model, "model.safetensors")
    if not Path(model).exists():
        file = Path(hf_hub_download(model, "model.safetensors", revision=revision))
    check_sum(str(file), sha256)
