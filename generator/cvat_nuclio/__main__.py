"""Entry point: `cvat-nuclio COMMAND`, and `python -m cvat_nuclio`."""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from . import __version__
from .errors import UserError

# argparse, not a library over it: cvat-cli, whose option names `generate` mirrors, is argparse too, and its
# import is a sixth of the 150 ms that a lint run from an editor may take to start.
COMMANDS = {
    "generate": "turn an auto-annotation function, or a model, into a Nuclio bundle",
    "models": "list the ready functions and the networks that they run",
    "init": "write a function to start from, and its test",
    "check": "find what CVAT or Nuclio would drop, refuse or break on",
    "serve": "run bundles without Docker, with Nuclio's semantics",
    "track": "follow objects through a whole clip of a task, store CVAT tracks",
    "invoke": "send what CVAT would send, show what CVAT would keep",
    "deploy": "deploy bundles with nuctl",
    "logs": "show what a deployed function prints",
    "annotate": "run a detector over a whole task of CVAT, many frames at a time",
    "bench": "measure a bundle or a URL",
    "completion": "print what bash, zsh or fish needs for tab completion",
}


def build_parser() -> argparse.ArgumentParser:
    """The whole command line; each command's options come from its own module."""
    # Whole names only: a shortened one would mean something else, or nothing, once an option is added.
    parser = argparse.ArgumentParser(prog="cvat-nuclio", allow_abbrev=False)
    parser.description = "Turns CVAT auto-annotation functions into Nuclio functions for open-source CVAT."
    parser.add_argument("--version", action="version", version=f"cvat-nuclio {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, summary in COMMANDS.items():
        module = importlib.import_module(f".commands.{name}", __package__)
        described = f"{summary[0].upper()}{summary[1:]}."
        subparser = subparsers.add_parser(name, help=summary, description=described, allow_abbrev=False)
        module.configure(subparser)
        subparser.set_defaults(run=module.run, parser=subparser)
    return parser


def _refuse(parser: argparse.ArgumentParser, unknown: Sequence[str]) -> NoReturn:
    """Ends with 2, as argparse does, and names the option that is nearest."""
    import difflib

    known = [option for action in parser._actions for option in action.option_strings]
    near = difflib.get_close_matches(unknown[0].partition("=")[0], known, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    # Without argparse's usage: forty lines of options hide the one that was meant.
    parser.exit(2, f"{parser.prog}: error: unrecognized arguments: {' '.join(unknown)}{hint}\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status."""
    parser = build_parser()
    if "_ARGCOMPLETE" in os.environ:
        # A shell asks what may follow; it gets its answer and this process ends.
        import argcomplete

        argcomplete.autocomplete(parser)
    args, unknown = parser.parse_known_args(argv)
    if unknown:
        _refuse(args.parser, unknown)
    try:
        return int(args.run(args))
    except UserError as error:
        print(f"cvat-nuclio {args.command}: {error}", file=sys.stderr)
        return error.exit_status
    except BrokenPipeError:
        # Whoever read the output has seen enough. What is left in the buffer must not fail again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141  # 128 + SIGPIPE, as a shell gives it
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
