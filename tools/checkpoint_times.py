"""Counts and times the networks of `cvat-nuclio models`, and writes the figures into data/checkpoints.yaml.

    python -m tools.checkpoint_times                     # the rows that have no figures yet
    python -m tools.checkpoint_times sam-vit-base yolos-tiny ...    # these, anew
    python -m tools.checkpoint_times --count             # only compares the numbers of parameters with those published

Each network is built at full size with random weights (`tools.full_networks`), loaded by its family's unmodified
function from a folder, and called as `tools.function_times` does. A time is the least processor time of a call with one
thread, so that other work on the machine does little to it. Slow networks are called once. Each has a process of its
own, one at a time, and up to 4 GB of disk under build/.
"""

import argparse
import io
import os
import shutil
import sys
from bisect import bisect_left
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from ruamel.yaml import YAML

from cvat_nuclio import atomic
from cvat_nuclio.errors import UserError
from cvat_nuclio.models import table
from tools import full_networks
from tools.function_times import OBJECTS, Pace, Timed, caller, in_processes, measure, pictures
from tools.random_weights import ROOT

TABLE = ROOT / "generator" / "cvat_nuclio" / "data" / "checkpoints.yaml"
FOLDER = ROOT / "build" / "checkpoint-times"
PACE = Pace(seconds=5, least=1, most=8, warm=False)
#: Families whose time depends on how many objects there are; a box more or less is nothing.
WITH_MASKS = ("transformers_segmentation", "transformers_sam3", "transformers_pose")
#: Steps of a threshold: what random weights are sure of lies close together.
STEPS = 2**30
#: How far a number of parameters may be from the one published, which is often rounded.
TOLERANCE = 0.03
#: By the kind of function: the calls whose times the table tells.
TOLD = {
    "detector": {"cpu_ms": "a picture"},
    "interactor": {"cpu_ms": "a picture and its first click", "click_ms": "a further click"},
    "tracker": {"cpu_ms": "a further frame, one object"},
    "reid": {"cpu_ms": "two frames of eight boxes"},
}

Figures = dict[str, float]


def measured(row: table.Network) -> Figures:
    """Lays the network, calls it and removes it; the figures by their names in the table. Raises UserError."""
    network = full_networks.FullNetwork(row, FOLDER / "network")
    try:
        found: Figures = {"parameters": network.lay()}
        sure = {"threshold": sure_of(network.detector or network)} if row.family in WITH_MASKS else {}
        timed = {one.call: one for one in measure(network.source(), PACE, TOLD[row.kind].values(), **sure)}
    finally:
        shutil.rmtree(FOLDER, ignore_errors=True)
    return found | {name: milliseconds(timed[call]) for name, call in TOLD[row.kind].items()}


def milliseconds(timed: Timed) -> int:
    """Two digits, or three for those that begin with a one."""
    exact = timed.least * 1000
    digits = 3 if f"{exact:g}".startswith("1") else 2
    return max(1, int(float(f"{exact:.{digits}g}")))


def sure_of(network: full_networks.FullNetwork) -> float:
    """The threshold at which a detector finds about OBJECTS objects in a picture; 0 where it never finds more.

    Raises UserError where it finds none, for what is measured then is another thing.
    """
    _, call = caller(network.source())
    picture = next(pictures())

    def found(threshold: float) -> int:
        labels = [shape["label"] for shape in call({"image": picture, "threshold": threshold})]
        return labels.count(full_networks.PERSON) if network.is_for_people else len(labels)

    with full_networks.remembered(network.row):
        threshold = threshold_of(found)
        if not found(threshold):
            raise UserError(f"{network.row.source} finds nothing", why=f"with random weights, at {threshold}")
    return threshold


def threshold_of(found: Callable[[float], int]) -> float:
    """Where a number that falls from 0 to 1 is at most OBJECTS, or the last one before it falls to none."""
    step = bisect_left(range(STEPS), -OBJECTS, key=lambda step: -found(step / STEPS))
    return step / STEPS if step == 0 or found(step / STEPS) else (step - 1) / STEPS


def published(row: table.Network, parameters: float) -> str:
    """What is to be said of the number that the publisher names; empty where the network has it."""
    recipe = full_networks.recipes()[row.source]
    named = recipe.get("published")
    if named is None or row.family in recipe.get("part", ()) or abs(parameters / named - 1) <= TOLERANCE:
        return ""
    return f"{parameters} million parameters, {named} are published: the configuration is not the publisher's"


def figures_of(row: table.Network, is_counting: bool) -> Figures | str:
    """The figures, or why there are none."""
    counted = full_networks.parameters(row)
    return published(row, counted) or ({"parameters": counted} if is_counting else measured(row))


def write(row: table.Network, figures: Figures, file: Path = TABLE) -> None:
    """Puts the figures into the row, and leaves the rest of the file as it is."""
    yaml = YAML()
    yaml.width, yaml.preserve_quotes = 4096, True
    yaml.indent(mapping=2, sequence=4, offset=2)
    found = yaml.load(file.read_text("utf-8"))
    (place,) = (place for place in found["networks"][row.family] if place["source"] == row.source)
    place.update(figures)
    text = io.StringIO()
    yaml.dump(found, text)
    atomic.write(file, text.getvalue().encode())


def chosen(names: Sequence[str], is_counting: bool) -> list[table.Network]:
    """The rows of these names, in that order, or those that lack figures; to be counted, all."""
    rows = table.networks()
    if names:
        return [row for name in names for row in rows if name in (row.source, row.source.rpartition("/")[2])]
    return [row for row in rows if is_counting or row.cpu_ms is None]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="whole, or what comes after the publisher")
    parser.add_argument("--count", action="store_true", help="only compare the numbers of parameters")
    args = parser.parse_args()
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    failed, rows = False, chosen(args.names, args.count)
    for row, figures in zip(rows, in_processes(partial(figures_of, is_counting=args.count), rows), strict=True):
        print(f"{row.source}, {row.family}: {figures}", flush=True)
        if isinstance(figures, str):
            failed = True
        elif not args.count:
            write(row, figures)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
