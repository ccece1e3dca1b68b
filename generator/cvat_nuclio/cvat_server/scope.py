"""What is worked on: the jobs of a task, or one of them, and frames of theirs."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import attrs

from ..cvat.task import TaskLabel
from ..errors import UserError
from .connection import Connection
from .labels import task_label
from .refusals import Refused


@attrs.frozen
class Job:
    """A job. Frames are numbered as in its task, from 0 and without gaps, whatever step the task was made with.

    `frames` is a range that takes in deleted ones; `sizes` gives (width, height) for each, or one for all of a video.
    """

    id: int
    frames: range
    chunk_size: int
    is_video: bool
    deleted: frozenset[int]
    sizes: Sequence[tuple[int, int]] = attrs.field(repr=False)

    def size(self, frame: int) -> tuple[int, int]:
        """(width, height) of a frame, in pixels."""
        return self.sizes[0 if len(self.sizes) == 1 else frame - self.frames.start]


@attrs.frozen
class Scope:
    """Jobs of one task in the order of their frames, the `frames` chosen (none deleted, in order), the labels.

    `task_name` is "" for who may open its jobs alone. `left_out` says what of the task is not worked on, and why.
    """

    task_id: int
    task_name: str
    jobs: tuple[Job, ...]
    frames: tuple[int, ...]
    labels: tuple[TaskLabel, ...]
    left_out: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """`task 12 (its name)`."""
        return f"task {self.task_id}" + (f" ({self.task_name})" if self.task_name else "")

    def jobs_of(self, frame: int) -> list[Job]:
        """The jobs that hold a frame: two where jobs overlap. CVAT stores an annotation of it in each."""
        return [job for job in self.jobs if frame in job.frames]


def open_task(connection: Connection, task_id: int, frames: range | None = None) -> Scope:
    """The annotation jobs of a task that this user may open. Raises UserError where there is nothing to work on."""
    found = list(connection.pages("jobs", task_id=task_id))
    if not found:
        raise _nothing(connection, task_id)
    chosen = [raw for raw in found if raw["type"] == "annotation" and raw.get("parent_job_id") is None]
    return _scope(connection, chosen, frames, _left_out(found))


def open_job(connection: Connection, job_id: int, frames: range | None = None, task_id: int | None = None) -> Scope:
    """One job of a task. Raises UserError, for a job of ground truth or a consensus replica too."""
    raw = connection.get(f"jobs/{job_id}")
    if task_id not in (None, raw["task_id"]):
        raise UserError(f"job {job_id} is none of task {task_id}", why=f"it belongs to task {raw['task_id']}")
    if raw["type"] == "ground_truth":
        raise UserError(
            f"job {job_id} holds the ground truth",
            why="what a function finds must not be what it is measured against",
            remedy="name another job, or the whole task: ground truth is left as it is",
        )
    if raw.get("parent_job_id") is not None:
        raise UserError(
            f"job {job_id} is a replica of job {raw['parent_job_id']}",
            why="consensus is between people who annotate the same frames by themselves",
            remedy=f"--job {raw['parent_job_id']}",
        )
    return _scope(connection, [raw], frames, ())


def tasks_of_project(connection: Connection, project_id: int) -> list[int]:
    """The tasks of a project, in order. Raises UserError where there is none."""
    connection.get(f"projects/{project_id}")
    found = sorted(raw["id"] for raw in connection.pages("tasks", project_id=project_id))
    if not found:
        raise UserError(f"project {project_id} has no task")
    return found


def has_honeypots(connection: Connection, task_id: int) -> bool:
    """Whether a task's jobs are mixed with frames of its ground truth. False for who may not open the task."""
    try:
        return connection.get(f"tasks/{task_id}").get("validation_mode") == "gt_pool"  # type: ignore[no-any-return]
    except Refused:
        return False


def _nothing(connection: Connection, task_id: int) -> UserError:
    """Of no such task, of one without data and of one that is somebody else's the list of jobs is equally empty."""
    try:
        connection.get(f"tasks/{task_id}")
    except Refused as error:
        return Refused(f"cannot open task {task_id}", error.status, error.told, error.remedy)
    return UserError(
        f"task {task_id} has no job", why="its pictures or its video were not uploaded yet", remedy="upload them first"
    )


def _left_out(found: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    names = {"ground_truth": "the ground truth (job {})", "consensus_replica": "a consensus replica (job {})"}
    return tuple(names[raw["type"]].format(raw["id"]) for raw in reversed(found) if raw["type"] in names)


def _scope(
    connection: Connection, found: Sequence[dict[str, Any]], frames: range | None, left_out: tuple[str, ...]
) -> Scope:
    _check_media(found)
    raw = found[0]
    labels = tuple(task_label(label) for label in connection.pages("labels", job_id=raw["id"]))
    jobs = sorted((_job(connection, each) for each in found), key=lambda job: (job.frames.start, job.id))
    chosen = tuple(_chosen(jobs, frames))
    return Scope(raw["task_id"], raw.get("task_name") or "", tuple(jobs), chosen, labels, left_out)


def _check_media(found: Sequence[Mapping[str, Any]]) -> None:
    for raw in found:
        medium = raw.get("media_type") or "image"
        if raw["dimension"] != "2d" or medium not in ("image", "video"):
            kind = "3D" if raw["dimension"] == "3d" else medium
            raise UserError(
                f"task {raw['task_id']} is of {kind} data",
                why="CVAT gives such data to no function: a function gets one flat picture at a time",
                remedy="name a task of pictures or of a video",
            )


def _job(connection: Connection, raw: Mapping[str, Any]) -> Job:
    meta = connection.get(f"jobs/{raw['id']}/data/meta")
    return Job(
        raw["id"],
        range(raw["start_frame"], raw["stop_frame"] + 1),
        meta["chunk_size"],
        raw["data_original_chunk_type"] != "imageset",
        frozenset(meta["deleted_frames"]),
        [(frame["width"], frame["height"]) for frame in meta["frames"]],
    )


def _chosen(jobs: Sequence[Job], frames: range | None) -> Iterator[int]:
    """The frames asked for. Raises UserError for some that no job has, because CVAT would drop or misplace them."""
    there = sorted(set().union(*(job.frames for job in jobs)))
    deleted: Collection[int] = set().union(*(job.deleted for job in jobs))
    for end in () if frames is None else (frames.start, frames.stop - 1):
        if end not in there:
            raise UserError(
                f"there is no frame {end}",
                why=f"the frames are {there[0]}..{there[-1]}" + ("" if _gapless(there) else ", not all between"),
                remedy=f"--frames {there[0]}..{there[-1]}",
            )
    for frame in there:
        if frame not in deleted and (frames is None or frame in frames):
            yield frame


def _gapless(numbers: Sequence[int]) -> bool:
    return numbers[-1] - numbers[0] + 1 == len(numbers)
