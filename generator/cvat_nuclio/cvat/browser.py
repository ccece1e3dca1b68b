"""CVAT's UI and REST clients: the calls that users make, with the bodies that each generation's UI builds."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from .generation import Generation
from .interactor_answer import Interacted, UiError, browser_accepts
from .job import Job, run_job
from .listing import Listed
from .mapping import mapping_by_name
from .server import Server
from .storage import Store
from .task import Task

Point = tuple[float, float]
# {"type", "points"}, as a user drew it or a tracker returned it
Shape = dict[str, Any]


@attrs.frozen
class TrackedFrame:
    """One frame's shapes in the order of the objects; None where the tracker returned null."""

    frame: int
    shapes: tuple[Shape | None, ...]


@attrs.define
class Browser:
    """A user in front of one function and one task."""

    server: Server
    function: Listed
    task: Task

    @property
    def generation(self) -> Generation:
        return self.server.generation

    def annotate(self, **fields: Any) -> Job:
        """The dialog "Automatic annotation" on the whole task.

        `fields`: threshold, mapping, conv_mask_to_poly, cleanup.
        """
        return run_job(self.server, self.function, Store(self.task), self._mapped(fields))

    def detect(self, frame: int = 0, **fields: Any) -> Any:
        """A detector on one frame: labelled data, or a G1 server's items. Raises `CvatError`."""
        return self.server.call(self.function, self.task, {"frame": frame, **self._mapped(fields)})

    def _mapped(self, fields: dict[str, Any]) -> dict[str, Any]:
        """The UI leaves out what is not given, and always sends a mapping: labels of equal names to begin with."""
        fields = {key: value for key, value in fields.items() if value is not None}
        if self.function.kind != "detector":
            return fields
        return {"mapping": mapping_by_name(self.function.labels, self.task.labels, self.generation)} | fields

    def interact(
        self,
        size: tuple[int, int],
        positive: Sequence[Point] = (),
        negative: Sequence[Point] = (),
        box: tuple[Point, Point] | None = None,
        **fields: Any,
    ) -> tuple[list[Interacted], list[str]]:
        """Clicks on frame 0, of `size` (width, height): what the UI then shows, and what it drops of the answer.

        Raises `CvatError`, or `UiError` where the browser's code fails.
        """
        body = self.interaction(positive, negative, box)
        answer = self.server.call(self.function, self.task, body | fields)
        return browser_accepts(answer, *size, self.generation)

    def interaction(
        self, positive: Sequence[Point], negative: Sequence[Point], box: tuple[Point, Point] | None
    ) -> dict[str, Any]:
        """The body of the UI's call. G1 has no field for the box: its corners go first among the positive points."""
        corners = [list(corner) for corner in box or ()]
        points = [list(point) for point in positive]
        body: dict[str, Any] = {"frame": 0, "neg_points": [list(point) for point in negative]}
        if self.generation is Generation.G1:
            return body | {"pos_points": [*corners, *points]}
        return body | {"pos_points": points, "obj_bbox": corners}

    def waits_for(self, positive: int, negative: int, box: tuple[Point, Point] | None) -> str:
        """What the page still waits for before it calls the function, without a word to its user; "" for nothing.

        Until 2.59 a box was enough; since then both least numbers of points are needed beside it.
        """
        listed, newest = self.function, self.generation is Generation.G3
        if box and not newest:
            return ""
        if listed.startswith_box and not box and newest:
            return "a box (startswith_box)"
        missing = [
            f"{least} {which} points ({key})"
            for least, given, which, key in (
                (listed.min_pos_points, positive, "positive", "min_pos_points"),
                (listed.min_neg_points, negative, "negative", "min_neg_points"),
            )
            if given < least
        ]
        return " and ".join(missing) + (", box or not" if missing and box else "")

    def interaction_hindrances(self, negative: int, box: tuple[Point, Point] | None) -> list[str]:
        """Why the page would not send these prompts: nothing of it is enforced by the server."""
        listed, found, newest = self.function, [], self.generation is Generation.G3
        if listed.version < 2:
            found.append("the UI disables the Interact button: annotation version is below 2")
        if negative and listed.min_neg_points < 0 and not newest:
            found.append("the UI takes no negative points: min_neg_points is below 0")
        takes_box = listed.startswith_box or (listed.startswith_box_optional and self.generation is not Generation.G1)
        if box and not takes_box:
            found.append("the UI offers no box: neither startswith_box nor startswith_box_optional is set")
        if listed.startswith_box and not box and not newest:
            found.append("the UI wants a box first (startswith_box)")
        return found

    def track(self, shapes: Sequence[Shape], frames: Sequence[int], **fields: Any) -> Iterator[TrackedFrame]:
        """Tracks the user's shapes from the first of `frames` through the others, one call for each.

        The first call hands over the shapes; of its answer only the states matter. Raises `CvatError`, or `UiError`
        for an answer whose states do not fit the objects.
        """
        answer = self._call_tracker(frames[0], self._drawn(shapes), None, fields)
        previous: Sequence[Shape | None] = list(shapes)
        for frame in frames[1:]:
            states = _listed(answer, "states", len(shapes))
            answer = self._call_tracker(frame, self._drawn(previous), states, fields)
            found = [self._shape(shape) for shape in _listed(answer, "shapes", len(shapes))]
            yield TrackedFrame(frame, tuple(found))
            previous = [new or old for new, old in zip(found, previous, strict=True)]

    def _call_tracker(self, frame: int, shapes: list[Any], states: Any, fields: Mapping[str, Any]) -> Any:
        """A G1 UI sends the previous shapes with the states, later ones the states alone."""
        body: dict[str, Any] = {"frame": frame, **fields}
        if states is None or self.generation is Generation.G1:
            body["shapes"] = shapes
        if states is not None:
            body["states"] = states
        return self.server.call(self.function, self.task, body)

    def _drawn(self, shapes: Sequence[Shape | None]) -> list[Any]:
        if self.generation is Generation.G1:
            return [shape["points"] if shape else None for shape in shapes]
        return list(shapes)

    def _shape(self, shape: Any) -> Shape | None:
        """A G1 server passes flat arrays on."""
        return {"type": "rectangle", "points": shape} if isinstance(shape, list) else shape

    def reidentify(self, boxes: Sequence[Sequence[Shape]], **fields: Any) -> Job:
        """A ReID job over the task, whose frames hold these rectangles: `{points, label_id}`."""
        store = Store(self.task)
        ids = itertools.count(1)
        for frame, shapes in enumerate(boxes):
            store.annotations["shapes"] += [_stored(shape, frame, next(ids)) for shape in shapes]
        return run_job(self.server, self.function, store, self._mapped(fields))


def _listed(answer: Any, key: str, count: int) -> list[Any]:
    """A list of the answer, which the UI joins to its objects by position."""
    values = answer.get(key) if isinstance(answer, Mapping) else None
    if not isinstance(values, list) or len(values) < count:
        raise UiError(f"the answer needs {count} {key}, one for each object in the order of the request")
    return values[:count]


def _stored(shape: Shape, frame: int, shape_id: int) -> Shape:
    """A rectangle as a task holds it."""
    return {
        "id": shape_id,
        "label_id": shape["label_id"],
        "type": "rectangle",
        "frame": frame,
        "group": 0,
        "source": "manual",
        "occluded": False,
        "outside": False,
        "z_order": 0,
        "rotation": 0.0,
        "points": [float(point) for point in shape["points"]],
        "attributes": [],
        "elements": [],
    }
