"""A detector's items → the shapes and tags of one frame."""

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from .drops import Drops
from .generation import Generation
from .kept_attributes import keep_attributes
from .mapping import Mapped
from .mask_crops import crop_to_rle
from .task import TaskLabel

ROTATABLE = ("rectangle", "ellipse")


@attrs.frozen
class Items:
    """A detector's items under the task's names, and each one's index in the answer."""

    values: Any
    indexes: Sequence[int]


def rename_items(answer: Any, mapping: Mapping[Any, Mapped], generation: Generation, drops: Drops) -> Items:
    """The items whose labels are mapped, under the task's names, with the attribute values that CVAT keeps.

    A G1 server passes the answer on untouched where no item at all is mapped. Raises Python's exceptions where
    CVAT's code does.
    """
    kept: dict[int, dict[str, Any]] = {}
    count = 0
    for index, item in enumerate(answer):
        count += 1
        with drops.of(index):
            mapped = mapping.get(item["label"])
            if mapped is None:
                drops.add(f"label {item['label']!r} is not mapped to a label of the task")
                continue
            kept[index] = _rename(item, mapped, generation, drops)
    if not kept and generation is Generation.G1:
        _page_trouble(answer, drops)
        return Items(answer, range(count))
    return Items(list(kept.values()), tuple(kept))


def _page_trouble(answer: Any, drops: Drops) -> None:
    """A G1 server passes these items on as they are; its page reads the `attributes` of those of the task's labels."""
    for index, item in enumerate(answer):
        if "attributes" not in item:
            with drops.of(index):
                drops.add("no `attributes`: the AI tools of this page fail on it if the task has a label of its name")


def _rename(item: Mapping[str, Any], mapped: Mapped, generation: Generation, drops: Drops) -> dict[str, Any]:
    renamed = _renamed(item, mapped, generation, drops)
    if "elements" in item:
        renamed["elements"] = _rename_elements(item["elements"], mapped, generation, drops)
    return renamed


def _renamed(item: Mapping[str, Any], mapped: Mapped, generation: Generation, drops: Drops) -> dict[str, Any]:
    attributes = keep_attributes(item.get("attributes", {}), mapped.attributes, generation, drops)
    return dict(item, label=mapped.label.name, attributes=attributes)


def _rename_elements(elements: Any, mapped: Mapped, generation: Generation, drops: Drops) -> list[dict[str, Any]]:
    if mapped.sublabels is None:
        raise KeyError("sublabels")
    known = [element for element in elements if _is_known(element, mapped.sublabels, drops)]
    kept = []
    for element in known:
        sublabel = mapped.sublabels[element["label"]]
        if sublabel is None:
            raise KeyError("db_label")
        with drops.within(element["label"]):
            kept.append(_renamed(element, sublabel, generation, drops))
    return kept


def _is_known(element: Mapping[str, Any], sublabels: Mapping[Any, Any], drops: Drops) -> bool:
    known = element["label"] in sublabels
    if not known:
        drops.add(f"element {element['label']!r} is not mapped to a sublabel of the task")
    return known


def to_annotation(
    item: Mapping[str, Any],
    labels: Sequence[TaskLabel],
    frame: int,
    generation: Generation,
    *,
    conv_mask_to_poly: bool = False,
    drops: Drops | None = None,
) -> tuple[str, dict[str, Any]] | None:
    """One renamed item as ("tags" or "shapes", annotation), or None where CVAT drops it.

    `confidence`, `occluded`, `source`, `z_order`, `frame` and `id` of an item are not read. Raises Python's
    exceptions where CVAT's code does.
    """
    drops = Drops() if drops is None else drops
    label = next((label for label in labels if label.name == item["label"]), None)
    if label is None:
        return None
    annotation: dict[str, Any] = {
        "frame": frame,
        "label_id": label.id,
        "source": "auto",
        "attributes": _spec_ids(item.get("attributes", []), label),
        "group": None,
    }
    if item["type"].lower() == "tag":
        return "tags", annotation
    shape = annotation | {
        "type": item["type"],
        "occluded": False,
        "outside": item.get("outside", False),
        "z_order": 0,
        "group": item.get("group_id"),
        "points": item.get("points", []),
    }
    if shape["type"] in ROTATABLE:
        shape["rotation"] = item.get("rotation", 0)
    if shape["type"] == "mask":
        _convert_mask(shape, item, generation, conv_mask_to_poly)
    if shape["type"] == "skeleton":
        shape["elements"] = _fill_in(item["elements"], label, frame, generation, conv_mask_to_poly)
        if all(element["outside"] for element in shape["elements"]):
            drops.add("skeleton without a keypoint that is not outside")
            return None
    return "shapes", shape


def _spec_ids(attributes: Any, label: TaskLabel) -> list[dict[str, Any]]:
    ids = {attribute.name: attribute.id for attribute in label.attributes}
    return [{"spec_id": ids[a["name"]], "value": a["value"]} for a in attributes if a["name"] in ids]


def _convert_mask(
    shape: dict[str, Any], item: Mapping[str, Any], generation: Generation, conv_mask_to_poly: bool
) -> None:
    """With the switch on, an item that has `points` becomes a polygon; its `mask` is then not looked at."""
    if conv_mask_to_poly and "points" in item:
        shape["type"] = "polygon"
    else:
        shape["points"] = crop_to_rle(item.get("mask", []), generation)


def _fill_in(
    elements: Sequence[Mapping[str, Any]], label: TaskLabel, frame: int, generation: Generation, conv_mask_to_poly: bool
) -> list[dict[str, Any]]:
    """One element for each sublabel, in the task's order; the first of equals, missing ones outside at the mean."""
    if label.type != "skeleton":
        raise KeyError("sublabels")
    given: list[Any] = []
    for element in elements:
        converted = to_annotation(element, label.sublabels, frame, generation, conv_mask_to_poly=conv_mask_to_poly)
        given.append(None if converted is None else converted[1])
    center: list[Any] = [0, 0]
    for placed in given:
        # Step by step as CVAT does it, so that an element without two numbers fails in the same words.
        center[0] += placed["points"][0]
        center[1] += placed["points"][1]
    center = [value / (len(given) or 1) for value in center]
    first = {placed["label_id"]: placed for placed in reversed(given)}
    return [first.get(sublabel.id) or _missing(sublabel, center, frame) for sublabel in label.sublabels]


def _missing(sublabel: TaskLabel, center: list[float], frame: int) -> dict[str, Any]:
    return {
        "frame": frame,
        "label_id": sublabel.id,
        "source": "auto",
        "attributes": [],
        "group": None,
        "type": sublabel.type,
        "occluded": False,
        "outside": True,
        "z_order": 0,
        "points": list(center),
    }
