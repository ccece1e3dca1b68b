"""What a clip begins with: shapes that stand on its first frame, chosen by their ids or all of them."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import attrs

from ..cvat.task import TaskLabel
from ..cvat_server import Annotations, Connection, Scope
from ..errors import UserError

Annotation = dict[str, Any]
Stored = dict[str, list[Annotation]]
KINDS = ("shapes", "tracks")


@attrs.frozen
class Following:
    """What a function follows: its name and the types of shapes."""

    name: str
    types: Collection[str]

    def takes(self, shape: Annotation) -> bool:
        """Whether it can follow a shape: of a skeleton, its elements."""
        return all(each in self.types for each in _types(shape))

    def left_out(self, shapes: Sequence[Annotation]) -> str:
        """Which of the shapes it does not take, in words; "" for none. Raises UserError where it takes none at all."""
        left = [shape for shape in shapes if not self.takes(shape)]
        counts = Counter(kind for shape in left for kind in _types(shape))
        kinds = ", ".join(f"{count} of type {kind}" for kind, count in sorted(counts.items()))
        what = f"{self.name} follows {', '.join(sorted(self.types))} alone"
        if left and len(left) == len(shapes):
            raise UserError(what, why=f"there are {kinds}", remedy="choose other shapes, or another function")
        return f"{what}: {kinds} left out" if left else ""


def _types(shape: Annotation) -> list[str]:
    return [element["type"] for element in shape.get("elements") or [shape]]


def begun(
    connection: Connection, scope: Scope, frame: int, ids: Sequence[int], following: Following
) -> tuple[dict[str, Stored], str]:
    """The annotations to begin with, by their job's id, and what was left out of them.

    The first job that holds the frame counts; of the others come the copies that CVAT keeps there. Raises UserError.
    """
    first, *others = scope.jobs_of(frame)
    found = standing(connection, scope, frame, ids)
    left = following.left_out([as_shape(each) for kind in KINDS for each in found[kind]])
    found = {kind: [each for each in found[kind] if following.takes(as_shape(each))] for kind in KINDS}
    by_job = {str(first.id): found}
    for job in others:
        by_job[str(job.id)] = _copies(_standing(Annotations(connection, job.id).get(), frame), found)
    return by_job, left


def standing(connection: Connection, scope: Scope, frame: int, ids: Sequence[int]) -> Stored:
    """Those of the ids that stand on a frame, all without any id. Raises UserError where one or all are missing."""
    job = scope.jobs_of(frame)[0]
    return _chosen(_standing(Annotations(connection, job.id).get(), frame), ids, frame, scope.labels)


def as_shape(annotation: Annotation) -> Annotation:
    """The annotation as one shape: of a track its first keyframe, with the track's label, group and attributes."""
    if "shapes" not in annotation:
        return annotation
    shape, common = (
        annotation["shapes"][0],
        {key: annotation[key] for key in ("label_id", "group") if key in annotation},
    )
    attributes = [*annotation["attributes"], *shape["attributes"]]
    elements = [as_shape(element) for element in annotation.get("elements", ())]
    return {**shape, **common, "attributes": attributes, "elements": elements}


def _standing(stored: Mapping[str, list[Annotation]], frame: int) -> Stored:
    """The shapes on a frame, and the tracks of which nothing but a keyframe there is drawn yet."""
    shapes = [shape for shape in stored["shapes"] if shape["frame"] == frame]
    return {"shapes": shapes, "tracks": [track for track in stored["tracks"] if _drawn_once(track, frame)]}


def _drawn_once(track: Annotation, frame: int) -> bool:
    parts = [track, *track.get("elements", ())]
    return {shape["frame"] for part in parts for shape in part["shapes"]} == {frame}


def _chosen(there: Stored, ids: Sequence[int], frame: int, labels: Sequence[TaskLabel]) -> Stored:
    everything = [*there["shapes"], *there["tracks"]]
    known = {annotation["id"] for annotation in everything}
    missing = ", ".join(str(each) for each in ids if each not in known)
    if missing or not everything:
        raise UserError(
            f"no shape {missing} on frame {frame}" if missing else f"nothing stands on frame {frame}",
            why="; ".join(_told(annotation, labels) for annotation in everything)
            or "a track begins with a shape that stands there",
            remedy="choose of these" if everything else "draw there what is to be followed, or add --detector FUNCTION",
        )
    wanted = set(ids) or known
    return {kind: [each for each in there[kind] if each["id"] in wanted] for kind in KINDS}


def _told(annotation: Annotation, labels: Sequence[TaskLabel]) -> str:
    names = {label.id: label.name for label in labels}
    name, kind = names.get(annotation["label_id"], "?"), as_shape(annotation)["type"]
    return f"{annotation['id']} ({name}, {kind}{' in a track' if 'shapes' in annotation else ''})"


def _copies(stored: Stored, of: Stored) -> Stored:
    keys = {kind: [_place(each) for each in of[kind]] for kind in KINDS}
    return {kind: [each for each in stored[kind] if _place(each) in keys[kind]] for kind in KINDS}


def _place(annotation: Annotation) -> str:
    """All that two jobs' copies of one annotation share: not their ids, nor the order of elements and attributes."""
    kept = {key: value for key, value in annotation.items() if key not in ("id", "elements", "shapes", "attributes")}
    parts = [_place(each) for key in ("elements", "shapes") for each in annotation.get(key) or ()]
    return repr((sorted(kept.items()), sorted(parts)))
