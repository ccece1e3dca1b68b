"""What CVAT shows of a track, frame by frame: slow and plain, for the tests to compare with."""

from collections.abc import Iterable

from cvat_nuclio.cvat.interpolation import Placed, between
from cvat_nuclio.track.keyframes import Keyframe


def shown_by_cvat(keyframes: Iterable[Keyframe], end: int) -> dict[int, Placed]:
    """The shapes on the frames before `end`; frames where nothing is shown, or nothing that can
    be relied on, are left out: between half a turn lie only frames that nobody followed, deleted ones."""
    ordered = sorted(keyframes, key=lambda keyframe: keyframe.frame)
    shown: dict[int, Placed] = {}
    for number, one in enumerate(ordered):
        following = ordered[number + 1] if number + 1 < len(ordered) else None
        for frame in range(one.frame, following.frame if following else end):
            if one.outside:
                continue
            if frame == one.frame or following is None:
                shown[frame] = one.shape
            else:
                place = (frame - one.frame) / (following.frame - one.frame)
                for shape in between(one.shape, following.shape, [place]) or ():
                    shown[frame] = shape
    return {frame: shape for frame, shape in shown.items() if frame < end}
