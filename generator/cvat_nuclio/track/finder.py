"""New objects in the middle of a clip, and lost ones found again: a detector now and then, and a ReID function.

What is found is first set against what is followed, by the overlap of the boxes. The rest goes to the ReID function
together with the lost objects, as CVAT's own job sends it pairs of frames; its answer is an assignment already, the
runtime's (`aa_runtime.reid`). What is then left is new.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np
from scipy.optimize import linear_sum_assignment

from ..errors import UserError
from .asked_function import Function
from .subjects import Followed

#: Boxes that share less of what both cover are two objects.
SAME = 0.3

Shape = dict[str, Any]


@attrs.frozen
class Detector:
    """A detection function; `mapping` and `threshold` as CVAT's REST API takes them."""

    function: Function
    mapping: Mapping[str, Any]
    threshold: float | None = None
    polygons: bool = False

    def find(self, frame: int, picture: bytes) -> list[Shape]:
        """The shapes on a frame, as CVAT would store them. Raises UserError."""
        asked = {"mapping": self.mapping, "threshold": self.threshold, "conv_mask_to_poly": self.polygons}
        shapes: list[Shape] = self.function.ask({frame: picture}, {"frame": frame, **asked})["shapes"]
        return shapes


@attrs.frozen
class ReID:
    """A ReID function; `max_distance` in pixels between centres, the function's own where it is None."""

    function: Function
    max_distance: int | None = None

    def same(
        self, before: tuple[int, bytes], now: tuple[int, bytes], lost: Sequence[Followed], found: Sequence[Followed]
    ) -> list[tuple[int, int]]:
        """Which of the lost, last seen on the frame `before`, are which of those found on the frame `now`."""
        answer = self.function.ask(
            dict([before, now]),
            {
                "frame0": before[0],
                "frame1": now[0],
                "boxes0": [_rectangle(each) for each in lost],
                "boxes1": [_rectangle(each) for each in found],
                "max_distance": self.max_distance,
            },
        )
        if not _is_matching(answer, len(lost), len(found)):
            raise UserError(
                f"the answer of {self.function.listed.id} does not fit the request",
                why=f"it needs {len(lost)} numbers below {len(found)}, none twice",
                remedy="cvat-nuclio check says how a ReID function answers",
            )
        return [(index, other) for index, other in enumerate(answer) if other >= 0]


def overlapping(known: Sequence[Followed], found: Sequence[Followed]) -> list[tuple[int, int]]:
    """Which of the known are which of the found: equal labels, the most overlap in sum."""
    if not known or not found:
        return []
    shared = np.array([[_shared(one, other) for other in found] for one in known])
    rows, columns = linear_sum_assignment(shared, maximize=True)
    return [(int(i), int(j)) for i, j in zip(rows, columns, strict=True) if shared[i, j] >= SAME]


def _shared(one: Followed, other: Followed) -> float:
    """The part of the area that both boxes cover together; 0 where the labels differ, or it is less than `SAME`."""
    if one.subject.label_id != other.subject.label_id:
        return 0.0
    (a, b, c, d), (e, f, g, h) = one.box, other.box
    common = max(min(c, g) - max(a, e), 0.0) * max(min(d, h) - max(b, f), 0.0)
    whole = (c - a) * (d - b) + (g - e) * (h - f) - common
    part = common / whole if whole > 0 else 0.0
    return part if part >= SAME else 0.0


def _rectangle(followed: Followed) -> Mapping[str, Any]:
    return {"type": "rectangle", "label_id": followed.subject.label_id, "points": list(followed.box), "rotation": 0.0}


def _is_matching(answer: Any, lost: int, found: int) -> bool:
    whole = isinstance(answer, list) and all(type(index) is int and -1 <= index < found for index in answer)
    taken = [index for index in answer if index >= 0] if whole else []
    return whole and len(answer) == lost and len(set(taken)) == len(taken)
