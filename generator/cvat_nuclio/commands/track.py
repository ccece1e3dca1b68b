"""`cvat-nuclio track`."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ..track import DETECT_EVERY, TOLERANCE
from . import login_options
from .argument_types import number, share, span
from .function_parameter import add_function_parameter

if TYPE_CHECKING:
    from ..track.track_options import Options

EPILOG = """
cvat-nuclio track DIR --task 12 --frames 0..300                      everything that stands on frame 0
cvat-nuclio track DIR --task 12 --frames 0..300 --backward           everything on frame 300, back to frame 0
cvat-nuclio track DIR --job 7 --shapes 41 42 --tolerance 3           two shapes, fewer keyframes
cvat-nuclio track DIR --task 12 --detector YOLO --reid REID          what a detector finds, and finds again

A run that was interrupted goes on where it was when the same command is given again.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the command's options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    parser.add_argument(
        "target",
        metavar="FUNCTION",
        help="the tracker: a bundle or a function's file (served meanwhile), a URL, or a deployed function's name",
    )
    add_function_parameter(parser, "parameter for the function of the file, as in generate")
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
    where.add_argument("--function", type=Path, metavar="FILE", help="the function.yaml of what is behind the URL")
    where.add_argument("--python", metavar="EXE", help="interpreter of bundles' workers (default: as for annotate)")
    where.add_argument("--dashboard", metavar="URL", help="Nuclio's, for deployed functions (default: this machine's)")
    login_options.configure(parser)


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
    group.add_argument("--conf-threshold", type=share, metavar="T", help="the detector's threshold, 0 to 1")
    group.add_argument(
        "--map", action="append", default=[], dest="wishes", metavar="LABEL=LABEL|FILE",
        help="the detector's label becomes the task's, as in annotate",
    )  # fmt: skip
    group.add_argument("--max-distance", type=number, metavar="PX", help="ReID: between centres (default: 50)")


def run(args: argparse.Namespace) -> int:
    """Follows, stores, and prints what was stored."""
    from ..track.track_run import follow

    for line in follow(args, _options(args)):
        print(line, flush=True)
    return 0


def _options(args: argparse.Namespace) -> "Options":
    """Raises UserError for options that do not go together."""
    from ..errors import UserError
    from ..track.track_options import Options

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
