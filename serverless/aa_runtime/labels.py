"""The labels of a detector's spec, by id."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import cvat_sdk.auto_annotation as cvataa

from aa_runtime.attributes import Attribute


class Sublabel(NamedTuple):
    """A keypoint of a skeleton label."""

    name: str
    attributes: dict[int, Attribute]


class Label(NamedTuple):
    """A label: what a shape or tag of this `label_id` may be. `type` is `any` when the spec leaves it
    open."""

    name: str
    type: str
    attributes: dict[int, Attribute]
    sublabels: dict[int, Sublabel]


def labels_by_id(spec: cvataa.DetectionFunctionSpec) -> Mapping[int, Label]:
    """Everything that checking an answer needs of the spec; cvat-sdk has validated it."""
    return {label.id: _label(label) for label in spec.labels}


def _label(label: Any) -> Label:
    return Label(
        name=label.name,
        type=str(getattr(label, "type", "any")),
        attributes=_attributes(label),
        sublabels={
            sub.id: Sublabel(name=sub.name, attributes=_attributes(sub))
            for sub in getattr(label, "sublabels", None) or ()
        },
    )


def _attributes(label: Any) -> dict[int, Attribute]:
    return {attr.id: Attribute.from_spec(attr) for attr in getattr(label, "attributes", None) or ()}
