"""Batch jobs: a function over the frames of a task, and what is stored in the end."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from .conversion import Items
from .generation import Generation
from .listing import Listed
from .reid_tracks import Box, match_frames
from .rest_errors import CvatError, invalid, unhandled
from .rest_fields import Reader, Refused, array, boolean, choice, dictionary, integer, number, record, text
from .roi import check_for_job
from .server import Server
from .storage import Collection, Store, empty
from .task import Task
from .validation import labeled_data

SUBMIT_EVERY = 100
_SUBLABEL: dict[str, Reader] = {"name": text(), "attributes": dictionary(text())}
_LABEL: dict[str, Reader] = _SUBLABEL | {"sublabels": dictionary(record(_SUBLABEL, ["name"]))}
_FIELDS: dict[str, Reader] = {
    "function": text(),
    "max_distance": integer(),
    "threshold": number(),
    "cleanup": boolean,
    "convMaskToPoly": boolean,
    "conv_mask_to_poly": boolean,
    "mapping": dictionary(record(_LABEL, ["name"])),
}


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
    segment: Sequence[int] | None
    store: Store
    job: Job

    def detect(self) -> None:
        """One frame after another; results are written after every hundredth frame and at the end."""
        pending = empty()
        for frame in self.frames:
            if frame in self.store.task.deleted:
                continue
            data = {**self.data, "frame": frame}
            found = self.server.invoke(self.function, self.store.task, data, self.segment)
            self._progress((frame + 1) / self.store.task.size)
            if isinstance(found, Items):
                found = self.server.annotations(found, self.store.task, data)
            for key in pending:
                pending[key] += found[key]
            if frame and frame % SUBMIT_EVERY == 0:
                self._submit(pending)
                pending = empty()
        self._submit(pending)

    def _submit(self, pending: Collection) -> None:
        """Later servers have checked every frame by itself; G1 checks what it submits."""
        converted = self.server.generation.converts_on_server
        self.store.append(pending if converted else labeled_data(pending, self.server.generation))

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
            group = 0 if self.server.generation is Generation.G3 else None
            self.store.append(empty() | {"tracks": [track | {"group": group} for track in tracks]})

    def _match(self, frame0: int, frame1: int, boxes0: list[Box], boxes1: list[Box]) -> Any:
        pair = {"frame0": frame0, "frame1": frame1, "boxes0": boxes0, "boxes1": boxes1}
        given = {name: self.data[name] for name in ("threshold", "max_distance", "quality") if name in self.data}
        return self.server.invoke(self.function, self.store.task, {**given, **pair}, self.segment)

    def _progress(self, share: float) -> None:
        self.job.progress = int(share * 100)


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
    of the task, all by default. Raises `CvatError` where the request itself is refused and there is no job.
    """
    data = _accepted(server, function, store.task, body)
    job = Job(store.annotations, progress=None if server.generation.converts_on_server else 0)
    chosen = sorted(frames) if frames is not None else range(store.task.size)
    if data.get("cleanup"):
        store.clear()
    try:
        with unhandled():
            run = _Run(server, function, data, chosen, frames, store, job)
            if function.kind == "detector":
                run.detect()
            elif function.kind == "reid":
                run.reidentify()
    except CvatError as error:
        job.error = error
    job.stored = store.annotations
    return job


def _accepted(server: Server, function: Listed, task: Task, body: Mapping[str, Any]) -> dict[str, Any]:
    """The request's fields, or CVAT's refusal."""
    with unhandled():
        data = _read_request(body, server.generation)
        roi = data.get("roi")
        if roi is not None and function.kind != "detector":
            raise invalid(f"ROI is not supported for {function.kind} functions")
        if roi is not None:
            check_for_job(roi, [task.image(frame) for frame in range(task.size) if frame not in task.deleted])
    return data


def _read_request(body: Mapping[str, Any], generation: Generation) -> dict[str, Any]:
    """The fields that a job goes by; `function`, `task` and `job` are given to the model as objects.

    Unlike a call for one frame, whose body CVAT takes as it is, null is refused here and numbers may be text. The
    switch for polygons has two names since 2.23; G1 knows the first alone. Raises the REST ValidationError, 400.
    """
    readers = dict(_FIELDS)
    if generation is Generation.G1:
        del readers["conv_mask_to_poly"]
        readers["quality"] = choice(("compressed", "original"))
    if generation is Generation.G3:
        readers["roi"] = array(integer(), 4)
    try:
        data = record(readers)(body)
    except Refused as refusal:
        raise refusal.as_error() from None
    old_name = data.pop("convMaskToPoly", False)
    return {"conv_mask_to_poly": old_name, **data}
