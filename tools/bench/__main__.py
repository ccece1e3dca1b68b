"""Runs the rows and writes docs/benchmarks.md with its chart."""

import argparse
import compileall
import importlib
import os
import sys
import sysconfig
import tempfile
from pathlib import Path

from . import split
from .page import write_page
from .row import Result

ROWS = {
    "P1": "p1_overhead",
    "P2": "p2_masks",
    "P3": "p3_clicks",
    "P4": "p4_states",
    "P5": "p5_commands",
    "P7": "p7_memory",
    "P8": "p8_cold_start",
    "P9": "p9_annotate",
    "P10": "p10_track",
}


def main() -> None:
    """Every row, or those named; the page is written only for a whole run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="*", choices=[[], *ROWS], help="default: all")
    chosen = parser.parse_args().rows or list(ROWS)
    compile_packages()
    results: list[Result] = []
    for row in chosen:
        module = importlib.import_module(f".{ROWS[row]}", __package__)
        with tempfile.TemporaryDirectory() as folder:
            for result in module.run(Path(folder)):
                results.append(result)
                mark = "met" if result.met else "MISSED"
                print(f"{result.row} {result.work}: {result.ratio:.3f} × ({result.target}: {mark})", flush=True)
    if chosen == list(ROWS):
        write_page(results, split.lines())


def compile_packages() -> None:
    """Every interpreter of the benchmarks finds its modules compiled, as pip leaves them in an image.

    A fresh environment may hold sources alone, and a machine may forbid the writing of bytecode.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    compileall.compile_dir(sysconfig.get_path("purelib"), quiet=2, workers=0)


if __name__ == "__main__":
    main()
