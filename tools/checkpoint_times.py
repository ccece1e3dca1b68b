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
import multiprocessing
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from cvat_nuclio import atomic
from cvat_nuclio.errors import UserError
from cvat_nuclio.models import table
from tools.full_size import OBJECTS, ROOT
from tools.function_times import Pace, Timed, caller, measure, pictures

TABLE = ROOT / "generator" / "cvat_nuclio" / "data" / "checkpoints.yaml"
FOLDER = ROOT / "build" / "checkpoint-times"
PACE = Pace(seconds=5, least=1, most=8, warm=False)
#: Families whose time depends on how many objects there are; a box more or less is nothing.
WITH_MASKS = ("transformers_segmentation", "transformers_sam3", "transformers_pose")
#: Halvings of a threshold: what random weights are sure of lies close together.
STEPS = 30
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
    from tools.full_networks import FullNetwork

    network = FullNetwork(row, FOLDER / "network")
    try:
        found: Figures = {"parameters": network.lay()}
        sure = {"threshold": sure_of(network.detector or network)} if row.family in WITH_MASKS else {}
        timed = {one.call: one for one in measure(network, PACE, TOLD[row.kind].values(), **sure)}
    finally:
        shutil.rmtree(FOLDER, ignore_errors=True)
    return found | {name: milliseconds(timed[call]) for name, call in TOLD[row.kind].items()}


def milliseconds(timed: Timed) -> int:
    """Two digits, or three for those that begin with a one."""
    exact = timed.least * 1000
    digits = 3 if f"{exact:g}".startswith("1") else 2
    return max(1, int(float(f"{exact:.{digits}g}")))


def sure_of(network: Any) -> float:
    """The threshold at which a detector finds about OBJECTS objects in a picture; 0 where it never finds more.

    Raises UserError where it finds none, for what is measured then is another thing.
    """
    from tools.full_networks import PERSON, remembered

    _, call = caller(network)
    picture = next(pictures())

    def found(threshold: float) -> int:
        labels = [shape["label"] for shape in call({"image": picture, "threshold": threshold})]
        return labels.count(PERSON) if network.is_for_people else len(labels)

    with remembered(network.row):
        threshold = threshold_of(found)
        if not found(threshold):
            raise UserError(f"{network.name} finds nothing", why=f"with random weights, at {threshold}")
    return threshold


def threshold_of(found: Callable[[float], int]) -> float:
    """Where a number that falls from 0 to 1 comes closest to OBJECTS."""
    low, high = (0.0, found(0.0)), (1.0, 0)
    for _ in range(STEPS):
        if abs(low[1] - OBJECTS) <= 2 or low[1] < OBJECTS:
            return low[0]
        if abs(high[1] - OBJECTS) <= 2:
            return high[0]
        middle = (low[0] + high[0]) / 2
        number = found(middle)
        low, high = ((middle, number), high) if number > OBJECTS else (low, (middle, number))
    return min(low, high, key=lambda end: abs(end[1] - OBJECTS))[0]


def published(row: table.Network, parameters: float) -> str:
    """What is to be said of the number that the publisher names; empty where the network has it."""
    from tools.full_networks import recipes

    recipe = recipes()[row.source]
    named = recipe.get("published")
    if named is None or row.family in recipe.get("part", ()) or abs(parameters / named - 1) <= TOLERANCE:
        return ""
    return f"{parameters} million parameters, {named} are published: the configuration is not the publisher's"


def figures_of(row: table.Network, is_counting: bool) -> Figures | str:
    """The figures, or what went wrong, which a process can hand to another."""
    from tools.full_networks import parameters

    try:
        counted = parameters(row)
        return published(row, counted) or ({"parameters": counted} if is_counting else measured(row))
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def in_processes(rows: Sequence[table.Network], is_counting: bool) -> Iterator[tuple[table.Network, Figures | str]]:
    """Each row with its figures, by processes that start with the frameworks imported and one thread."""
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    os.environ |= {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tools.full_networks"])
    with ProcessPoolExecutor(1, context, max_tasks_per_child=1) as pool:
        for row in rows:
            yield row, pool.submit(figures_of, row, is_counting).result()


def write(row: table.Network, figures: Figures, file: Path = TABLE) -> None:
    """Puts the figures into the row, and leaves the rest of the file as it is."""
    yaml = YAML()
    yaml.width, yaml.preserve_quotes = 4096, True
    yaml.indent(mapping=2, sequence=4, offset=2)
    found = yaml.load(file.read_text("utf-8"))
    (place,) = (place for place in found["networks"][row.family] if place["source"] == row.source)
    place.pop("unmeasured", None)
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
    failed = False
    for row, figures in in_processes(chosen(args.names, args.count), args.count):
        print(f"{row.source}, {row.family}: {figures}", flush=True)
        if isinstance(figures, str):
            failed = True
        elif not args.count:
            write(row, figures)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
