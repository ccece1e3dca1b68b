"""The table as `cvat-nuclio models` shows it."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .table import Network, families, family

#: Characters of a line where no terminal says how many it has: no row is folded.
WHOLE = 1000
COLUMNS = ("model", "size", "time", "licence")
#: Characters that a terminal leaves for a name at least, and for all else: a name is hard to read in pieces.
NAME, ELSE = 38, 56
NEVER_RAN = "Architectures were tested with random weights; no network here was run with its real ones."


def has(row: Network, words: Sequence[str]) -> bool:
    """Whether all words are somewhere in the row, its kind, task and family."""
    text = " ".join((*_cells(row), row.kind, str(family(row.family)["task"]), row.family)).lower()
    return all(word.lower() in text for word in words)


def fields(row: Network) -> Mapping[str, Any]:
    """The row for programs."""
    names = (
        "source", "kind", "family", "architecture", "licence", "licence_source", "gated", "ran", "parameters",
        "megabytes", "cpu_ms", "click_ms",
    )  # fmt: skip
    return {name: getattr(row, name) for name in names} | {"task": family(row.family)["task"]}


def print_all(rows: Sequence[Network], *, with_families: bool, about: str, stream: TextIO) -> None:
    """The families, if asked for, then the networks of each family."""
    console = Console(file=stream, highlight=False)
    if not console.is_terminal:
        console.width = WHOLE
    if with_families:
        console.print("Ready functions, for your own weights too (cvat-nuclio generate --model ...):")
        console.print(_families())
        console.print("\nNetworks by name (cvat-nuclio generate --model NAME)", end="")
        console.print(f"; {about}.")
    console.print(_networks(rows, console.width))
    if rows and not any(row.ran for row in rows):
        console.print(NEVER_RAN, style="dim")


def _families() -> Table:
    table = _table("function", "kind", "task", "what it does")
    for name, row in families().items():
        table.add_row(name, row["kind"], row["task"], row["what"])
    return table


def _networks(rows: Sequence[Network], width: int) -> Table:
    table = _table(*COLUMNS)
    for title in ("size", "time"):
        column = table.columns[COLUMNS.index(title)]
        column.justify, column.no_wrap = "right", True
    longest = max((len(row.source) for row in rows), default=0)
    table.columns[0].width = max(NAME, min(longest, width - ELSE))
    for name, group in groupby(rows, key=lambda row: row.family):
        table.add_row(Text(f"{family(name)['kind']}: {family(name)['task']}", style="bold"))
        for row in group:
            table.add_row(*map(Text, _cells(row)))
    return table


def _table(*titles: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in titles:
        table.add_column(title, overflow="fold")
    return table


def _cells(row: Network) -> list[str]:
    size = "" if row.megabytes is None else f"{row.megabytes} MB"
    times = [seconds(value) for value in (row.cpu_ms, row.click_ms) if value is not None]
    notes = [text for text, said in (("gated", row.gated), ("ran here", row.ran)) if said]
    return [row.source, size, ", ".join(times) or "not timed yet", ", ".join([row.stated_licence, *notes])]


def seconds(milliseconds: int) -> str:
    """`860` → `0.86 s`, `41000` → `41 s`."""
    return f"{milliseconds / 1000:.2g} s" if milliseconds < 10_000 else f"{milliseconds / 1000:.0f} s"
