"""Which frames of a followed object become keyframes, decided while they come in."""

from collections.abc import Iterator

import attrs

from ..cvat.interpolation import Placed, between
from .deviation import deviation

#: The most frames between two keyframes: bounds memory, and the work of one more frame.
LONGEST = 100


@attrs.frozen
class Keyframe:
    """A shape that CVAT stores of a track; from an `outside` one on it shows nothing, until the next."""

    frame: int
    shape: Placed
    outside: bool = False


@attrs.define
class Keyframes:
    """Keeps a frame where, without it, CVAT would show the object farther than `tolerance` pixels from where it was.

    Frames come in rising order, or falling for a clip followed backwards; some may be left out. What a frame settles is
    yielded at once, so that no more than `LONGEST` shapes are held.
    """

    tolerance: float
    backward: bool = False
    # The last keyframe, and what came after it and is not settled; None while the object is lost.
    _anchor: Keyframe | None = None
    _since: list[Keyframe] = attrs.field(factory=list)
    # The last frame of a gap.
    _lost: int | None = None

    def add(self, frame: int, shape: Placed | None) -> Iterator[Keyframe]:
        """One frame more; None for an object that is not to be seen there."""
        if shape is None:
            yield from self._lose(frame)
        elif self._anchor is None:
            if self.backward and self._lost is not None:
                yield Keyframe(self._lost, shape, outside=True)
            yield from self._keep(Keyframe(frame, shape))
        else:
            new = Keyframe(frame, shape)
            if self._since and (len(self._since) >= LONGEST or not self._shown_well(self._anchor, new)):
                yield from self._keep(self._since[-1])
            self._since.append(new)

    def end(self) -> Iterator[Keyframe]:
        """Settles what is left: the last frame is a keyframe."""
        if self._since:
            yield from self._keep(self._since[-1])

    def _keep(self, keyframe: Keyframe) -> Iterator[Keyframe]:
        self._anchor, self._since = keyframe, []
        yield keyframe

    def _lose(self, frame: int) -> Iterator[Keyframe]:
        """Seen from the front, a gap begins with an outside keyframe, wherever the walk came from."""
        yield from self.end()
        if self._anchor is not None and not self.backward:
            yield Keyframe(frame, self._anchor.shape, outside=True)
        self._anchor, self._lost = None, frame

    def _shown_well(self, anchor: Keyframe, new: Keyframe) -> bool:
        left, right = sorted((anchor, new), key=lambda keyframe: keyframe.frame)
        length = right.frame - left.frame
        shown = between(left.shape, right.shape, [(seen.frame - left.frame) / length for seen in self._since])
        return shown is not None and deviation(shown, [seen.shape for seen in self._since]) <= self.tolerance
