"""`cvat-nuclio check`."""

import argparse
import gc
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import EXIT_FINDINGS

if TYPE_CHECKING:
    from ..check.apply_rules import Ask
    from ..check.versions import Index

_FORMATS = ("text", "json", "sarif", "github")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", metavar="PATH", nargs="+", help="a bundle, a function.yaml, an AA function, or a tree")
    parser.add_argument("--fix", action="store_true", help="mend what can be mended without changing what is read")
    parser.add_argument("--format", choices=_FORMATS, default="text", help="how findings are written (default: text)")
    parser.add_argument("--select", metavar="IDS", action="append", default=[], help="only these rules: CN101,CN4*")
    parser.add_argument("--ignore", metavar="IDS", action="append", default=[], help="not these rules")
    parser.add_argument("--cvat", metavar="G1|G2|G3", default="G3", help="the CVAT server's generation (default: G3)")
    parser.add_argument("--nuclio", metavar="V", default="1.16", help="Nuclio's version (default: 1.16)")
    parser.add_argument(
        "--load",
        action="store_true",
        help="load the AA functions, which runs their code, and ask them for their methods",
    )
    parser.add_argument(
        "--python", metavar="EXE", help="the interpreter that has their packages (this one); means --load"
    )
    parser.add_argument(
        "--online", action="store_true", help="ask pip's index whether it has the versions that the build installs"
    )
    parser.epilog = "Exit status: 0 clean, 1 findings, 2 could not run."


def run(args: argparse.Namespace) -> int:
    """0: clean. 1: findings. 2 comes with a UserError."""
    gc.disable()  # syntax trees stay until the end: looking for garbage among them takes a seventh of the time
    try:
        return _check(args)
    finally:
        gc.enable()


def _check(args: argparse.Namespace) -> int:
    from ..check import check, finding_formats
    from ..check.fix import apply_fixes

    options = {
        "cvat": args.cvat, "nuclio": args.nuclio, "ask": _ask(args), "index": _index() if args.online else None,
        "select": _identifiers(args.select), "ignore": _identifiers(args.ignore),
    }  # fmt: skip
    checked = check(args.paths, **options)
    if args.fix and (fixed := apply_fixes(checked.findings)):
        print(f"{len(fixed)} fixed", file=sys.stderr)
        checked = check(args.paths, **options)
    findings = checked.findings
    _tell_unloaded(checked.only_read)
    if args.format == "text":
        print(finding_formats.as_text(findings, colour=sys.stdout.isatty()))
    elif args.format == "json":
        print(finding_formats.as_json(findings))
    elif args.format == "sarif":
        print(finding_formats.as_sarif(findings))
    elif findings:
        print(finding_formats.as_github(findings))
    return EXIT_FINDINGS if findings else 0


def _tell_unloaded(only_read: list[tuple[Path, str]]) -> None:
    """What was judged by its text alone, and why."""
    from ..check.finding_formats import plain

    unasked = [file for file, why in only_read if not why]
    if unasked:
        what = unasked[0] if len(unasked) == 1 else f"{len(unasked)} auto-annotation functions"
        print(
            f"{plain(str(what))}: read, not loaded: --load runs the code and asks the function itself", file=sys.stderr
        )
    for file, why in only_read:
        if why:
            print(plain(f"{file}: read, not loaded: {why}"), file=sys.stderr)


def _ask(args: argparse.Namespace) -> "Ask | None":
    from ..check.ask_function import loader

    return loader(args.python or sys.executable) if args.load or args.python else None


def _index() -> "Index":
    from ..generate.closure import absent

    return lambda lines, python: absent(lines, python=python)


def _identifiers(values: list[str]) -> list[str]:
    return [name for value in values for name in value.replace(",", " ").split()]
