"""P9: a task of pictures from CVAT's disk to stored shapes, against CVAT's own job: one call at a time."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
from tests.cvat_server import cvat_standin
from tests.cvat_server.cvat_place import place_at

from cvat_nuclio.annotate.task_run import Wishes, annotate_task
from cvat_nuclio.cvat import NEWEST, Listed, Server, Task, list_function
from cvat_nuclio.cvat.job import run_job
from cvat_nuclio.cvat.mapping import mapping_by_name
from cvat_nuclio.cvat.storage import Store
from cvat_nuclio.cvat_server import Annotations, Marks, frames_ahead
from cvat_nuclio.invoke.call_target import Hints, Target, open_target

from .row import Result, Samples, at_most, interleave
from .scenes import generated_bundle, pictures

FRAMES, WORKERS = 240, 4
RECORDED = (8.3, 8.2, 8.1, 8.4)
"""Frames a second of CVAT 2.73's own job with such a function (tests/recordings/cvat-rest)."""
TIMES = 3.8


@attrs.frozen
class Scene:
    """A task of small pictures at the tests' stand-in, and the function, served by four workers."""

    place: Any
    scope: Any
    target: Target
    function: Listed


@contextmanager
def scene(folder: Path, frames: int = FRAMES) -> Iterator[Scene]:
    """Server, function and client share the machine's cores."""
    bundle = generated_bundle(folder, "sleeping_detector")
    files = pictures(folder / "pictures", frames, (320, 240))
    labels = [{"name": "box", "type": "rectangle"}, {"name": "scene", "type": "tag"}]
    with (
        cvat_standin.running() as cvat,
        place_at(cvat.url, "annotator", "secret") as place,
        open_target(str(bundle), Hints(workers=WORKERS)) as target,
    ):
        function = list_function(target.function, NEWEST)
        yield Scene(place, place.task(labels=labels, files=files), target, function)


def run(folder: Path) -> Iterator[Result]:
    """Seconds of both, and of CVAT's job as it was recorded."""
    with scene(folder) as found:
        a, b = interleave(_annotate(found), _one_at_a_time(found), rounds=3, warm_up=0)
    work = f"`annotate`, {FRAMES} pictures, a function of 100 ms a call, {WORKERS} workers"
    recorded = Samples("CVAT's job", [FRAMES / rate for rate in RECORDED])
    for theirs, which in (
        (recorded, "CVAT 2.73's own job, as recorded"),
        (Samples("one call at a time", b), "its calls one after another, frames in memory"),
    ):
        ours = Samples("annotate", a)
        yield at_most(1 / TIMES, "P9", f"{work}; against {which}", ours, theirs, "s", f"≤ 1/{TIMES:g} of the time")


def _annotate(found: Scene) -> Callable[[], float]:
    mapping = mapping_by_name(found.function.labels, found.scope.labels, NEWEST)

    def whole() -> float:
        begun = time.perf_counter()
        outcome = annotate_task(
            found.place.connection, found.scope, found.target, found.function, mapping, Wishes({}, fresh=True)
        )
        if outcome.frames != FRAMES:
            raise RuntimeError(f"{outcome.frames} frames")
        return time.perf_counter() - begun

    return whole


def _one_at_a_time(found: Scene) -> Callable[[], float]:
    """The model of CVAT's job, its frames in memory; what it found is stored in one request."""
    images = [frame.content for frame in frames_ahead(found.place.connection, found.scope, found.scope.frames)]
    task = Task.of(found.scope.labels, images)
    annotations = Annotations(found.place.connection, found.scope.jobs[0].id)

    def whole() -> float:
        begun = time.perf_counter()
        job = run_job(Server(NEWEST, found.target.gateway(NEWEST)), found.function, Store(task), {})
        data = {kind: [_as_new(each) for each in job.stored[kind]] for kind in ("tags", "shapes")}
        annotations.add(data, Marks.of(annotations.get()))
        return time.perf_counter() - begun

    return whole


def _as_new(annotation: dict[str, Any]) -> dict[str, Any]:
    """As the REST API takes it: without the number that the model gave."""
    return {key: value for key, value in annotation.items() if key != "id"}
