"""docs/benchmarks.md and its chart."""

import statistics
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from tools.machine import machine

from .row import Result, Samples

ROOT = Path(__file__).resolve().parents[2]
NOTES = Path(__file__).with_name("notes.md")
PACKAGES = ("cvat-sdk", "nuclio-sdk", "numpy", "pillow", "opencv-python-headless", "msgpack")


def write_page(results: Sequence[Result], more: Iterable[str] = (), docs: Path = ROOT / "docs") -> None:
    """The table of all rows, `more` tables, the machine, the versions, and the notes that are kept by hand in
    notes.md."""
    docs.mkdir(exist_ok=True)
    lines = [
        "<!-- Written by `make bench`; the notes below the table come from tools/bench/notes.md. -->",
        "# Benchmarks",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, {machine(PACKAGES)}.",
        "Both sides of a row run in turn within one run; figures are medians, with the middle half of the samples in",
        "brackets. Repeat with `make bench`, or one row with `.venv/bin/python -m tools.bench P1`.",
        "",
        "| # | work | ours | other | ratio | target | |",
        "|---|---|---|---|---|---|---|",
        *map(_line, results),
        "",
        "![ratio of each row](pictures/benchmarks.svg)",
        "",
        *more,
        "",
        NOTES.read_text("utf-8").rstrip(),
        "",
    ]
    (docs / "benchmarks.md").write_text("\n".join(lines), "utf-8")
    _chart(results, docs / "pictures" / "benchmarks.svg")


def _line(one: Result) -> str:
    ours, theirs = figure(one.ours, one.unit), figure(one.theirs, one.unit)
    mark = "met" if one.met else "**missed**"
    return f"| {one.row} | {one.work} | {ours} | {theirs} | {one.ratio:.3g} × | {one.target} | {mark} |"


def figure(side: Samples, unit: str) -> str:
    """Median and middle half."""
    median = f"{side.name}: {side.median:.4g} {unit}"
    if len(side.values) < 2:
        return median
    low, _, high = statistics.quantiles(side.values, n=4)
    return f"{median} [{low:.4g}..{high:.4g}]"


def _chart(results: Sequence[Result], file: Path) -> None:
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "cvat-nuclio"
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(9, 0.4 * len(results) + 1))
    names = [f"{one.row} {one.work.split(';')[0]}" for one in results]
    colours = ["tab:green" if one.met else "tab:red" for one in results]
    axes.barh(names[::-1], [one.ratio for one in results][::-1], color=colours[::-1])
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set(xscale="log", xlabel="ours / other (smaller is better)")
    figure.tight_layout()
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, metadata={"Date": None})
    plt.close(figure)
