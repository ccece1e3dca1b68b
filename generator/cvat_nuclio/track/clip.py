"""One clip from end to end: every frame once, and all objects in one request."""

import time
from collections.abc import Callable, Iterator, Sequence

import attrs

from ..cvat_server import Connection, Frame, Scope, frames_ahead
from ..errors import UserError
from . import Options
from .asked_function import RefusedError, Tracker
from .clip_journal import Progress
from .finder import Detector, ReID, Shape, overlapping
from .starts import Following, as_shape, begun
from .storing import Storing
from .subjects import Followed, Leaf

SAVE_EVERY = 5.0
"""Seconds, or fifty times what the saving takes: so much is done again after the process was killed."""
LOST_FOR = 300
"""Frames after which an object is no longer looked for."""
PICTURES = 32
"""Pictures of lost objects that are held; others are fetched again."""


@attrs.define
class Clip:
    """Follows what `options` and the detector say.

    `save` keeps the progress; a new `Clip` with it goes on from there.
    """

    connection: Connection
    scope: Scope
    tracker: Tracker
    options: Options
    progress: Progress
    save: Callable[[Progress], None]
    detector: Detector | None = None
    reid: ReID | None = None
    _last: Frame | None = attrs.field(default=None, repr=False, init=False)
    _pictures: dict[int, bytes] = attrs.field(factory=dict, repr=False, init=False)

    @property
    def walk(self) -> Sequence[int]:
        """The frames in the order in which they are followed."""
        return self.scope.frames[::-1] if self.options.backward else self.scope.frames

    def run(self) -> Iterator[int]:
        """Yields how many frames are done. Raises UserError; the progress is then what was reached."""
        progress, walk = self.progress, self.walk
        storing = Storing(self.connection, self.scope, self.options, progress, walk, self._keep)
        due = time.monotonic() + SAVE_EVERY
        storing.finish(progress.index)
        for frame in frames_ahead(self.connection, self.scope, walk[progress.index :]):
            self._step(frame)
            storing.draw(frame.number)
            progress.index += 1
            storing.finish(progress.index)
            if (begun := time.monotonic()) > due:
                self._keep()
                due = time.monotonic() + max(SAVE_EVERY, 50 * (time.monotonic() - begun))
            yield progress.index
        storing.replace()

    def _keep(self) -> None:
        self.save(self.progress)

    def _step(self, frame: Frame) -> None:
        """What fails leaves all as it was, or moved to this frame, where it is not moved again."""
        if self.progress.index == 0:
            self.progress.followed = self._first(frame)
        elif self.progress.at != frame.number:
            self._follow(frame)
            self.progress.at = frame.number
        if self.progress.index and self._due():
            self._look(frame)
        self._remember(frame)
        self._last = frame

    def _follow(self, frame: Frame) -> None:
        moving = [leaf for each in self.progress.followed for leaf in each.leaves if leaf.state is not None]
        try:
            if moving:
                self.tracker.follow(frame.number, frame.content, moving)
        except RefusedError as refused:
            shown = self._show_again(moving, refused)
            self.tracker.follow(frame.number, frame.content, shown)

    def _show_again(self, leaves: Sequence[Leaf], refused: RefusedError) -> Sequence[Leaf]:
        """States do not last: eight hours, or until a worker that holds them ends. What is in sight is shown once more.

        What is lost then cannot be followed any further. Raises `refused` where nothing is in sight.
        """
        shown = [leaf for leaf in leaves if not leaf.hidden]
        if not shown:
            raise refused
        before = self.walk[self.progress.index - 1]
        picture = self._last.content if self._last else self._picture(before)
        self.tracker.start(before, picture, shown)
        for leaf in leaves:
            leaf.state = None if leaf.hidden else leaf.state
        self.progress.notes.append(f"on frame {before} the function was shown the objects again: {refused.why}")
        return shown

    def _due(self) -> bool:
        every = self.options.detect_every
        return self.detector is not None and every > 0 and self.progress.index % every == 0

    @property
    def _following(self) -> Following:
        listed = self.tracker.function.listed
        return Following(listed.id, listed.supported_shape_types or ())

    def _first(self, frame: Frame) -> list[Followed]:
        """What the clip begins with. Raises UserError where that is nothing, but for a detector that looks again."""
        if self.detector is not None:
            shapes = self.detector.find(frame.number, frame.content)
            left = self._following.left_out(shapes)
            if not shapes and not self.options.detect_every:
                raise UserError(
                    f"{self.detector.function.listed.id} finds nothing on frame {frame.number}",
                    remedy="begin on another frame (--frames), lower --conf-threshold, or add --detect-every N",
                )
        else:
            stored, left = begun(self.connection, self.scope, frame.number, self.options.shapes, self._following)
            self.progress.replaced = stored
            first = next(iter(stored.values()))
            shapes = [as_shape(annotation) for kind in first.values() for annotation in kind]
        self.progress.notes += [left] if left else []
        followed = self._followed(shapes, frame.number)
        self._start(frame, followed)
        return followed

    def _followed(self, shapes: Sequence[Shape], frame: int) -> list[Followed]:
        return [
            Followed.of(shape, frame, polygons=self.options.polygons)
            for shape in shapes
            if self._following.takes(shape)
        ]

    def _start(self, frame: Frame, followed: Sequence[Followed]) -> None:
        leaves = [leaf for each in followed for leaf in each.leaves if not leaf.hidden]
        if leaves:
            self.tracker.start(frame.number, frame.content, leaves)

    def _look(self, frame: Frame) -> None:
        """What a detector finds beside those in sight: lost objects go on there, the rest is new."""
        assert self.detector is not None  # noqa: S101
        found = self._followed(self.detector.find(frame.number, frame.content), frame.number)
        in_sight = [each for each in self.progress.followed if not each.hidden]
        taken = {index for _, index in overlapping(in_sight, found)}
        found = [each for index, each in enumerate(found) if index not in taken]
        joined = list(self._joined(frame, found))
        self._start(frame, found)
        for lost, other in joined:
            lost.leaves = other.leaves
        again = [other for _, other in joined]
        self.progress.followed += [each for each in found if not any(each is other for other in again)]

    def _joined(self, frame: Frame, found: Sequence[Followed]) -> Iterator[tuple[Followed, Followed]]:
        """Pairs of a lost object and what was found of it; those seen last are asked for first."""
        left = list(found)
        lost = [each for each in self.progress.followed if each.hidden and abs(frame.number - each.seen) <= LOST_FOR]
        for seen in sorted({each.seen for each in lost}, reverse=not self.options.backward):
            group = [each for each in lost if each.seen == seen]
            if self.reid is None or not left:
                return
            pairs = self.reid.same((seen, self._picture(seen)), (frame.number, frame.content), group, left)
            yield from ((group[index], left[other]) for index, other in pairs)
            left = [each for index, each in enumerate(left) if index not in {other for _, other in pairs}]

    def _remember(self, frame: Frame) -> None:
        for each in self.progress.followed:
            if not each.hidden:
                each.seen = frame.number
        if self.reid is not None:
            self._pictures[frame.number] = frame.content
            wanted = {each.seen for each in self.progress.followed}
            kept = [number for number in self._pictures if number in wanted][-PICTURES:]
            self._pictures = {number: self._pictures[number] for number in kept}

    def _picture(self, frame: int) -> bytes:
        if frame not in self._pictures:
            return next(frames_ahead(self.connection, self.scope, [frame])).content
        return self._pictures[frame]
