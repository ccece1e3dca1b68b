"""Networks of transformers with small random weights, one for each architecture that `cvat_functions` names.

`tools/checkpoints/architectures.yaml` says what each is made of. `save` writes what a fine-tuned network's folder has:
`config.json`, `model.safetensors`, the preprocessing. The code that makes and loads them is transformers' own.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import torch
import transformers
import yaml

CHECKPOINTS = Path(__file__).parent / "checkpoints"


@cache
def families() -> Mapping[str, Mapping[str, Any]]:
    """By the module of `cvat_functions`, then by the architecture's name: `model`, `config`, `processor`."""
    found: Mapping[str, Mapping[str, Any]] = yaml.safe_load((CHECKPOINTS / "architectures.yaml").read_text("utf-8"))
    return found["architectures"]


def parts(family: str, name: str) -> tuple[Any, Any, Any]:
    """The class of the network, its configuration, its preprocessing."""
    found = families()[family][name]
    return getattr(transformers, found["model"]), _made(found["config"]), _made(found["processor"])


def _made(value: Any) -> Any:
    """What a mapping with a `class` describes, from the inside out."""
    if not isinstance(value, dict):
        return value
    given = {key: _made(part) for key, part in value.items()}
    kind = given.pop("class", None)
    if kind is None:
        return given
    return _letters(**given) if kind == "Letters" else getattr(transformers, kind)(**given)


def _letters(model_max_length: int) -> Any:
    """Letters alone, each with the ending that closes a word."""
    letters = [chr(code) for code in range(33, 127)]
    known = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {token: number for number, token in enumerate(known)}
    return transformers.CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=model_max_length)


def save(family: str, name: str, folder: Path, **changes: Any) -> Any:
    """A network of the family as a folder of the Hugging Face hub; returns the model. The same each time.

    `changes` are attributes of its configuration, such as `id2label`.
    """
    torch.manual_seed(sum(map(ord, name)))
    kind, config, processor = parts(family, name)
    for key, value in changes.items():
        setattr(config, key, value)
    model = kind(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            # As wide as keeps a signal's size, so that boxes and masks differ from each other.
            spread = max(parameter[0].numel(), 1) ** -0.5 if parameter.ndim > 1 else 0.1
            parameter.add_(torch.randn_like(parameter) * spread)
    sees(model)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return model


def sees(model: Any) -> None:
    """Of random weights a tracker would see no object at all: this one does."""
    head = getattr(getattr(model, "mask_decoder", None), "pred_obj_score_head", None)
    if head is not None:
        with torch.no_grad():
            head.proj_out.bias.fill_(9)


def in_cache(home: Path, source: str) -> Path:
    """Where the hub's cache in `home` (HF_HOME) holds the network of this name: who loads it asks nobody."""
    commit, folder = "0123456789abcdef0123456789abcdef01234567", home / "hub" / f"models--{source.replace('/', '--')}"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs/main").write_text(commit)
    return folder / "snapshots" / commit
