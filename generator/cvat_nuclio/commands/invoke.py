"""`cvat-nuclio invoke`."""

import argparse
import sys
from pathlib import Path

from ..limits import KINDS
from .shared_options import add_function_file, add_function_parameter, add_python

GENERATIONS = ("G1", "G2", "G3")

EPILOG = """
detector    cvat-nuclio invoke DIR street.jpg --output found.png
interactor  cvat-nuclio invoke DIR cat.png --pos 210,140 --neg 20,20 --output cat-mask.png
tracker     cvat-nuclio invoke DIR bikes.mp4 --shape rectangle:10,20,50,80 --output track.gif
reid        cvat-nuclio invoke DIR a.png b.png --box0 1,1,40,90 --box1 6,2,44,92 --output pair.png

--json prints one line: {function, kind, cvat, requests, answers, milliseconds, kept, dropped, notes, error}: requests
without their images, answers as the function gave them, kept as CVAT would store it.
The exit status is 1 where CVAT would fail on the answer, 2 where the call could not be made.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    parser.add_argument(
        "target",
        metavar="DIR|func.py|URL",
        help="a bundle or a function's file (served for the call), a function's URL, or a dashboard's",
    )
    parser.add_argument(
        "images",
        metavar="IMAGE",
        nargs="+",
        type=Path,
        help="images in order; a video gives its frames (clip.mp4#5-24: those), a folder its pictures",
    )
    add_function_parameter(parser)
    call = parser.add_argument_group("the call")
    call.add_argument("--threshold", type=float, metavar="T", help="0 is never sent, as in CVAT")
    call.add_argument("--pos", action="append", default=[], metavar="X,Y", help="interactor: a positive point")
    call.add_argument("--neg", action="append", default=[], metavar="X,Y", help="interactor: a negative point")
    call.add_argument("--box", metavar="X1,Y1,X2,Y2", help="interactor: the box around the object")
    call.add_argument(
        "--shape", action="append", default=[], metavar="TYPE:X,Y,...", help="tracker: a shape on the first frame"
    )
    for number, which in enumerate(("first", "second")):
        call.add_argument(
            f"--box{number}",
            action="append",
            default=[],
            metavar="[LABEL:]X1,Y1,X2,Y2",
            help=f"reid: a box on the {which} image",
        )
    call.add_argument("--max-distance", type=int, metavar="N", help="reid: pixels between centres")
    call.add_argument("--conv-mask-to-poly", action="store_true", help="detector: CVAT's switch for polygons")
    call.add_argument("--frames", type=int, metavar="N", help="at most N frames of a video")
    call.add_argument("--cvat", choices=GENERATIONS, default="G3", help="generation of CVAT (default: G3, 2026)")
    result = parser.add_argument_group("the result")
    result.add_argument("--output", type=Path, metavar="PNG", help="draw what CVAT keeps; .gif animates frames")
    result.add_argument("--json", action="store_true", help="print one JSON document in place of the tables")
    where = parser.add_argument_group("what is called")
    where.add_argument("--kind", choices=KINDS, help="what the URL is, where only that is known")
    add_function_file(where)
    where.add_argument("--name", metavar="ID", help="which function, where a dashboard has several")
    add_python(where)


def run(args: argparse.Namespace) -> int:
    """Prints the report, writes the picture; 1 where CVAT would fail."""
    import json

    from rich.console import Console

    from ..cvat import ListingError
    from ..errors import EXIT_FINDINGS
    from ..invoke.call_options import options_of
    from ..invoke.call_picture import save_picture
    from ..invoke.call_report import unlistable
    from ..invoke.call_target import Hints, open_target
    from ..invoke.frame_files import load_frames
    from ..invoke.kinds import invoke
    from ..invoke.table import print_report
    from ..waiting import waiting

    options = options_of(vars(args))
    frames = load_frames(args.images, args.frames)
    hints = Hints(args.kind, args.function, args.name, args.python, args.function_parameters or ())
    try:
        with open_target(args.target, hints) as target, waiting("waiting for the answer"):
            report = invoke(target, frames, options)
            log = target.log() if report.failed or not report.kept else ""
    except ListingError as error:
        raise unlistable(error, options.generation) from error
    if log.strip():
        sys.stderr.write(f"the function's log:\n{log.rstrip()}\n")
    if options.output:
        save_picture(report, options, options.output)
    if options.json:
        sys.stdout.write(json.dumps(report.to_dict()) + "\n")
    else:
        print_report(report, Console())
        if options.output:
            sys.stdout.write(f"{options.output}\n")
    return EXIT_FINDINGS if report.failed else 0
