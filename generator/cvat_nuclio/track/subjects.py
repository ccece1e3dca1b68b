"""The objects that are followed: what of them stays as it is, and where they were seen last."""

from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from aa_runtime import masks

from ..cvat.interpolation import Placed

#: CVAT's tracks have no masks: its page cannot open a job that holds such a track.
UNTRACKED = ("mask",)


@attrs.frozen
class Subject:
    """What of an object is the same on every frame. `attributes`: pairs of (spec_id, value)."""

    label_id: int
    type: str
    group: int = 0
    z_order: int = 0
    occluded: bool = False
    attributes: tuple[tuple[int, str], ...] = ()
    elements: "tuple[Subject, ...]" = ()

    @classmethod
    def of(cls, shape: Mapping[str, Any]) -> "Subject":
        """Of a shape as CVAT stores it, or an element of one."""
        return cls(
            shape["label_id"],
            shape["type"],
            shape.get("group") or 0,
            shape.get("z_order", 0),
            shape.get("occluded", False),
            tuple((each["spec_id"], each["value"]) for each in shape.get("attributes", ())),
            tuple(cls.of(element) for element in shape.get("elements", ())),
        )


@attrs.define
class Leaf:
    """What a function follows by itself: a shape, or one element of a skeleton.

    `place` is where it was seen last; `state` the function's, None before its first request and for an element that
    was hidden from the start.
    """

    place: Placed
    hidden: bool = False
    state: Any = attrs.field(default=None, repr=False)

    @classmethod
    def of(cls, shape: Mapping[str, Any]) -> "Leaf":
        """Of a shape as CVAT stores it."""
        place = Placed(shape["type"], tuple(map(float, shape["points"])), float(shape.get("rotation") or 0.0))
        return cls(place, bool(shape.get("outside")))


@attrs.define
class Followed:
    """An object on its way: itself as one leaf, or a skeleton's elements in order. `seen` is the last frame with it."""

    subject: Subject
    leaves: list[Leaf]
    seen: int

    @classmethod
    def of(cls, shape: Mapping[str, Any], frame: int, *, polygons: bool = False) -> "Followed":
        """An object that begins with a shape, as CVAT stores it, on that frame; a mask becomes a polygon on request."""
        subject = Subject.of(shape)
        if polygons and subject.type == "mask":
            subject = attrs.evolve(subject, type="polygon")
        return cls(subject, [Leaf.of(leaf) for leaf in shape.get("elements") or [shape]], frame)

    @property
    def hidden(self) -> bool:
        """Whether nothing of it is to be seen."""
        return all(leaf.hidden for leaf in self.leaves)

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Around what was seen last, (x1, y1, x2, y2) without rotation."""
        seen = [leaf for leaf in self.leaves if not leaf.hidden] or self.leaves
        lefts, tops, rights, bottoms = zip(*(_corners(leaf.place) for leaf in seen), strict=True)
        return min(lefts), min(tops), max(rights), max(bottoms)

    def places(self, size: tuple[int, int]) -> Iterator[Placed | None]:
        """Where it is now: the whole, then its elements if it has any; None for what is hidden.

        `size` is the picture's, (width, height): a mask of an object that is a polygon becomes its outline.
        """
        if self.subject.elements:
            yield None if self.hidden else Placed("skeleton", ())
        for leaf in self.leaves:
            as_outline = leaf.place.type == "mask" and self.subject.type == "polygon"
            yield None if leaf.hidden else outline(leaf.place, size) if as_outline else leaf.place


def outline(mask: Placed, size: tuple[int, int]) -> Placed | None:
    """The polygon around a mask's largest part; None of one that is too small to have one."""
    points = masks.outline(masks.decode(mask.points, size))
    return Placed("polygon", tuple(map(float, points))) if len(points) >= 6 else None


def _corners(place: Placed) -> tuple[float, float, float, float]:
    """The box around a shape, rotation left aside: of a mask its own, of an ellipse that of its axes."""
    if place.type == "mask":
        left, top, right, bottom = place.points[-4:]
        return left, top, right + 1, bottom + 1
    xs, ys = place.points[::2], place.points[1::2]
    if place.type == "ellipse":
        return 2 * xs[0] - xs[1], ys[1], xs[1], 2 * ys[0] - ys[1]
    return min(xs), min(ys), max(xs), max(ys)
