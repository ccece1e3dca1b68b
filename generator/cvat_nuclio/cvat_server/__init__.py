"""A real CVAT server, through cvat-sdk: log-in, tasks and jobs, frames by chunks, annotations in and out.

What is done of it goes by what a server of 2.73 was seen to answer (`tests/recordings/cvat-rest`). Everything is
asked of jobs, never of a task as a whole: who is assigned to a job alone may not open its task, a request to a job is
stored whole or not at all, and the jobs of ground truth and of consensus stay as they are.
"""

from .chunk_frames import Frame, frames_ahead
from .connection import Connection, connect
from .drawn_boxes import pictures_with_boxes
from .job_annotations import Annotations, Marks
from .labels import label_names
from .refusals import Refused, Unreachable
from .scope import Job, Scope, has_honeypots, open_job, open_task, tasks_of_project

__all__ = [
    "Annotations",
    "Connection",
    "Frame",
    "Job",
    "Marks",
    "Refused",
    "Scope",
    "Unreachable",
    "connect",
    "frames_ahead",
    "has_honeypots",
    "label_names",
    "open_job",
    "open_task",
    "pictures_with_boxes",
    "tasks_of_project",
]
