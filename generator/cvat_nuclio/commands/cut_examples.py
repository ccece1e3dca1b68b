"""`generate --examples-from-task`: boxes drawn in a CVAT task become a detector's examples."""

import argparse
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UserError

if TYPE_CHECKING:
    from ..models.chosen import Chosen


def cut_examples(args: argparse.Namespace, chosen: "Chosen") -> "Chosen":
    """What runs the model on the examples, which are put into the new bundle's folder and told on standard output.

    Raises UserError.
    """
    from ..cvat_server import connect, open_task, pictures_with_boxes
    from ..models import examples

    if args.pretend or args.check or getattr(args, "bundles", None):
        raise UserError(
            "--examples-from-task makes a new bundle", why="it writes the cut-outs into its folder",
            remedy="give --output DIR, and leave out --pretend, --check and names of bundles",
        )  # fmt: skip
    folder = Path(args.output or chosen.folder) / "examples"
    chosen = examples.by_examples(chosen, folder)
    task, frames = args.examples_from_task
    with connect(args) as connection:
        labels, small = examples.write(folder, pictures_with_boxes(connection, open_task(connection, task, frames)))
    told = ", ".join(f"{label} ({count})" for label, count in Counter(labels).items())
    print(f"task {task}: examples of {told}, in {folder}")
    if small:
        print(f"left out: {small}, of which less than {examples.SMALLEST} pixels of a side are in the picture")
    return chosen
