"""What a job gets: one track for each object, made while its frames go by, with CVAT's own fields.

CVAT cuts a track that is given to a whole task at the borders of its jobs, and joins the parts only where jobs overlap.
So every job gets tracks of its own frames, which begin and end with a shape that was followed and not with one that was
interpolated. In an overlap both jobs' tracks have the same shapes, which is what CVAT joins them by.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

import attrs

from ..cvat.interpolation import Placed
from .keyframes import Keyframe, Keyframes
from .subjects import UNTRACKED, Followed, Leaf, Subject

Stored = dict[str, list[dict[str, Any]]]


@attrs.define
class Line:
    """The keyframes of one shape within a job, in the order in which they were settled."""

    keyframes: Keyframes
    kept: list[Keyframe] = attrs.field(factory=list)

    def add(self, frame: int, place: Placed | None) -> None:
        self.kept += self.keyframes.add(frame, place)

    def end(self) -> None:
        self.kept += self.keyframes.end()


@attrs.define
class Draft:
    """One object's part of a job: its own line, then those of its elements."""

    subject: Subject
    lines: list[Line]

    @classmethod
    def begin(cls, followed: Followed, tolerance: float, *, backward: bool) -> "Draft":
        """Of an object that is about to be seen in the job for the first time."""
        count = 1 + len(followed.subject.elements)
        return cls(followed.subject, [Line(Keyframes(tolerance, backward)) for _ in range(count)])

    def add(self, frame: int, places: Iterator[Placed | None]) -> None:
        for line, place in zip(self.lines, places, strict=True):
            line.add(frame, place)

    def hide(self, frame: int) -> None:
        """From that frame on nothing is known."""
        for line in self.lines:
            line.add(frame, None)

    def stored(self, mutable: Collection[int], leaves: Sequence[Leaf]) -> Stored:
        """As CVAT stores it: `{tracks, shapes}`, of masks a shape on each frame. Nothing where it was never seen.

        `mutable`: the ids of attributes that belong to a track's shapes. `leaves` are the object's: the page needs a
        place of every element, of one that was never seen too.
        """
        for line in self.lines:
            line.end()
        own, *elements = [sorted(line.kept, key=lambda keyframe: keyframe.frame) for line in self.lines]
        if not own:
            return {"tracks": [], "shapes": []}
        if self.subject.type in UNTRACKED:
            return {"tracks": [], "shapes": [_mask(self.subject, each) for each in own if not each.outside]}
        track = _track(self.subject, own, mutable)
        track["elements"] = [
            _track(subject, _whole(line, own[0].frame, leaf.place), mutable)
            for subject, line, leaf in zip(self.subject.elements, elements, leaves, strict=False)
        ]
        return {"tracks": [track], "shapes": []}


def _whole(line: list[Keyframe], first: int, place: Placed) -> list[Keyframe]:
    """An element's keyframes from the skeleton's first frame on."""
    if line and line[0].frame == first:
        return line
    return [Keyframe(first, line[0].shape if line else place, outside=True), *line]


def _track(subject: Subject, keyframes: list[Keyframe], mutable: Collection[int]) -> dict[str, Any]:
    """CVAT refuses a mutable attribute of a track and an immutable one of its shapes; a shape's value goes on."""
    shapes = [_shape(subject, keyframe) | {"attributes": []} for keyframe in keyframes]
    shapes[0]["attributes"] = _attributes(subject, lambda spec_id: spec_id in mutable)
    return {
        "label_id": subject.label_id,
        "frame": keyframes[0].frame,
        "group": subject.group,
        "source": "auto",
        "attributes": _attributes(subject, lambda spec_id: spec_id not in mutable),
        "shapes": shapes,
    }


def _shape(subject: Subject, keyframe: Keyframe) -> dict[str, Any]:
    return {
        "type": subject.type,
        "frame": keyframe.frame,
        "points": list(keyframe.shape.points),
        "rotation": keyframe.shape.rotation,
        "outside": keyframe.outside,
        "occluded": subject.occluded,
        "z_order": subject.z_order,
    }


def _mask(subject: Subject, keyframe: Keyframe) -> dict[str, Any]:
    common = {"label_id": subject.label_id, "group": subject.group, "source": "auto", "elements": []}
    return common | _shape(subject, keyframe) | {"attributes": _attributes(subject, lambda _: True)}


def _attributes(subject: Subject, wanted: Callable[[int], bool]) -> list[Mapping[str, Any]]:
    return [{"spec_id": spec_id, "value": value} for spec_id, value in subject.attributes if wanted(spec_id)]
