"""`cvat-nuclio serve`: run bundles without Docker."""

import argparse
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..limits import DASHBOARD_PORT
from .shared_options import add_function_parameter, add_python, number

if TYPE_CHECKING:
    from ..serve.command import PageMaker


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "bundles",
        metavar="DIR|func.py",
        nargs="+",
        type=Path,
        help="a bundle that `generate` wrote, or a function's file",
    )
    add_function_parameter(parser)
    parser.add_argument(
        "--port", type=int, default=0, metavar="N", help="of the first function, the next ones follow; default: any"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument(
        "--dashboard-port",
        type=int,
        default=DASHBOARD_PORT,
        metavar="N",
        help="Nuclio's dashboard API, for CVAT_NUCLIO_PORT (default: %(default)s, 0: any free one)",
    )
    parser.add_argument("--no-dashboard", action="store_true", help="serve no dashboard API")
    page = parser.add_mutually_exclusive_group()
    page.add_argument("--open", action="store_true", help="show the page to try the functions in a browser")
    page.add_argument("--no-page", action="store_true", help="serve no page")
    parser.add_argument("--page-port", type=int, default=0, metavar="N", help="of the page; default: any free one")
    parser.add_argument("--workers", type=number, metavar="N", help="workers of each function; default: the file's")
    parser.add_argument("--gpu", action="store_true", help="read function-gpu.yaml")
    add_python(parser)
    parser.add_argument(
        "--engine",
        choices=("builtin", "nuclio"),
        default="builtin",
        help="nuclio: the real processor in --nuclio-home (default: %(default)s)",
    )
    parser.add_argument(
        "--nuclio-home",
        type=Path,
        metavar="DIR",
        default=os.environ.get("NUCLIO_HOME") or None,
        help="holds `processor` and `py/_nuclio_wrapper.py` (default: $NUCLIO_HOME)",
    )
    parser.add_argument(
        "--nuclio", choices=("1.13", "1.14"), default="1.14", help="the version the built-in engine follows"
    )
    parser.add_argument(
        "--log-level",
        choices=("debug", "info", "warn", "error"),
        default="info",
        help="of the lines that functions log (default: %(default)s)",
    )
    parser.add_argument("--report-fd", type=int, help=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> int:
    """Serves until Ctrl-C, SIGTERM or the end of all functions."""
    from contextlib import ExitStack

    from ..generate.make_bundle import bundle_of
    from ..generate.parameters import refuse_parameters
    from ..interpreter import interpreter
    from ..systems import require_unix

    require_unix("cvat-nuclio serve")
    from ..serve.command import serve
    from ..waiting import waiting

    given = args.function_parameters or ()
    page = _page([str(path) for path in args.bundles]) if not args.no_page else None
    with ExitStack() as stack:
        files = [path for path in args.bundles if path.suffix == ".py" and path.is_file()]
        if len(files) != 1:
            refuse_parameters(given)
        for path in files:
            with waiting(f"making a bundle of {path}"):
                made = stack.enter_context(bundle_of(path, interpreter(args.python), given))
            args.bundles[args.bundles.index(path)] = made
        args.python = interpreter(args.python, *args.bundles)
        status = serve(args, page, _show if args.open else lambda url: None)
    if status < 0:
        # Only now: nothing is left behind.
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    return status


def _page(bundles: list[str]) -> "PageMaker":
    """The page over these bundles, named as the user named them."""
    from ..playground import page_app

    return lambda entries, log: page_app(entries, bundles, log)


def _show(url: str) -> None:
    """Opens the user's browser, by a thread of its own: one that waits must not hold the functions up."""
    import threading
    import webbrowser

    if sys.platform == "linux" and not any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")):
        # What Python would find is a browser in this terminal.
        print("there is no display to open it on", file=sys.stderr)
        return
    threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
