"""What jobs get of any walk: every job shows every object where it was, and nothing where it was not looked."""

from collections.abc import Sequence
from typing import Any

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.track.shown import shown_by_cvat

from cvat_nuclio.cvat.interpolation import Placed
from cvat_nuclio.cvat_server import Job, Scope
from cvat_nuclio.track import Options
from cvat_nuclio.track.clip_journal import Progress, thaw
from cvat_nuclio.track.deviation import deviation
from cvat_nuclio.track.keyframes import Keyframe
from cvat_nuclio.track.storing import Storing
from cvat_nuclio.track.subjects import Followed

LENGTH = 24


@attrs.frozen
class Walk:
    """A task, frames that are followed, and of each object where it is (None: not to be seen), from its first on."""

    scope: Scope
    options: Options
    places: Sequence[dict[int, Placed | None]]


@st.composite
def walks(draw: st.DrawFn) -> Walk:
    size, overlap = draw(st.integers(3, LENGTH)), draw(st.integers(0, 2))
    deleted = draw(st.frozensets(st.integers(0, LENGTH - 1), max_size=5))
    starts = range(0, LENGTH - overlap, size - overlap)
    jobs = tuple(
        Job(number, range(start, min(start + size, LENGTH)), 10, False, deleted, [(99, 99)])
        for number, start in enumerate(starts, 1)
    )
    first = draw(st.integers(0, LENGTH - 1))
    last = draw(st.integers(first, LENGTH - 1))
    frames = tuple(frame for frame in range(first, last + 1) if frame not in deleted)
    options = Options(tolerance=draw(st.sampled_from([0.0, 1.0])), backward=draw(st.booleans()))
    order = frames[::-1] if options.backward else frames
    places = [draw(objects(order)) for _ in range(draw(st.integers(1, 3)))] if frames else []
    return Walk(Scope(1, "", jobs, frames, ()), options, places)


@st.composite
def objects(draw: st.DrawFn, order: Sequence[int]) -> dict[int, Placed | None]:
    """An object that comes with some frame of the walk."""
    begin = draw(st.integers(0, len(order) - 1))
    x, found = 0.0, {}
    for frame in order[begin:]:
        x += draw(st.sampled_from([0.0, 0.4, 2.0, 2.0, 9.0]))
        seen = frame == order[begin] or draw(st.integers(0, 4)) > 0
        found[frame] = Placed("rectangle", (x, 5.0, x + 10, 20.0)) if seen else None
    return found


@settings(max_examples=300)
@given(walks(), st.integers(0, LENGTH))
def test_every_job_shows_what_was_followed(walk: Walk, interrupted: int) -> None:
    parts = stored(walk, interrupted)
    for job in walk.scope.jobs:
        tracks = [shown_by_cvat(keyframes(track), job.frames.stop) for track in parts[job.id]]
        for frame in set(job.frames) - job.deleted:
            there = [place for each in walk.places if (place := each.get(frame))]
            found = [track[frame] for track in tracks if frame in track]
            assert len(found) == len(there), frame
            for place in there:
                assert min(deviation([each], [place]) for each in found) <= walk.options.tolerance + 1e-9
        assert all(each["frame"] in job.frames for track in parts[job.id] for each in track["shapes"])


def stored(walk: Walk, interrupted: int) -> dict[int, list[dict[str, Any]]]:
    """Each job's tracks. Before the walk's frame of that number everything goes through the journal's form."""
    order = walk.scope.frames[::-1] if walk.options.backward else walk.scope.frames
    progress, known = Progress(), list[dict[int, Placed | None]]()
    storing = Storing(None, walk.scope, walk.options, progress, order, lambda: None)  # type: ignore[arg-type]
    found: dict[int, list[dict[str, Any]]] = {job.id: [] for job in walk.scope.jobs}
    for number, frame in enumerate(order):
        if number == interrupted:
            progress = thaw(Progress, attrs.asdict(progress))
            storing = attrs.evolve(storing, progress=progress)
        for each in (each for each in walk.places if next(iter(each)) == frame):
            known.append(each)
            points = each[frame].points  # type: ignore[union-attr]
            progress.followed.append(Followed.of({"label_id": 1, "type": "rectangle", "points": points}, frame))
        for each, followed in zip(known, progress.followed, strict=True):
            place, (leaf,) = each[frame], followed.leaves
            leaf.hidden, leaf.place = place is None, place or leaf.place
        storing.draw(frame)
        for job in walk.scope.jobs:
            if str(job.id) in progress.drafts and storing._ends[job.id] == number:
                found[job.id] = storing._data(job)["tracks"]
                del progress.drafts[str(job.id)]
    return found


def keyframes(track: dict[str, Any]) -> list[Keyframe]:
    return [
        Keyframe(one["frame"], Placed(one["type"], tuple(one["points"]), one["rotation"]), one["outside"])
        for one in track["shapes"]
    ]
