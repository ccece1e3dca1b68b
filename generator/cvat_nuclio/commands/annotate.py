"""`cvat-nuclio annotate`."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from .shared_options import (
    add_dashboard,
    add_function,
    add_function_file,
    add_labels,
    add_login,
    add_python,
    number,
    span,
)  # fmt: skip

if TYPE_CHECKING:
    from ..annotate.task_run import Outcome, Wishes
    from ..cvat import Listed
    from ..cvat_server import Connection, Scope
    from ..invoke.call_target import Target

EPILOG = """
A frame that fails is tried again, then left out and listed. Nothing is stored in CVAT before the last frame is done:
what an interrupted run has done is kept on this machine, and the same command goes on from there.

The exit status is 0, 1 where frames were left out, 2 where the run ended before its end.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    add_function(parser)
    what = parser.add_argument_group("what is annotated")
    what.add_argument("--task", type=number, metavar="N", help="all its annotation jobs")
    what.add_argument("--job", type=number, metavar="N", help="one job")
    what.add_argument("--project", type=number, metavar="N", help="all tasks of a project")
    what.add_argument("--frames", type=span, metavar="A..B", help="only these frames of the task or job")
    how = parser.add_argument_group("how")
    add_labels(how, "function")
    how.add_argument("--show-map", action="store_true", help="print the mapping in force as JSON, call nothing")
    how.add_argument(
        "--convert-masks-to-polygons", "--conv-mask-to-poly", action="store_true", help="CVAT's switch for polygons"
    )
    how.add_argument(
        "--clear-existing",
        action="store_true",
        help="remove the old shapes and tags of these frames, once the new ones are stored; tracks stay",
    )
    how.add_argument(
        "--in-flight", type=number, metavar="K", help="requests at a time (default: two for each of the workers)"
    )
    how.add_argument("--retries", type=int, default=2, metavar="N", help="more tries of a frame that fails (default 2)")
    how.add_argument(
        "--on-error", choices=("skip", "stop"), default="skip", help="leave a failing frame out, or end the run there"
    )
    how.add_argument("--fresh", action="store_true", help="forget what an interrupted run has done")
    where = parser.add_argument_group("the function")
    add_function_file(where)
    where.add_argument("--name", metavar="ID", help="which function, where a dashboard has several")
    where.add_argument("--workers", type=number, metavar="N", help="of a bundle (default: as in its file)")
    add_python(where)
    add_dashboard(where)
    add_login(parser)


def run(args: argparse.Namespace) -> int:
    """Annotates each task; 1 where tasks or frames were left out."""
    from ..cvat_server import connect
    from ..deploy.function_in_use import function_in_use
    from ..errors import EXIT_FINDINGS
    from ..invoke.call_target import Hints

    _check(args)
    hints = Hints(None, args.function, args.name, args.python, args.function_parameters or (), args.workers)
    with connect(args) as connection:
        scopes = list(_scopes(connection, args))
        with function_in_use(args.target, hints, args.dashboard) as target:
            function = target.listed(connection.generation, "detector")
            whole = [scope is not None and _annotated(connection, scope, target, function, args) for scope in scopes]
    return 0 if all(whole) else EXIT_FINDINGS


def _check(args: argparse.Namespace) -> None:
    from ..errors import UserError

    if args.project and (args.task or args.job or args.frames):
        raise UserError("--project stands alone", why="it takes all frames of all its tasks", remedy="name one --task")
    if not (args.project or args.task or args.job):
        raise UserError("nothing to annotate is named", remedy="add --task N, --job N or --project N")


def _scopes(connection: "Connection", args: argparse.Namespace) -> "Iterator[Scope | None]":
    """None for a task of a project that cannot be worked on, of which standard error tells."""
    from ..cvat_server import open_job, open_task, tasks_of_project
    from ..errors import UserError

    if args.job:
        yield open_job(connection, args.job, args.frames, args.task)
        return
    if args.task:
        yield open_task(connection, args.task, args.frames)
        return
    for task in tasks_of_project(connection, args.project):
        try:
            yield open_task(connection, task)
        except UserError as error:
            print(f"left out: {error}", file=sys.stderr)
            yield None


def _annotated(
    connection: "Connection", scope: "Scope", target: "Target", function: "Listed", args: argparse.Namespace
) -> bool:
    """Whether no frame was left out."""
    import json

    from ..annotate.label_plan import plan_labels
    from ..annotate.task_run import annotate_task
    from ..cvat_server import Refused, Unreachable

    plan = plan_labels(function.labels, scope.labels, args.wishes, connection.generation)
    if args.show_map:
        print(json.dumps(plan.mapping, indent=2, ensure_ascii=False))
        return True
    for line in (*(f"left as it is: {each}" for each in scope.left_out), *_shortened(plan.lost)):
        print(line, file=sys.stderr)
    try:
        outcome = annotate_task(connection, scope, target, function, plan.mapping, _wishes(args))
    except (KeyboardInterrupt, Refused, Unreachable):
        print("what is done so far is kept: the same command goes on from there", file=sys.stderr)
        raise
    _tell(outcome)
    return not outcome.failed


def _shortened(lost: tuple[str, ...]) -> list[str]:
    """Labels that go nowhere: at most eight near misses, the others counted."""
    near = [line for line in lost if not line.endswith("not in the task")]
    told = [f"label without a place: {line}" for line in near[:8]]
    rest = len(lost) - len(told)
    return told + (
        [f"labels without a place: {rest}{' more' if told else ''}, none like one of the task's"] if rest else []
    )


def _wishes(args: argparse.Namespace) -> "Wishes":
    from ..annotate.task_run import Wishes, digest_of

    fields = {"threshold": args.conf_threshold, "conv_mask_to_poly": args.convert_masks_to_polygons or None}
    path = Path(args.target)
    return Wishes(
        {name: value for name, value in fields.items() if value is not None},
        " ".join([digest_of(path), *(args.function_parameters or ())]) if path.exists() else "",
        args.in_flight,
        args.retries,
        args.on_error == "stop",
        args.clear_existing,
        args.fresh,
    )


def _tell(outcome: "Outcome") -> None:
    scope, objects = outcome.scope, outcome.objects
    before = f", {outcome.kept_before} of them by an earlier run" if outcome.kept_before else ""
    rate = f", {outcome.rate:.1f} frames/s" if outcome.rate else ""
    print(
        f"{scope.title}: {outcome.frames} frames{before}{rate}; "
        f"stored {objects.get('shapes', 0)} shapes and {objects.get('tags', 0)} tags"
    )
    for reason, count in outcome.drops.most_common():
        print(f"  dropped, as CVAT does, {count} times: {reason}")
    for frame, cause in outcome.failed.items():
        print(f"  frame {frame} left out: {cause}")
    if outcome.failed:
        print(f"  {len(outcome.failed)} frames are left out; the same command tries these alone again")
