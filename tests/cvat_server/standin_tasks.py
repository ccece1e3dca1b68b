"""The stand-in's tasks: pictures or a video, cut into jobs and chunks as CVAT 2.73 does (recordings 02, 03, 05d)."""

import io
import itertools
import re
import zipfile
from pathlib import PurePath
from typing import Any

import attrs
import cv2
import numpy as np
from PIL import Image
from tests.cvat_server.standin_annotations import KINDS, Bad, Labels, Numbers, given_back, read

from cvat_nuclio.cvat.frames import frame_bytes

WHEN = "2026-11-25T20:05:01.397428Z"
VIDEO = (".mp4", ".avi")


class NotFound(Exception):
    """HTTP 404 with this body."""


@attrs.define
class Job:
    id: int
    task: "Task"
    frames: range
    kind: str = "annotation"
    parent: int | None = None
    only: frozenset[int] = frozenset()
    assignee: dict[str, Any] | None = None
    state: dict[str, str] = attrs.field(factory=lambda: {"status": "annotation", "stage": "annotation", "state": "new"})
    held: dict[str, list[dict[str, Any]]] = attrs.field(factory=lambda: {kind: [] for kind in KINDS})

    def json(self) -> dict[str, Any]:
        task = self.task
        kind = "video" if task.is_video else "imageset"
        replicas = task.replicas if self.kind == "annotation" else 0
        return {
            "url": f"{task.host}/api/jobs/{self.id}", "id": self.id, "task_id": task.id, "task_name": task.name,
            "project_id": task.project_id, "project_name": task.project_name, "assignee": self.assignee,
            "guide_id": None, "dimension": task.dimension, "mode": task.mode, "media_type": task.media_type,
            "bug_tracker": None, **self.state, "frame_count": len(self.only or self.frames),
            "start_frame": self.frames.start, "stop_frame": self.frames.stop - 1, "data_chunk_size": task.chunk_size,
            "data_compressed_chunk_type": kind,
            "data_original_chunk_type": kind, "created_date": WHEN, "updated_date": WHEN,
            "issues": {"url": f"{task.host}/api/issues?job_id={self.id}", "count": 0},
            "labels": {"url": f"{task.host}/api/labels?job_id={self.id}"}, "type": self.kind, "organization": None,
            "target_storage": None, "source_storage": None, "assignee_updated_date": None,
            "parent_job_id": self.parent, "replicas_count": replicas,
            "consensus_replicas": replicas,
        }  # fmt: skip

    def meta(self) -> dict[str, Any]:
        task, frames = self.task, self.frames
        every = task.frames[:1] if task.is_video else task.frames[frames.start : frames.stop]
        held = [number for number in task.deleted if number in frames]
        found = task.meta() | {"size": len(self.only or frames), "deleted_frames": held}
        first, step = task.first_of_source, task.step
        found |= {"start_frame": first + frames.start * step, "stop_frame": first + (frames.stop - 1) * step}
        return found | {
            "frames": [_described(each) for each in every],
            "included_frames": sorted(self.only) if self.only else None,
        }


@attrs.define
class Task:
    id: int
    host: str
    name: str
    owner: dict[str, Any]
    labels: list[dict[str, Any]]
    segment_size: int = 0
    overlap: int | None = None
    replicas: int = 0
    project_id: int | None = None
    project_name: str | None = None
    subset: str = ""
    dimension: str = ""
    mode: str = ""
    media_type: str = ""
    chunk_size: int = 72
    quality: int = 70
    files: dict[str, bytes] = attrs.field(factory=dict)
    frames: list[tuple[str, bytes, tuple[int, int]]] = attrs.field(factory=list)
    jobs: list[Job] = attrs.field(factory=list)
    deleted: list[int] = attrs.field(factory=list)
    first_of_source: int = 0
    step: int = 1
    has_honeypots: bool = False

    @property
    def is_video(self) -> bool:
        return self.mode == "interpolation"

    @property
    def completed(self) -> int:
        return sum(job.state["status"] == "completed" for job in self.jobs)

    @property
    def validation_mode(self) -> str | None:
        if self.has_honeypots:
            return "gt_pool"
        return "gt" if any(job.kind == "ground_truth" for job in self.jobs) else None

    def json(self) -> dict[str, Any]:
        kind = "video" if self.is_video else "imageset"
        data = {
            "data_chunk_size": self.chunk_size, "data_compressed_chunk_type": kind, "data_original_chunk_type": kind,
            "data_cloud_storage_id": None, "size": len(self.frames), "image_quality": self.quality,
        }  # fmt: skip
        return {
            "url": f"{self.host}/api/tasks/{self.id}", "id": self.id, "name": self.name, "project_id": self.project_id,
            "project_name": self.project_name, "owner": self.owner, "assignee": None, "bug_tracker": "",
            "created_date": WHEN, "updated_date": WHEN, "overlap": self.overlap, "segment_size": self.segment_size,
            "status": "annotation",
            "guide_id": None, "data": self.id if self.frames else None, "dimension": self.dimension, "mode": self.mode,
            "media_type": self.media_type, "subset": self.subset, "organization_id": None, "organization": None,
            "target_storage": None, "source_storage": None, "assignee_updated_date": None,
            "validation_mode": self.validation_mode,
            "jobs": {"count": len(self.jobs), "completed": self.completed, "validation": 0}
            | {"url": f"{self.host}/api/jobs?task_id={self.id}"},
            "labels": {"url": f"{self.host}/api/labels?task_id={self.id}"}, "consensus_enabled": bool(self.replicas),
            **(data if self.frames else {}),
        }  # fmt: skip

    def meta(self) -> dict[str, Any]:
        if not self.frames:
            raise Bad(["Data is not uploaded for the task yet"])
        last = self.first_of_source + (len(self.frames) - 1) * self.step
        return {
            "chapters": [] if self.is_video else None, "chunks_updated_date": WHEN, "chunk_size": self.chunk_size,
            "size": len(self.frames), "image_quality": self.quality, "start_frame": self.first_of_source,
            "stop_frame": last, "frame_filter": f"step={self.step}" if self.step != 1 else "",
            "frames": [_described(each) for each in (self.frames[:1] if self.is_video else self.frames)],
            "deleted_frames": self.deleted, "included_frames": None, "storage": "local", "cloud_storage_id": None,
        }  # fmt: skip

    def delete_frames(self, numbers: list[int]) -> None:
        unknown = [number for number in numbers if number >= len(self.frames)]
        if unknown:
            raise Bad({"deleted_frames": [f"Unknown frames {', '.join(map(str, unknown))} requested for removal"]})
        self.deleted = sorted(numbers)

    def take_in(self, wishes: dict[str, Any], numbers: Numbers) -> None:
        """The uploaded files become frames, chunks and jobs."""
        self.quality = wishes.get("image_quality", 70)
        order = wishes.get("upload_file_order") or sorted(self.files)
        found = [each for name in order for each in _frames_of(name, self.files[name])]
        video = PurePath(order[0]).suffix in VIDEO
        self.dimension, self.media_type = "2d", "video" if video else "image"
        self.mode = "interpolation" if video else "annotation"
        self.chunk_size = wishes.get("chunk_size", 36 if video else 72)
        step = re.fullmatch(r"step=(\d+)", wishes.get("frame_filter", ""))
        self.first_of_source, self.step = wishes.get("start_frame", 0), int(step[1]) if step else 1
        self.frames = found[self.first_of_source : wishes.get("stop_frame", len(found)) + 1 : self.step]
        self.segment_size = self.segment_size or len(self.frames)
        validation = wishes.get("validation_params", {})
        if validation.get("mode") == "gt_pool":
            self._mix_in(validation, numbers)
            return
        if self.overlap is None:
            self.overlap = 5 if video and self.segment_size < len(self.frames) else 0
        for start in range(0, len(self.frames), self.segment_size - self.overlap):
            stop = min(start + self.segment_size, len(self.frames))
            self._add_jobs(range(start, stop), numbers)
            if stop == len(self.frames):
                break
        if names := validation.get("frames"):
            chosen = frozenset(number for number, (name, *_) in enumerate(self.frames) if name in names)
            every = range(len(self.frames))
            self.jobs.append(Job(numbers.next("jobs"), self, every, "ground_truth", only=chosen))

    def _mix_in(self, validation: dict[str, Any], numbers: Numbers) -> None:
        """Each job gets honeypots after its own frames (CVAT draws lots for all places); their pool is the last job."""
        pool = [each for each in self.frames if each[0] in validation["frames"]]
        others = [each for each in self.frames if each not in pool]
        honeypots = itertools.cycle(pool)
        self.has_honeypots, self.overlap, self.frames = True, 0, []
        for own in (others[start : start + self.segment_size] for start in range(0, len(others), self.segment_size)):
            mixed = [*own, *itertools.islice(honeypots, validation["frames_per_job_count"])]
            self._add_jobs(range(len(self.frames), len(self.frames) + len(mixed)), numbers)
            self.frames += mixed
        of_pool = range(len(self.frames), len(self.frames) + len(pool))
        self.jobs.append(Job(numbers.next("jobs"), self, of_pool, "ground_truth"))
        self.frames += pool

    def _add_jobs(self, frames: range, numbers: Numbers) -> None:
        job = Job(numbers.next("jobs"), self, frames)
        replicas = [Job(numbers.next("jobs"), self, frames, "consensus_replica", job.id) for _ in range(self.replicas)]
        self.jobs += [job, *replicas]

    @property
    def annotation_jobs(self) -> list[Job]:
        return [job for job in self.jobs if job.kind == "annotation"]

    def picture(self, number: int) -> bytes:
        return self.frames[number][1]

    def chunk(self, frames: range) -> bytes:
        """Of pictures alone: nobody here asks for a chunk of a video."""
        if self.is_video:
            raise NotImplementedError("chunks of a video")
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as file:
            for index, number in enumerate(frames):
                suffix = PurePath(self.frames[number][0]).suffix
                file.writestr(f"{index:06}{suffix}", self.picture(number))
        return buffer.getvalue()

    def annotations(self) -> dict[str, Any]:
        """Of all annotation jobs; what two overlapping jobs hold alike is there once."""
        return given_back(merged([job.held for job in self.annotation_jobs]), Labels.of(self.labels))

    def create(self, jobs: list[Job], body: Any, numbers: Numbers, *, drop: bool) -> dict[str, Any]:
        """PATCH create at these jobs. `drop`: at task level a frame of no job is left out."""
        data = read(body)
        if self.has_honeypots and data["tracks"]:
            raise Bad(["Tracks are not supported when task validation mode is gt_pool"])
        numbers.number(data)  # refuses ids before anything is kept
        Labels.of(self.labels).check(data)
        made = []
        for job in jobs:
            part = {kind: [each for each in data[kind] if not drop or each["frame"] in job.frames] for kind in KINDS}
            part["tracks"] = [track for track in part["tracks"] if track["shapes"]]
            numbered = numbers.number(part)
            for kind in KINDS:
                job.held[kind] += numbered[kind]
            made.append(numbered)
        return {"version": 0, **merged(made), "intervals": []}


def merged(parts: list[dict[str, list[Any]]]) -> dict[str, list[Any]]:
    """What several jobs hold; what two of them hold alike once."""
    found: dict[str, list[Any]] = {kind: [] for kind in KINDS}
    seen: dict[str, int] = {}
    for kind, (index, part) in itertools.product(KINDS, enumerate(parts)):
        for each in part[kind]:
            key = repr((kind, {name: value for name, value in each.items() if name not in ("id", "elements")}))
            if seen.setdefault(key, index) == index:
                found[kind].append(each)
    return found


def remove(jobs: list[Job], body: Any) -> dict[str, Any]:
    """PATCH delete: ids of others, or of nobody, are passed over."""
    data = read(body)
    for job, kind in itertools.product(jobs, KINDS):
        gone = {each.get("id") for each in data[kind]}
        job.held[kind] = [each for each in job.held[kind] if each["id"] not in gone]
    return {"version": 0, **data, "intervals": []}


def update(jobs: list[Job], body: Any) -> dict[str, Any]:
    """PATCH update: what is not given goes back to its default; ids of nobody are passed over."""
    data = read(body)
    for job, kind in itertools.product(jobs, KINDS):
        new = {each.get("id"): each for each in data[kind]}
        job.held[kind] = [new.get(each["id"], each) for each in job.held[kind]]
    return {"version": 0, **data, "intervals": []}


def _described(frame: tuple[str, bytes, tuple[int, int]]) -> dict[str, Any]:
    name, _, (width, height) = frame
    return {"width": width, "height": height, "name": name, "related_files": 0, "has_related_context": False}


def _frames_of(name: str, content: bytes) -> list[tuple[str, bytes, tuple[int, int]]]:
    if PurePath(name).suffix in VIDEO:
        return [(name, png, size) for png, size in _decoded(content)]
    upright = frame_bytes(content)
    with Image.open(io.BytesIO(upright)) as image:
        return [(name, upright, image.size)]


def _decoded(content: bytes) -> list[tuple[bytes, tuple[int, int]]]:
    import tempfile

    found = []
    with tempfile.NamedTemporaryFile(suffix=".mp4") as file:
        file.write(content)
        file.flush()
        video = cv2.VideoCapture(file.name)
        while True:
            good, picture = video.read()
            if not good:
                break
            _, png = cv2.imencode(".png", np.asarray(picture))
            found.append((png.tobytes(), (picture.shape[1], picture.shape[0])))
        video.release()
    return found
