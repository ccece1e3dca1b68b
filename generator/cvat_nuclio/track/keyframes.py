"""Which frames of a followed object become keyframes, decided while they come in."""

from collections.abc import Iterator

import attrs

from ..cvat.interpolation import Placed, between
from .deviation import deviation

#: The most frames between two keyframes, which bounds the memory.
LONGEST = 128
#: So many frames after a keyframe it is looked whether another one is needed: of ever longer rows ever more rarely, so
#: that a frame is looked at a few times, however long its row becomes.
LOOK_AT = {2**power for power in range(1, 7)} | {LONGEST}


@attrs.frozen
class Keyframe:
    """A shape that CVAT stores of a track; from an `outside` one on it shows nothing, until the next."""

    frame: int
    shape: Placed
    outside: bool = False


@attrs.define
class Keyframes:
    """Keeps a frame where, without it, CVAT would show the object farther than `tolerance` pixels from where it was.

    Frames come in rising order, or falling for a clip followed backwards; some may be left out. What is settled is
    yielded, so that no more than `LONGEST` shapes are held.
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
            self._anchor = Keyframe(frame, shape)
            yield self._anchor
        else:
            self._since.append(Keyframe(frame, shape))
            if len(self._since) in LOOK_AT:
                yield from self._settle(self._anchor)

    def end(self) -> Iterator[Keyframe]:
        """Settles what is left: the last frame is a keyframe."""
        if self._anchor and self._since:
            yield from self._settle(self._anchor)
        if self._since:
            yield self._keep(len(self._since))

    def _lose(self, frame: int) -> Iterator[Keyframe]:
        """Seen from the front, a gap begins with an outside keyframe, wherever the walk came from."""
        yield from self.end()
        if self._anchor is not None and not self.backward:
            yield Keyframe(frame, self._anchor.shape, outside=True)
        self._anchor, self._lost = None, frame

    def _settle(self, anchor: Keyframe) -> Iterator[Keyframe]:
        """Keeps what is needed for the rest to be shown well between the last keyframe and the last frame."""
        while (reach := self._reach(anchor)) < len(self._since):
            anchor = self._keep(reach)
            yield anchor
        if len(self._since) == LONGEST:
            yield self._keep(LONGEST)

    def _keep(self, count: int) -> Keyframe:
        """The frame of that number becomes a keyframe."""
        kept = self._since[count - 1]
        self._anchor, self._since = kept, self._since[count:]
        return kept

    def _reach(self, anchor: Keyframe) -> int:
        """How many frames on the next keyframe may be: halving, between the first, which always may, and the last."""
        low, high = 1, len(self._since)
        if self._shown_well(anchor, high):
            return high
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._shown_well(anchor, middle) else (low, middle)
        return low

    def _shown_well(self, anchor: Keyframe, count: int) -> bool:
        """Whether CVAT shows all frames before the one of that number well, were that one the next keyframe."""
        *seen, new = self._since[:count]
        if not seen:
            return True
        left, right = sorted((anchor, new), key=lambda keyframe: keyframe.frame)
        length = right.frame - left.frame
        shown = between(left.shape, right.shape, [(one.frame - left.frame) / length for one in seen])
        return shown is not None and deviation(shown, [one.shape for one in seen]) <= self.tolerance
