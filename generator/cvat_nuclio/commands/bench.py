"""`cvat-nuclio bench`."""

import argparse
from pathlib import Path

from ..limits import KINDS
from .shared_options import add_python, number


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "target", metavar="DIR|URL", help="a bundle (served for the measurement), or a running function"
    )
    parser.add_argument("--image", type=Path, metavar="FILE", help="the image to send (default: one of 1920 x 1080)")
    parser.add_argument("--kind", choices=KINDS, help="what the URL is; a bundle says it itself")
    parser.add_argument("--requests", type=number, default=200, metavar="N", help="how many at each load (default 200)")
    parser.add_argument("--clients", type=number, default=16, metavar="N", help="the larger load (default 16)")
    parser.add_argument("--workers", type=number, metavar="N", help="workers of a bundle (default: as in its file)")
    add_python(parser)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures, in milliseconds and MiB")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw them: .png, .svg or .pdf (needs matplotlib)")


def run(args: argparse.Namespace) -> int:
    """Prints the report; 1 when some requests failed."""
    from ..bench.one_run import BenchOptions, bench_folder, bench_url
    from ..bench.results import require_plot
    from ..bench.sample_picture import read_picture
    from ..errors import EXIT_FINDINGS, UserError
    from ..interpreter import interpreter

    if args.plot:
        require_plot(args.plot)
    options = BenchOptions(
        requests=args.requests, clients=args.clients, workers=args.workers,
        python=interpreter(args.python, *([] if "://" in args.target else [args.target])),
        image=read_picture(args.image) if args.image else None,
    )  # fmt: skip
    if "://" in args.target:
        if not args.kind:
            raise UserError("a URL does not say what it serves", remedy=f"add --kind {'|'.join(KINDS)}")
        report = bench_url(args.target, args.kind, options)
    else:
        report = bench_folder(Path(args.target), options)
    print(report.to_text())
    if args.json:
        report.write_json(args.json)
    if args.plot:
        report.write_plot(args.plot)
    return EXIT_FINDINGS if report.alone.failures + report.loaded.failures else 0
