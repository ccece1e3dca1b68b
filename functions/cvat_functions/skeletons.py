"""What the families of skeletons share: points' names, labels, shapes, and the boxes that a detector finds first."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import cvat_sdk.auto_annotation as cvataa
import numpy as np

SIDES: Final = ("left", "right")
#: COCO's, in its order.
BODY: Final = ("nose", *(f"{side}_{part}" for part in (
    "eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle"
) for side in SIDES))  # fmt: skip
FEET: Final = tuple(f"{side}_{part}" for side in SIDES for part in ("big_toe", "small_toe", "heel"))
FACE: Final = tuple(f"face-{number}" for number in range(68))
FINGERS: Final = ("thumb", "forefinger", "middle_finger", "ring_finger", "pinky_finger")
HAND: Final = ("hand_root", *(f"{finger}{joint}" for finger in FINGERS for joint in range(1, 5)))
HANDS: Final = tuple(f"{side}_{part}" for side in SIDES for part in HAND)
#: COCO-WholeBody's.
WHOLE_BODY: Final = (*BODY, *FEET, *FACE, *HANDS)


def names_of(count: int) -> Sequence[str]:
    """COCO's 17 names, COCO-WholeBody's 133, or numbers from 1."""
    known = {len(names): names for names in (BODY, WHOLE_BODY)}
    return known.get(count) or [str(number + 1) for number in range(count)]


def skeleton_label(name: str, number: int, points: Sequence[str]) -> Any:
    """A label whose points are numbered from 0."""
    parts = [cvataa.keypoint_spec(point, index) for index, point in enumerate(points)]
    return cvataa.skeleton_label_spec(name, number, parts)


def labels_for(names: Mapping[str, int], kind: str, points: Sequence[str] | None = None) -> list[Any]:
    """Labels by name, with their numbers, all of the kind; of skeletons where there are `points`."""
    if points is not None:
        return [skeleton_label(name, number, points) for name, number in names.items()]
    return [cvataa.label_spec(name, number, type=kind) for name, number in names.items()]


def skeleton(number: int, places: Any, sure: Any = None, least: float = 0) -> Any:
    """A shape of the label `number`: `places` (points, 2) in pixels, those less `sure` (points,) than `least`
    outside."""
    hidden = np.zeros(len(places), bool) if sure is None else np.asarray(sure) < least
    return cvataa.skeleton(number, [
        cvataa.keypoint(index, [float(x), float(y)], outside=bool(hidden[index])) for index, (x, y) in enumerate(places)
    ])  # fmt: skip


def subject_of(detector: Any, subject: str) -> int:
    """The id of a detector's label by its name, in large or small letters. ValueError where it has none."""
    found = [label.id for label in detector.spec.labels if label.name.lower() == subject.lower()]
    if not found:
        known = ", ".join(label.name for label in detector.spec.labels)
        raise ValueError(f"the detector has no label {subject!r}: {known}")
    return int(found[0])
