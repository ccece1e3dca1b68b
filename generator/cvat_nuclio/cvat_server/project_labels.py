"""The label names of a project, as phrases for a function that words tell what to find."""

from ..errors import UserError
from .connection import Connection


def label_names(connection: Connection, project: int) -> list[str]:
    """In CVAT's order, those of a skeleton's points left out. Raises UserError for none, or one with a semicolon, which
    parts phrases."""
    found = [str(label["name"]) for label in connection.pages("labels", project_id=project) if not label["has_parent"]]
    if bad := [name for name in found if ";" in name]:
        raise UserError(f"project {project}: the label {bad[0]!r} has a semicolon", why="it parts phrases",
                        remedy='-p labels=str:"..."')  # fmt: skip
    if not found:
        raise UserError(f"project {project} has no labels", remedy="give it some, or -p labels=str:...")
    return found
