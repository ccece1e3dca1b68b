"""`cvat-nuclio models`."""

import argparse

#: What the figures mean; `models/table.py` and docs/models.md tell more.
ABOUT = (
    "size: of the weights. time: one core, a picture of 1280 x 720; for interactors the first click, then each further "
    "one; for trackers a frame; for reid two frames of eight boxes"
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the command's options."""
    parser.description = f"List the ready functions and the networks that they run. {ABOUT}."
    parser.add_argument("words", metavar="WORD", nargs="*", help="show only rows that have all these words")
    parser.add_argument("--json", action="store_true", help="the rows as JSON")


def run(args: argparse.Namespace) -> int:
    """Prints the table; 0, or 1 where no row has the words."""
    import json
    import sys

    from ..models import shown
    from ..models.table import networks

    rows = [row for row in networks() if shown.has(row, args.words)]
    if args.json:
        print(json.dumps([shown.fields(row) for row in rows], indent=2))
    else:
        shown.print_all(rows, with_families=not args.words, about=ABOUT, stream=sys.stdout)
    return 0 if rows else 1
