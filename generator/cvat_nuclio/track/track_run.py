"""The command from its options on: log-in, functions, the clip, and what is said of it."""

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack

import attrs

from ..cvat.listing import retrieve_function
from ..cvat_server import Connection, Scope, connect, open_job, open_task
from ..errors import UserError
from ..invoke.call_target import Hints, open_target
from ..waiting import Wait, waiting
from .asked_function import Function, Tracker
from .clip import Clip
from .clip_journal import Journal, Progress
from .finder import Detector, ReID
from .starts import standing
from .track_options import Options


def follow(args: argparse.Namespace, options: Options) -> Iterator[str]:
    """Runs, and yields lines for its user. Raises UserError."""
    with ExitStack() as stack:
        connection = stack.enter_context(connect(args))
        scope = _scope(connection, args)
        journal = Journal.of(_identity(args, options, connection, scope))
        if args.fresh:
            journal.remove()
        if not args.detector and not journal.path.exists():
            first = scope.frames[-1 if options.backward else 0]
            standing(connection, scope, first, options.shapes)  # before functions are loaded for nothing
        clip = _clip(stack, args, options, connection, scope, journal)
        yield from _begun(clip)
        yield from _followed(clip, journal)


def _scope(connection: Connection, args: argparse.Namespace) -> Scope:
    frames = _frames(args.frames)
    found = open_job(connection, args.job, frames) if args.job else open_task(connection, args.task, frames)
    if not found.frames:
        raise UserError("all these frames are deleted", remedy="name others: --frames A..B")
    return found


def _frames(text: str | None) -> range | None:
    """`A..B`, or one number."""
    if text is None:
        return None
    first, dots, last = text.partition("..")
    if not (first.isdecimal() and (last if dots else first).isdecimal()) or (dots and int(first) > int(last)):
        raise UserError(f"--frames takes A..B, not {text!r}", remedy="backwards: --frames A..B --backward")
    return range(int(first), int(last if dots else first) + 1)


def _identity(args: argparse.Namespace, options: Options, connection: Connection, scope: Scope) -> dict[str, object]:
    """What has to be the same for a run to go on: all but how it logs in."""
    asked = ("function", "task", "job", "frames", "detector", "reid", "conf_threshold", "max_distance")
    told = {name: getattr(args, name) for name in asked}
    return {
        **told,
        **attrs.asdict(options),
        "shapes": list(options.shapes),
        "server": connection.url,
        "walk": len(scope.frames),
    }


def _clip(
    stack: ExitStack,
    args: argparse.Namespace,
    options: Options,
    connection: Connection,
    scope: Scope,
    journal: Journal,
) -> Clip:
    def opened(text: str, kind: str) -> Function:
        return _function(stack, text, kind, args.python, connection, scope)

    detector = reid = None
    tracker = Tracker(opened(args.function, "tracker"))
    if args.detector:
        detector = Detector(opened(args.detector, "detector"), args.conf_threshold, options.polygons)
    if args.reid:
        reid = ReID(opened(args.reid, "reid"), args.max_distance)
    progress = journal.load() or Progress()
    return Clip(connection, scope, tracker, options, progress, journal.save, detector, reid)


def _function(
    stack: ExitStack, text: str, kind: str, python: str | None, connection: Connection, scope: Scope
) -> Function:
    """A function that runs. Raises UserError for one of another kind."""
    target = stack.enter_context(open_target(text, Hints(kind=None, python=python)))
    listed = retrieve_function(target.function, connection.generation)
    if listed.kind != kind:
        raise UserError(f"{text} is no {kind}", why=f"it is a {listed.kind}", remedy=f"name a {kind}")
    size = max(job.frames.stop for job in scope.jobs)
    return Function.of(listed, target.gateway(connection.generation), connection.generation, scope.labels, size)


def _begun(clip: Clip) -> Iterator[str]:
    walk, index = clip.walk, clip.progress.index
    jobs = f"{len(clip.scope.jobs)} job{'s' * (len(clip.scope.jobs) > 1)}"
    yield f"{clip.scope.task_name}: frames {walk[0]}..{walk[-1]}, {jobs}"
    yield from (f"left as it is: {each}" for each in clip.scope.left_out)
    if index:
        yield f"an interrupted run goes on at frame {walk[min(index, len(walk) - 1)]} ({index} of {len(walk)} are done)"


def _followed(clip: Clip, journal: Journal) -> Iterator[str]:
    """Whatever ends it, what was reached is kept."""
    before, begun = clip.progress.index, time.monotonic()
    try:
        with waiting("following") as wait:
            for done in clip.run():
                _tell(wait, clip, done, before)
    except BaseException:
        if clip.progress.index:
            journal.save(clip.progress)
            reached = f"{clip.progress.index} of {len(clip.walk)} frames"
            print(f"{reached} are done and kept: the same command goes on there", file=sys.stderr)
        raise
    journal.remove()
    yield from clip.progress.notes
    yield _summary(clip.progress, time.monotonic() - begun, len(clip.walk) - before)


def _tell(wait: Wait, clip: Clip, done: int, before: int) -> None:
    whole = len(clip.walk)
    rate = (done - before) / max(time.monotonic() - wait.begun, 1e-6)
    seen = sum(not each.hidden for each in clip.progress.followed)
    wait.what = f"following {seen} objects: {done} of {whole} frames"
    wait.detail = f"{rate:.1f} frames/s, {(whole - done) / rate:.0f} s left"


def _summary(progress: Progress, seconds: float, frames: int) -> str:
    objects, masks = len(progress.followed), f", {progress.masks} masks" if progress.masks else ""
    stored = f"{progress.tracks} tracks with {progress.keyframes} keyframes{masks}"
    return f"{objects} objects over {frames} frames in {seconds:.1f} s: {stored} stored"
