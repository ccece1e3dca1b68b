"""The command from its options on: log-in, functions, the clip, and what is said of it."""

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import attrs

from ..annotate.frame_progress import FrameProgress
from ..annotate.label_plan import plan_labels
from ..annotate.task_run import digest_of
from ..cvat import Listed
from ..cvat_server import Connection, Scope, connect, has_honeypots, open_job, open_task
from ..deploy.function_in_use import function_in_use
from ..errors import UserError
from ..invoke.call_target import Hints
from ..waiting import shown
from . import Options
from .asked_function import Function, Tracker
from .clip import Clip
from .clip_journal import Journal, Progress, open_journal
from .finder import Detector, ReID
from .starts import standing


def follow(args: argparse.Namespace, options: Options) -> Iterator[str]:
    """Runs, and yields lines for its user. Raises UserError."""
    with ExitStack() as stack:
        connection = stack.enter_context(connect(args))
        scope = _scope(connection, args)
        journal = stack.enter_context(open_journal(_identity(args, options, connection, scope)))
        if args.fresh:
            journal.remove()
        progress = journal.load()
        if progress is None and not args.detector:
            first = scope.frames[-1 if options.backward else 0]
            standing(connection, scope, first, options.shapes)  # before functions are loaded for nothing
        functions = _Functions(stack, args, connection, scope)
        detector, reid = functions.detector(options), functions.reid()
        tracker = Tracker(functions.opened(args.target, "tracker"))
        clip = Clip(connection, scope, tracker, options, progress or Progress(), journal.save, detector, reid)
        yield from _begun(clip)
        yield from _followed(clip, journal)


def _scope(connection: Connection, args: argparse.Namespace) -> Scope:
    opened = open_job(connection, args.job, args.frames) if args.job else open_task(connection, args.task, args.frames)
    if not opened.frames:
        raise UserError("all these frames are deleted", remedy="name others: --frames A..B")
    if has_honeypots(connection, opened.task_id):
        raise UserError(
            f"{opened.title} has honeypots",
            why="its frames are no clip, but mixed with those of its ground truth, and CVAT takes no tracks there",
            remedy="name a task whose frames follow each other",
        )
    return opened


def _identity(args: argparse.Namespace, options: Options, connection: Connection, scope: Scope) -> dict[str, object]:
    """What has to be the same for a run to go on: all but how it logs in."""
    asked = ("task", "job", "conf_threshold", "wishes", "max_distance", "function_parameters")
    functions = {name: _function_told(getattr(args, name)) for name in ("target", "detector", "reid")}
    told = {name: getattr(args, name) for name in asked}
    frames = [scope.frames[0], len(scope.frames), scope.frames[-1]]
    return {**told, **functions, **options._asdict(), "frames": frames, "url": connection.url}


def _function_told(text: str | None) -> str:
    """A function's name, and of files what they are: another function must not go on with the states of the first."""
    path = Path(text or "")
    return f"{text} {digest_of(path)}" if text and "://" not in text and path.exists() else str(text)


@attrs.frozen
class _Functions:
    """Opens the functions that a clip needs, each until the end of `stack`."""

    stack: ExitStack
    args: argparse.Namespace
    connection: Connection
    scope: Scope

    def opened(self, text: str, kind: str) -> Function:
        """A function that runs. Raises UserError for one of another kind."""
        args, generation = self.args, self.connection.generation
        of_tracker = kind == "tracker"
        hints = Hints(
            function_file=args.function if of_tracker else None,
            python=args.python,
            parameters=(args.function_parameters or ()) if of_tracker else (),
            workers=1,
        )
        target = self.stack.enter_context(function_in_use(text, hints, args.dashboard))
        listed = target.listed(generation, kind)
        size = max(job.frames.stop for job in self.scope.jobs)
        return Function.of(listed, target.gateway(generation), generation, self.scope.labels, size)

    def detector(self, options: Options) -> Detector | None:
        """Raises UserError for labels that do not match too."""
        if not self.args.detector:
            return None
        function = self.opened(self.args.detector, "detector")
        return Detector(function, self._mapping(function.listed), self.args.conf_threshold, options.polygons)

    def _mapping(self, listed: Listed) -> dict[str, object]:
        return plan_labels(listed.labels, self.scope.labels, self.args.wishes, self.connection.generation).mapping

    def reid(self) -> ReID | None:
        """None where none is asked for."""
        if not self.args.reid:
            return None
        return ReID(self.opened(self.args.reid, "reid"), self.args.max_distance)


def _begun(clip: Clip) -> Iterator[str]:
    walk, index, jobs = clip.walk, clip.progress.index, len(clip.scope.jobs)
    yield f"{clip.scope.title}: frames {walk[0]}..{walk[-1]}, {jobs} job{'s' * (jobs > 1)}"
    yield from (f"left as it is: {each}" for each in clip.scope.left_out)
    if index:
        yield f"an interrupted run goes on at frame {walk[min(index, len(walk) - 1)]} ({index} of {len(walk)} are done)"


def _followed(clip: Clip, journal: Journal) -> Iterator[str]:
    """Whatever ends it, what was reached is kept."""
    before, begun = clip.progress.index, time.monotonic()
    frames = FrameProgress("following", len(clip.walk), before)
    try:
        with shown(frames):
            for _ in clip.run():
                frames.advance()
    except BaseException:
        if clip.progress.index:
            journal.save(clip.progress)
            reached = f"{clip.progress.index} of {len(clip.walk)} frames"
            print(f"{reached} are done and kept: the same command goes on there", file=sys.stderr)
        raise
    journal.remove()
    yield from clip.progress.notes
    yield _summary(clip.progress, time.monotonic() - begun, len(clip.walk) - before)


def _summary(progress: Progress, seconds: float, frames: int) -> str:
    objects, masks = len(progress.followed), f", {progress.masks} masks" if progress.masks else ""
    stored = f"{progress.tracks} tracks with {progress.keyframes} keyframes{masks}"
    return f"{objects} objects over {frames} frames in {seconds:.1f} s: {stored} stored"
