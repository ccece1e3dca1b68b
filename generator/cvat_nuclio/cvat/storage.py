"""What a task holds after a batch job: the database's types, and the defaults that CVAT fills in."""

import itertools
from collections.abc import Iterable
from typing import Any

import attrs

from .rest_errors import CvatError
from .task import Task

MAX_GROUP = 2**31 - 1

Collection = dict[str, list[dict[str, Any]]]


def empty() -> Collection:
    return {"tags": [], "shapes": [], "tracks": []}


@attrs.define
class Store:
    task: Task
    annotations: Collection = attrs.field(factory=empty)
    _ids: Iterable[int] = attrs.field(factory=lambda: itertools.count(1), repr=False)

    def clear(self) -> None:
        """Deletes everything, as `cleanup` does before the first call of the function."""
        self.annotations = empty()

    def append(self, data: Collection) -> None:
        """Writes validated annotations. Raises `CvatError` where the database refuses a number."""
        for annotation in itertools.chain(data["tags"], data["shapes"]):
            if (annotation["group"] or 0) > MAX_GROUP:
                raise CvatError("django.db.utils.DataError", "integer out of range", 500, handled=False)
        self.annotations["tags"] += [self._with_defaults(tag) for tag in data["tags"]]
        self.annotations["shapes"] += [self._shape(shape) for shape in data["shapes"]]
        self.annotations["tracks"] += [self._track(track) for track in data["tracks"]]

    def _shape(self, shape: dict[str, Any]) -> dict[str, Any]:
        elements = [self._numbers(element) for element in shape.get("elements", [])]
        return self._numbers(shape) | {"elements": elements}

    def _numbers(self, shape: dict[str, Any]) -> dict[str, Any]:
        """Points and rotation become floats."""
        numbers = {"points": [float(point) for point in shape["points"]], "rotation": float(shape["rotation"])}
        return self._with_defaults(shape | numbers)

    def _track(self, track: dict[str, Any]) -> dict[str, Any]:
        shapes = [shape | {"id": self._next_id()} for shape in track["shapes"]]
        return self._with_defaults(track | {"shapes": shapes, "elements": []})

    def _with_defaults(self, annotation: dict[str, Any]) -> dict[str, Any]:
        """Every attribute of the label has a value: the task's default where the function gave none."""
        label = self.task.label_by_id(annotation["label_id"])
        specs = label.attributes if label else ()
        given = {attribute["spec_id"] for attribute in annotation["attributes"]}
        missing = [{"spec_id": spec.id, "value": spec.default_value} for spec in specs if spec.id not in given]
        attributes = [*annotation["attributes"], *missing]
        return annotation | {"id": self._next_id(), "attributes": attributes}

    def _next_id(self) -> int:
        return next(iter(self._ids))
