"""The labels that a function's `spec` annotation declares, as CVAT reads them."""

import json
from collections.abc import Callable
from typing import Any

import attrs

from .generation import Generation


@attrs.frozen
class ModelAttribute:
    """One attribute of a function's label. CVAT checks neither `input_type` nor `values`."""

    name: Any
    input_type: Any
    values: Any

    def to_dict(self) -> dict[str, Any]:
        return {"name": self.name, "input_type": self.input_type, "values": self.values}


@attrs.frozen
class ModelLabel:
    """One label of a function. `svg` and `sublabels` are None but for skeletons."""

    name: Any
    type: Any
    attributes: tuple[ModelAttribute, ...] = ()
    sublabels: "tuple[ModelLabel, ...] | None" = None
    svg: Any = None

    def to_dict(self) -> dict[str, Any]:
        body: dict[str, Any] = {
            "name": self.name,
            "type": self.type,
            "attributes": [attribute.to_dict() for attribute in self.attributes],
        }
        if self.sublabels is not None:
            body |= {"sublabels": [label.to_dict() for label in self.sublabels], "svg": self.svg}
        return body


NotUnique = Callable[[str], Exception]


def parse_spec(text: Any, generation: Generation, not_unique: NotUnique) -> tuple[ModelLabel, ...]:
    """Reads the annotation `spec`, a JSON text; absent and "" mean no labels.

    Raises Python's own KeyError, TypeError or JSONDecodeError where CVAT's code does (each breaks the whole list of
    functions), and `not_unique(what)` for a name that occurs twice.
    """
    return _parse_labels(json.loads(text or "[]"), generation, not_unique)


def _parse_labels(spec: Any, generation: Generation, not_unique: NotUnique) -> tuple[ModelLabel, ...]:
    labels = tuple(_parse_label(label, generation, not_unique) for label in spec)
    if len({label.name for label in labels}) != len(labels):
        raise not_unique("labels")
    return labels


def _parse_label(label: Any, generation: Generation, not_unique: NotUnique) -> ModelLabel:
    name = label["name"]
    label_type = label.get("type", generation.any_label_type)
    attributes = _parse_attributes(label.get("attributes", []), not_unique)
    if label_type != "skeleton":
        return ModelLabel(name, label_type, attributes)
    sublabels = _parse_labels(label["sublabels"], generation, not_unique)
    return ModelLabel(name, label_type, attributes, sublabels, label["svg"])


def _parse_attributes(spec: Any, not_unique: NotUnique) -> tuple[ModelAttribute, ...]:
    attributes = tuple(ModelAttribute(a["name"], a["input_type"], a["values"]) for a in spec)
    if len({attribute.name for attribute in attributes}) != len(attributes):
        raise not_unique("attributes")
    return attributes
