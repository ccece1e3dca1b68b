"""Labels from CVAT's JSON: a task's, and the names of a project's."""

from collections.abc import Mapping
from typing import Any

from ..cvat.task import TaskAttribute, TaskLabel
from ..errors import UserError
from .connection import Connection


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


def label_names(connection: Connection, project: int) -> list[str]:
    """A project's, as phrases for a function that words tell what to find: in CVAT's order, without skeletons' points.

    Raises UserError for none, or one with a semicolon, which parts phrases.
    """
    found = [str(label["name"]) for label in connection.pages("labels", project_id=project) if not label["has_parent"]]
    if bad := [name for name in found if ";" in name]:
        raise UserError(f"project {project}: the label {bad[0]!r} has a semicolon", why="it parts phrases",
                        remedy='-p labels=str:"..."')  # fmt: skip
    if not found:
        raise UserError(f"project {project} has no labels", remedy="give it some, or -p labels=str:...")
    return found
