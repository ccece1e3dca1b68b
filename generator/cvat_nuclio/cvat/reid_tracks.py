"""ReID over a task: pairs of frames → matchings → tracks in place of the task's rectangles."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import attrs

Box = dict[str, Any]
# (frame0, frame1, boxes0, boxes1) → the function's answer
Match = Callable[[int, int, list[Box], list[Box]], Any]


@attrs.define
class Paths:
    """Boxes joined over frames; a box that is in a path carries `path_id`."""

    boxes: list[list[Box]] = attrs.field(factory=list)

    def start_missing(self, boxes: Sequence[Box]) -> None:
        """A path of its own for each box that is in none."""
        for box in boxes:
            if "path_id" not in box:
                box["path_id"] = len(self.boxes)
                self.boxes.append([box])

    def join(self, matching: Any, boxes0: list[Box], boxes1: list[Box]) -> None:
        """Takes the answer: for each box of `boxes0` the index of its match, negative for none.

        Raises TypeError or IndexError, as CVAT does, for anything but whole numbers that fit.
        """
        for index0, index1 in enumerate(matching):
            if index1 >= 0:
                path_id = boxes0[index0]["path_id"]
                boxes1[index1]["path_id"] = path_id
                self.boxes[path_id].append(boxes1[index1])


def match_frames(
    boxes: dict[int, list[Box]], frames: Sequence[int], match: Match, progress: Callable[[float], None]
) -> list[dict[str, Any]]:
    """Walks the pairs of neighbouring frames and returns the tracks.

    The function is called only where both frames have a rectangle. A box matched twice raises KeyError: 'path_id'.
    Tracks lose group and attributes; one that ends early is outside on the frame after its last box.
    """
    paths = Paths()
    for done, (frame0, frame1) in enumerate(pairwise(frames), start=1):
        paths.start_missing(boxes[frame0])
        if boxes[frame0] and boxes[frame1]:
            matching = match(frame0, frame1, boxes[frame0], boxes[frame1])
            paths.join(matching, boxes[frame0], boxes[frame1])
        progress(done / len(frames))
    paths.start_missing(boxes[frames[-1]])
    return [_track(path, frames[-1]) for path in paths.boxes]


def _track(path: list[Box], last_frame: int) -> dict[str, Any]:
    track = {"label_id": path[0]["label_id"], "frame": path[0]["frame"], "group": None, "source": "auto"}
    shapes = [_tracked(box) for box in path]
    if shapes[-1]["frame"] != last_frame:
        shapes.append(shapes[-1] | {"frame": shapes[-1]["frame"] + 1, "outside": True})
    return track | {"shapes": shapes, "attributes": [], "elements": []}


def _tracked(box: Box) -> Box:
    box.pop("path_id")
    keep = ("type", "frame", "occluded", "z_order", "rotation", "points")
    return {key: box[key] for key in keep} | {"outside": False, "attributes": []}
