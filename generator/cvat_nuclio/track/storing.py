"""From where the objects are on each frame to what every job stores."""

from collections.abc import Callable, Sequence

import attrs

from ..cvat_server import Annotations, Connection, Job, Marks, Scope
from . import Options
from .clip_journal import Progress
from .drafts import Draft, Stored


@attrs.frozen
class Storing:
    """`walk`: all frames in the order in which they are followed. `save` keeps the progress before a job is written."""

    connection: Connection
    scope: Scope
    options: Options
    progress: Progress
    walk: Sequence[int]
    save: Callable[[], None]
    _ends: dict[int, int] = attrs.field()

    @_ends.default
    def _last_indexes(self) -> dict[int, int]:
        """Of each job the place in the walk of its last frame."""
        return {job.id: place for place, frame in enumerate(self.walk) for job in self.scope.jobs_of(frame)}

    def draw(self, frame: int) -> None:
        """Takes note of where the objects are."""
        for job in self.scope.jobs_of(frame):
            drafts = self.progress.drafts.setdefault(str(job.id), {})
            for index, followed in enumerate(self.progress.followed):
                draft = drafts.get(str(index))
                if draft is None and not followed.hidden:
                    draft = drafts[str(index)] = self._begin(job, index, frame)
                if draft is not None:
                    draft.add(frame, followed.places(job.size(frame)))

    def _begin(self, job: Job, index: int, frame: int) -> Draft:
        """Backwards, what lies behind the first frame with the object comes first."""
        backward = self.options.backward
        draft = Draft.begin(self.progress.followed[index], self.options.tolerance, backward=backward)
        after = _next_frame(job, frame)
        if backward and after is not None:
            draft.hide(after)
        return draft

    def finish(self, done: int) -> None:
        """Stores the jobs of which no frame is left, when so many of the walk are through. Raises UserError."""
        for job in self.scope.jobs:
            if str(job.id) in self.progress.drafts and self._ends[job.id] < done:
                self._store(job)

    def _store(self, job: Job) -> None:
        data, key = self._data(job), str(job.id)
        annotations = Annotations(self.connection, job.id)
        sent = key in self.progress.marks  # by an earlier process
        if not sent:
            self.progress.marks[key] = attrs.asdict(Marks.of(annotations.get()))
            self.save()
        annotations.add(data, Marks(**self.progress.marks[key]), again=sent)
        self.progress.tracks += len(data["tracks"])
        self.progress.keyframes += sum(len(track["shapes"]) for track in data["tracks"])
        self.progress.masks += len(data["shapes"])
        del self.progress.drafts[key]
        self.save()

    def _data(self, job: Job) -> Stored:
        """Forwards, nothing is known after the last frame."""
        after = _next_frame(job, self.walk[self._ends[job.id]])
        data: Stored = {"tracks": [], "shapes": []}
        for index, draft in self.progress.drafts[str(job.id)].items():
            if after is not None and not self.options.backward:
                draft.hide(after)
            for kind, found in draft.stored(self._mutable, self.progress.followed[int(index)].leaves).items():
                data[kind] += found
        return data

    @property
    def _mutable(self) -> set[int]:
        labels = [one for label in self.scope.labels for one in (label, *label.sublabels)]
        return {attribute.id for label in labels for attribute in label.attributes if attribute.mutable}

    def replace(self) -> None:
        """Removes what the tracks began with: they take its place."""
        for job, begun in self.progress.replaced.items() if not self.options.keep_shapes else ():
            Annotations(self.connection, int(job)).remove(begun)


def _next_frame(job: Job, frame: int) -> int | None:
    """The next of the job that is not deleted: CVAT leaves keyframes on deleted frames out."""
    return next((each for each in range(frame + 1, job.frames.stop) if each not in job.deleted), None)
