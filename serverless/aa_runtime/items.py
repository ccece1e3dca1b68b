"""cvat-sdk's annotations → the items that CVAT's server reads, checked by the rules of cvat-sdk's own driver.

What breaks the interface is a FunctionError in the driver's words; what the maths of a model may well produce
(boxes beyond the image, shapes without extent, NaN) is repaired or left out and counted.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import attrs
from cvat_sdk import models

from aa_runtime import geometry
from aa_runtime.attributes import write_attributes
from aa_runtime.errors import FunctionError
from aa_runtime.geometry import Dropped, Size
from aa_runtime.labels import Label

if TYPE_CHECKING:
    from aa_runtime import masks

Item = dict[str, Any]


@attrs.define
class Items:
    """What becomes of one answer of a detector."""

    labels: Mapping[int, Label]
    size: Size
    """Width and height of the image."""
    dropped: Counter[str] = attrs.field(factory=Counter, init=False)
    """How many were left out, by reason."""
    _groups: dict[int, int] = attrs.field(factory=dict, init=False)

    def written(self, annotations: Iterable[object]) -> list[tuple[Item, masks.Mask | None]]:
        """The items that are kept, in the function's order, each with its mask if it has one."""
        kept = []
        for annotation in annotations:
            try:
                kept.append(self._item(annotation))
            except Dropped as reason:
                self.dropped[str(reason)] += 1
        return kept

    def _item(self, annotation: Any) -> tuple[Item, masks.Mask | None]:
        if isinstance(annotation, models.LabeledImageRequest):
            label = self._label(annotation, "tag")
            _check_type("tag", label)
            return {"label": label.name, "type": "tag", "attributes": _attributes(annotation, label)}, None
        if isinstance(annotation, models.LabeledShapeRequest):
            return self._shape(annotation)
        raise FunctionError(
            f"function output an object of type {type(annotation).__name__!r}"
            " (expected 'LabeledImageRequest' or 'LabeledShapeRequest')"
        )

    def _shape(self, shape: models.LabeledShapeRequest) -> tuple[Item, masks.Mask | None]:
        label, shape_type, mask = self._label(shape, "shape"), str(shape.type.value), None
        _check_type(shape_type, label)
        item: Item = {"label": label.name, "type": shape_type, "attributes": _attributes(shape, label)}
        if shape_type == "skeleton":
            item["elements"] = self._elements(shape, label)
        elif shape.get("elements"):
            raise FunctionError("function output non-skeleton shape with elements")
        elif shape_type == "mask":
            mask = self._mask(item, shape)
        else:
            self._place(item, shape)
        self._describe(item, shape)
        return item, mask

    def _mask(self, item: Item, shape: models.LabeledShapeRequest) -> masks.Mask:
        from aa_runtime import masks  # OpenCV and numpy: half a worker's memory where no label has masks

        mask = masks.decode(shape.get("points", ()), self.size)
        # Only with these points can CVAT turn the mask into a polygon; an empty list would fail the job then.
        if ring := masks.outline(mask):
            item["points"] = ring
        return mask

    def _place(self, item: Item, shape: models.LabeledShapeRequest) -> None:
        points = [float(number) for number in shape.get("points", ())]
        rotation = float(shape.get("rotation") or 0)
        item["points"], turned = geometry.repair(item["type"], points, rotation, self.size)
        if turned:
            item["rotation"] = turned

    def _describe(self, item: Item, shape: models.LabeledShapeRequest) -> None:
        """Group, `outside` and confidence. CVAT takes group 0 for none, and numbers of one frame from 1."""
        group = shape.get("group")
        if group:
            item["group_id"] = self._groups.setdefault(int(group), len(self._groups) + 1)
        if shape.get("outside") and item["type"] != "skeleton":
            item["outside"] = True
        score = shape.get("score")
        if score is not None and math.isfinite(score):
            item["confidence"] = f"{float(score):.6g}"

    def _elements(self, skeleton: models.LabeledShapeRequest, label: Label) -> list[Item]:
        elements = list(skeleton.get("elements") or ())
        seen: set[int] = set()
        for element in elements:
            _check_element(element, label, seen)
        if len(elements) < len(label.sublabels):
            raise FunctionError(
                "function output skeleton with fewer elements than expected"
                f" ({len(elements)} vs {len(label.sublabels)})"
            )
        return self._placed(elements, label)

    def _placed(self, elements: list[Any], label: Label) -> list[Item]:
        points = [[float(number) for number in element.get("points", ())] for element in elements]
        seen = [p for p in points if p and all(map(math.isfinite, p))]
        if any(len(p) not in (0, 2) for p in points):
            raise FunctionError("function output skeleton element with other than one point")
        if not seen:
            raise Dropped(geometry.NOT_FINITE)
        mean = [sum(p[axis] for p in seen) / len(seen) for axis in (0, 1)]
        items = [self._element(e, p, mean, label) for e, p in zip(elements, points, strict=True)]
        if all(item["outside"] for item in items):
            raise Dropped("without a visible element")
        return items

    def _element(self, element: Any, points: list[float], mean: list[float], label: Label) -> Item:
        # A pose model writes NaN, or nothing, for what it cannot see; CVAT puts what is missing at the mean, outside.
        lost = not points or not all(map(math.isfinite, points))
        sublabel = label.sublabels[element.label_id]
        return {
            "label": sublabel.name,
            "type": "points",
            "points": geometry.clamped(mean if lost else points, self.size),
            "outside": lost or bool(element.get("outside")),
            "attributes": write_attributes(element, sublabel.attributes),
        }

    def _label(self, annotation: Any, what: str) -> Label:
        _check_preset(annotation, what)
        label = self.labels.get(annotation.label_id)
        if label is None:
            raise FunctionError(f"function output {what} with unknown label ID ({annotation.label_id})")
        return label


def _attributes(annotation: Any, label: Label) -> list[dict[str, str]]:
    return write_attributes(annotation, label.attributes)


def _check_preset(annotation: Any, what: str) -> None:
    for name in ("id", "source"):
        if name in annotation:
            raise FunctionError(f"function output {what} with preset {name}")
    if annotation.frame != 0:
        raise FunctionError(f"function output {what} with unexpected frame number ({annotation.frame})")


def _check_type(shape_type: str, label: Label) -> None:
    if label.type in ("any", shape_type):
        return
    if shape_type == "tag":
        raise FunctionError(f"function output tag (expected shape of type {label.type!r})")
    raise FunctionError(f"function output shape of type {shape_type!r} (expected {label.type!r})")


def _check_element(element: Any, label: Label, seen: set[int]) -> None:
    _check_preset(element, "shape element")
    if element.type.value != "points":
        raise FunctionError(f"function output skeleton with element type other than 'points' ({element.type.value})")
    if element.label_id not in label.sublabels:
        raise FunctionError(f"function output shape with unknown sublabel ID ({element.label_id})")
    if element.label_id in seen:
        raise FunctionError("function output skeleton with multiple elements with same sublabel")
    seen.add(element.label_id)
