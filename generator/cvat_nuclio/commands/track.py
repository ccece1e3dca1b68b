"""`cvat-nuclio track`."""

import argparse

from ..track import DETECT_EVERY, TOLERANCE, Options
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

EPILOG = """
cvat-nuclio track DIR --task 12 --frames 0..300                      everything that stands on frame 0
cvat-nuclio track DIR --task 12 --frames 0..300 --backward           everything on frame 300, back to frame 0
cvat-nuclio track DIR --job 7 --shapes 41 42 --tolerance 3           two shapes, fewer keyframes
cvat-nuclio track DIR --task 12 --detector YOLO --reid REID          what a detector finds, and finds again

A run that was interrupted goes on where it was when the same command is given again.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    add_function(parser, "the tracker: ")
    _add_what(parser.add_argument_group("what is followed"))
    stored = parser.add_argument_group("what is stored")
    stored.add_argument(
        "--tolerance", type=float, default=TOLERANCE, metavar="PX",
        help=f"a keyframe where CVAT would else show the object farther off (default: {TOLERANCE:g})",
    )  # fmt: skip
    stored.add_argument("--keep-shapes", action="store_true", help="leave the shapes beside the tracks they begin")
    stored.add_argument(
        "--convert-masks-to-polygons", action="store_true", help="CVAT has no tracks of masks, but of polygons"
    )
    stored.add_argument("--fresh", action="store_true", help="forget what an interrupted run has done")
    where = parser.add_argument_group("the functions")
    add_function_file(where)
    add_python(where)
    add_dashboard(where)
    add_login(parser)


def _add_what(group: argparse._ArgumentGroup) -> None:
    place = group.add_mutually_exclusive_group(required=True)
    place.add_argument("--task", type=number, metavar="N", help="all its annotation jobs")
    place.add_argument("--job", type=number, metavar="N", help="one job")
    group.add_argument("--frames", type=span, metavar="A..B", help="from A to B, both included (default: all)")
    group.add_argument("--backward", action="store_true", help="from B back to A")
    begin = group.add_mutually_exclusive_group()
    begin.add_argument(
        "--shapes", type=int, nargs="+", default=[], metavar="ID", help="of the first frame (default: all there)"
    )
    begin.add_argument("--detector", metavar="FUNCTION", help="begin with what it finds on the first frame")
    group.add_argument("--reid", metavar="FUNCTION", help="joins what the detector finds again to what was lost")
    group.add_argument(
        "--detect-every", type=int, metavar="N",
        help=f"frames from one look of the detector to the next (default: {DETECT_EVERY} with --reid, else 0: never)",
    )  # fmt: skip
    add_labels(group, "detector")
    group.add_argument("--max-distance", type=number, metavar="PX", help="ReID: between centres (default: 50)")


def run(args: argparse.Namespace) -> int:
    from ..track.track_run import follow

    for line in follow(args, _options(args)):
        print(line, flush=True)
    return 0


def _options(args: argparse.Namespace) -> Options:
    """Raises UserError for options that do not go together."""
    from ..errors import UserError

    if args.reid and not args.detector:
        raise UserError(
            "--reid needs --detector",
            why="it joins what a detector finds again to what was lost",
            remedy="add --detector FUNCTION",
        )
    every = args.detect_every if args.detect_every is not None else DETECT_EVERY if args.reid else 0
    for name, value in (("--tolerance", args.tolerance), ("--detect-every", every)):
        if not value >= 0:
            raise UserError(f"{name} is 0 or more, not {value:g}")
    return Options(
        shapes=tuple(args.shapes),
        tolerance=args.tolerance,
        backward=args.backward,
        detect_every=every,
        keep_shapes=args.keep_shapes,
        polygons=args.convert_masks_to_polygons,
    )
