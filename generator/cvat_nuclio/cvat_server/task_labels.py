"""A task's labels, from CVAT's JSON."""

from collections.abc import Mapping
from typing import Any

from ..cvat.task import TaskAttribute, TaskLabel


def task_label(raw: Mapping[str, Any]) -> TaskLabel:
    """One of `GET /api/labels`, with its attributes and sublabels."""
    return TaskLabel(
        raw["id"],
        raw["name"],
        raw["type"],
        tuple(_attribute(attribute) for attribute in raw["attributes"]),
        tuple(task_label(sublabel) for sublabel in raw.get("sublabels") or ()),
    )


def _attribute(raw: Mapping[str, Any]) -> TaskAttribute:
    values = tuple(str(value) for value in raw["values"])
    return TaskAttribute(raw["id"], raw["name"], raw["input_type"], values, raw["default_value"], raw["mutable"])
