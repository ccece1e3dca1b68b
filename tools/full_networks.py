"""The networks that `cvat-nuclio models` names, at full size with random weights, for `tools.checkpoint_times`.

Sizes and times do not depend on the values of weights. `tools/checkpoints/networks.yaml` says what each network's
configuration has that transformers' classes do not have by themselves; the classes are those of `tools.tiny_networks`.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import attrs
import torch
import yaml

from aa_runtime import FunctionSource
from cvat_nuclio.models import table
from tools import tiny_networks
from tools.tiny_networks import CHECKPOINTS

#: The label that pose networks ask their detector for, and any other.
PERSON = "person"
#: What networks that read words are asked for.
PHRASES = "cat; dog; red helmet"
#: What finds the people for pose networks.
DETECTOR = "PekingU/rtdetr_r18vd_coco_o365"
#: Classes that a network may choose from, so that a semantic answer has no more masks than a usual one.
CLASSES = 10

Recipe = Mapping[str, Any]


@attrs.frozen
class FullNetwork:
    """One row of the table, in a folder as the Hugging Face hub holds it."""

    row: table.Network
    folder: Path
    is_for_people: bool = False
    """Whether it is the detector of another one, which asks it for people alone."""

    @property
    def detector(self) -> "FullNetwork | None":
        """The network that this one needs to find what it is about."""
        if self.row.family != "transformers_pose":
            return None
        return named(DETECTOR, "transformers_detection", self.folder.with_name("detector"), is_for_people=True)

    def lay(self) -> float:
        """Writes the folder, and the detector's; returns the millions of parameters."""
        if self.detector:
            self.detector.lay()
        torch.manual_seed(0)
        model, processor = built(self.row)
        opinionated(model, classes=1 if self.is_for_people else CLASSES)
        model.save_pretrained(self.folder)
        processor.save_pretrained(self.folder)
        return millions(model)

    def source(self) -> FunctionSource:
        """The family's function over the folder."""
        more: dict[str, str] = {}
        if self.row.family in ("transformers_zero_shot", "transformers_sam3"):
            more["labels"] = PHRASES
        if self.detector:
            more["detector"] = str(self.detector.folder)
        return FunctionSource(
            module=f"cvat_functions.{self.row.family}", parameters={"model": str(self.folder), **more}
        )


def named(source: str, family: str, folder: Path, is_for_people: bool = False) -> FullNetwork:
    """The network of the table that lies there on the hub, for one family's function."""
    row = next(row for row in table.networks() if (row.source, row.family) == (source, family))
    return FullNetwork(row, folder, is_for_people)


@cache
def recipes() -> Mapping[str, Recipe]:
    """By the network's place on the hub."""
    found: Mapping[str, Mapping[str, Recipe]] = yaml.safe_load((CHECKPOINTS / "networks.yaml").read_text("utf-8"))
    return found["networks"]


def built(row: table.Network) -> tuple[Any, Any]:
    """The network and its preprocessing."""
    kind, tiny, processor = tiny_networks.parts(row.family, row.architecture)
    recipe = recipes()[row.source]
    config = type(tiny)(**recipe.get("config", {}), **_labels(recipe.get("labels", 0)))
    return kind(config).eval(), _full(processor, recipe.get("processor", {}))


def parameters(row: table.Network) -> float:
    """Millions of parameters, without the memory for them."""
    with torch.device("meta"):
        return millions(built(row)[0])


def millions(model: Any) -> float:
    """Parameters that are shared count once."""
    count: int = sum(parameter.numel() for parameter in model.parameters())
    return round(count / 1e6, 1)


def _labels(count: int) -> dict[str, Any]:
    names = {number: f"class {number}" if number else PERSON for number in range(count)}
    return {"id2label": names, "label2id": {name: number for number, name in names.items()}} if count else {}


def _full(processor: Any, changes: Mapping[str, Any]) -> Any:
    """A processor of the same kind as its class makes it by itself, but for changes; words are read as before."""
    image = getattr(processor, "image_processor", None)
    if image is None:
        return type(processor)(**changes)
    words = [processor.tokenizer] if hasattr(processor, "tokenizer") else []
    return type(processor)(type(image)(**changes), *words)


def opinionated(model: Any, classes: int) -> None:
    """Random weights know every class and see no object at all: these know so many, people first, and see them."""
    labels = len(model.config.id2label or {})
    with torch.no_grad():
        for module in model.modules():
            bias = getattr(module, "bias", None)
            if isinstance(bias, torch.Tensor) and bias.ndim and len(bias) in (labels, labels + 1) and labels > classes:
                bias[classes:labels] = -1e4
    tiny_networks.sees(model)


def remembered(row: table.Network) -> Any:
    """A context in which the network answers what it was asked before without computing it again."""
    kind = tiny_networks.parts(row.family, row.architecture)[0]
    methods = [name for name in ("forward", "get_vision_features") if name in vars(kind)]
    return mock.patch.multiple(kind, **{name: _once(getattr(kind, name)) for name in methods})


def _once(original: Any) -> Any:
    answers: dict[Any, Any] = {}

    def answer(network: Any, *given: Any, **named: Any) -> Any:
        asked = tuple(hash(value.numpy().tobytes()) for value in (*given, *named.values()) if torch.is_tensor(value))
        if asked not in answers:
            answers[asked] = original(network, *given, **named)
        return answers[asked]

    return answer
