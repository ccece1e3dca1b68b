"""A whole task, from the first frame to the stored annotations; what is done survives an interruption."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from ..cvat import Listed
from ..cvat_server import Connection, Scope, frames_ahead
from ..deploy.function_in_use import workers_of
from ..invoke.call_target import Target
from ..waiting import shown
from .frame_call import Found, FrameCall
from .frame_journal import Journal, open_journal
from .frame_progress import FrameProgress
from .in_flight import InFlight
from .job_parts import Storing

IN_FLIGHT = 8
"""Where the number of workers is not known."""


@attrs.frozen
class Wishes:
    """What a user asks for. `fields` as of a request for a batch job (threshold, conv_mask_to_poly).

    `version` tells one state of the function's files from the next: what an older one found is not gone on with.
    """

    fields: Mapping[str, Any]
    version: str = ""
    in_flight: int | None = None
    retries: int = 2
    stop_on_error: bool = False
    clear: bool = False
    fresh: bool = False


@attrs.define
class Outcome:
    """What became of a task. `kept_before`: frames that an earlier process had done; `rate`: frames a second."""

    scope: Scope
    kept_before: int = 0
    frames: int = 0
    objects: Mapping[str, int] = attrs.field(factory=dict)
    drops: Counter[str] = attrs.field(factory=Counter)
    failed: Mapping[int, str] = attrs.field(factory=dict)
    rate: float = 0.0


def annotate_task(
    connection: Connection, scope: Scope, target: Target, function: Listed, mapping: Mapping[str, Any], wishes: Wishes
) -> Outcome:
    """Calls the function for every frame that is not done yet, then stores everything. Raises UserError.

    Until the last frame is done, or has failed, nothing is stored in CVAT.
    """
    fields = {**wishes.fields, "mapping": mapping}
    about = {
        "server": connection.url, "jobs": [job.id for job in scope.jobs], "function": function.id,
        "version": wishes.version or _image(target), "clear": wishes.clear, **fields,
    }  # fmt: skip
    with open_journal(about, fresh=wishes.fresh) as journal:
        outcome = Outcome(scope, sum(frame in journal.found for frame in scope.frames))
        call = FrameCall(function, target.gateway(connection.generation), scope.labels, fields)
        _find(connection, target, call, wishes, journal, outcome)
        _store(connection, scope, journal, wishes.clear)
        outcome.failed = {frame: journal.failed[frame] for frame in scope.frames if frame in journal.failed}
        outcome.frames, outcome.objects = sum(frame in journal.found for frame in scope.frames), journal.objects
        if not journal.failed:
            journal.forget()
    return outcome


def _find(
    connection: Connection, target: Target, call: FrameCall, wishes: Wishes, journal: Journal, outcome: Outcome
) -> None:
    scope = outcome.scope
    todo = [frame for frame in scope.frames if frame not in journal.found]
    progress = FrameProgress(f"task {scope.task_id}", len(scope.frames), len(scope.frames) - len(todo))

    def done(frame: int, found: Found) -> None:
        journal.keep(frame, found.data)
        outcome.drops.update(found.drops)
        progress.advance()

    def failed(frame: int, cause: str) -> None:
        journal.leave_out(frame, cause)
        progress.advance()

    most = wishes.in_flight or 2 * (workers_of(target) or IN_FLIGHT // 2)
    url = None if target.dashboard else target.url
    crew = InFlight(call, done, failed, most, wishes.retries, wishes.stop_on_error, url)
    with shown(progress):
        crew.run(frames_ahead(connection, scope, todo))
    outcome.rate = progress.rate


def _store(connection: Connection, scope: Scope, journal: Journal, clear: bool) -> None:
    places = {(job.id, frame) for frame in scope.frames if frame in journal.found for job in scope.jobs_of(frame)}
    progress = FrameProgress(f"storing in task {scope.task_id}", len(places), len(places & journal.stored))
    with shown(progress):
        Storing(connection, scope, journal, clear).run(progress.advance)


def _image(target: Target) -> str:
    return str((target.function.get("spec") or {}).get("image") or "")


def digest_of(path: Path) -> str:
    """Of a folder's files, or of a file: names, sizes and times."""
    files = [path] if path.is_file() else sorted(each for each in path.rglob("*") if each.is_file())
    lines = [f"{each} {each.stat().st_size} {each.stat().st_mtime_ns}" for each in files]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
