"""Batch jobs: a function over the frames of a task, and what is stored in the end."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from .errors import CvatError, unhandled
from .listing import Listed
from .reid import Box, match_frames
from .server import Server
from .storage import Collection, Store, empty
from .validation import labeled_data

SUBMIT_EVERY = 100


@attrs.define
class Job:
    """A batch job's end: `error` is None where it finished, `stored` what the task then holds."""

    stored: Collection
    error: CvatError | None = None
    progress: int | None = None

    @property
    def status(self) -> str:
        """As CVAT's request list shows it."""
        return "failed" if self.error else "finished"


@attrs.define
class _Run:
    server: Server
    function: Listed
    data: Mapping[str, Any]
    frames: Sequence[int]
    store: Store
    job: Job

    def detect(self) -> None:
        """One frame after another; results are written after every hundredth frame and at the end."""
        generation = self.server.generation
        pending = empty()
        for done, frame in enumerate(self.frames, start=1):
            for key, annotations in self._frame(frame, 100 * done // len(self.frames)).items():
                pending[key] += annotations
            if frame and frame % SUBMIT_EVERY == 0:
                self.store.append(labeled_data(pending, generation))
                pending = empty()
        self.store.append(labeled_data(pending, generation))

    def _frame(self, frame: int, progress: int) -> Collection:
        """One frame's annotations. Later servers check them at once, G1 when they are submitted."""
        server, data = self.server, {**self.data, "frame": frame}
        items = server.detect(self.function, self.store.task, data)
        if server.generation.converts_on_server:
            found = server.annotations(items, self.store.task, data)
            labeled_data(found, server.generation)
            self.job.progress = progress
            return found
        self.job.progress = progress
        return server.annotations(items, self.store.task, data)

    def reidentify(self) -> None:
        """Replaces all rectangles of the task by tracks; without a rectangle nothing changes."""
        shapes = copy.deepcopy(self.store.annotations["shapes"])
        boxes: dict[int, list[Box]] = {
            frame: [s for s in shapes if s["frame"] == frame and s["type"] == "rectangle"] for frame in self.frames
        }
        tracks = match_frames(boxes, self.frames, self._match, self._progress)
        if tracks:
            others = [s for s in self.store.annotations["shapes"] if s["type"] != "rectangle"]
            self.store.annotations["shapes"] = others
            self.store.append(empty() | {"tracks": tracks})

    def _match(self, frame0: int, frame1: int, boxes0: list[Box], boxes1: list[Box]) -> Any:
        pair = {"frame0": frame0, "frame1": frame1, "boxes0": boxes0, "boxes1": boxes1}
        return self.server.exchange(self.function, self.store.task, {**self.data, **pair})

    def _progress(self, percent: int) -> None:
        self.job.progress = percent


def run_job(
    server: Server,
    function: Listed,
    store: Store,
    body: Mapping[str, Any],
    frames: Sequence[int] | None = None,
) -> Job:
    """`POST /api/lambda/requests` and the job behind it, to its end; the task and its annotations are in `store`.

    Only detectors and ReID functions do anything here. An error fails the job, and everything that was not yet
    submitted is lost; with `cleanup` the old annotations are gone before the first call. `frames`: those of one job
    of the task, all by default.
    """
    job = Job(store.annotations, progress=None if server.generation.converts_on_server else 0)
    chosen = [f for f in (frames or range(store.task.size)) if f not in store.task.deleted]
    if body.get("cleanup"):
        store.clear()
    try:
        with unhandled():
            run = _Run(server, function, _numbers(body), chosen, store, job)
            if function.kind == "detector":
                run.detect()
            elif function.kind == "reid":
                run.reidentify()
    except CvatError as error:
        job.error = error
    job.stored = store.annotations
    return job


def _numbers(body: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a batch request as its serializer passes it; the switch for polygons had another name in G1."""
    data = {key: value for key, value in body.items() if value is not None}
    data["conv_mask_to_poly"] = data.get("conv_mask_to_poly", data.get("convMaskToPoly", False))
    readers = {"threshold": float, "max_distance": int}
    return data | {name: read(data[name]) for name, read in readers.items() if name in data}
