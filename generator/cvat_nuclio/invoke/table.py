"""The report as tables on the terminal."""

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from .call_report import Kept, Report

MANY = 60


def print_report(report: Report, console: Console) -> None:
    console.print(_heading(report))
    if report.kept:
        console.print(_kept_table(report))
    elif not report.fault:
        console.print("CVAT would keep nothing.")
    if report.dropped:
        console.print(_dropped_table(report))
    for note in report.notes:
        console.print(f"[yellow]note[/] {escape(note)}")
    if report.fault:
        console.print(f"[bold red]CVAT fails:[/] {escape(report.fault)}")
        for cause in report.causes:
            console.print(f"  [red]cause[/] {escape(cause)}")
    elif report.fatal:
        console.print("[bold red]CVAT takes the answer, but what it stores cannot be opened[/]: see the notes above")
    console.print(_timing(report.calls.milliseconds))


def _heading(report: Report) -> str:
    name = f"[bold]{escape(report.function.id)}[/]"
    return f"{name} · {report.function.kind} · CVAT {report.generation.value} · {len(report.frames)} image(s)"


def _kept_table(report: Report) -> Table:
    table = Table(title="CVAT keeps", title_justify="left")
    several = len(report.frames) > 1
    table.add_column("#", justify="right")
    if several:
        table.add_column("frame", justify="right")
    for title in ("label", "type", "points", "more"):
        table.add_column(title, overflow="fold")
    for number, kept in enumerate(report.kept[:MANY], start=1):
        frame = [str(kept.frame)] if several else []
        cells = [kept.label, kept.type, geometry(kept), "\n".join(more(kept))]
        table.add_row(str(number), *frame, *(escape(cell) for cell in cells))
    if len(report.kept) > MANY:
        table.caption = f"and {len(report.kept) - MANY} more; --json has all"
    return table


def geometry(kept: Kept) -> str:
    """Coordinates in few characters: a mask's box and pixels, the first points of a long line."""
    if kept.type == "mask" and len(kept.points) >= 5:
        left, top, right, bottom = kept.points[-4:]
        return f"{left:g},{top:g} to {right:g},{bottom:g}, {sum(kept.points[1:-4:2]):g} pixels"
    if kept.elements:
        return f"{len(kept.elements)} elements, {sum(e.outside for e in kept.elements)} outside"
    if len(kept.points) > 8 and kept.type != "cuboid":
        return f"{_numbers(kept.points[:6])},… ({len(kept.points) // 2} points)"
    return _numbers(kept.points)


def _numbers(points: Sequence[float]) -> str:
    return ",".join(f"{round(point, 1):g}" for point in points)


def more(kept: Kept) -> Iterator[str]:
    """What else is to be said of it, a line each: track, rotation, group, confidence, attributes, faults."""
    if kept.track is not None:
        yield f"track {kept.track}" + (", outside" if kept.outside else "")
    if kept.rotation:
        yield f"rotated by {kept.rotation:g}°"
    if kept.group:
        yield f"group {kept.group}"
    if kept.confidence is not None and kept.confidence < 1:
        yield f"confidence {kept.confidence:g}"
    yield from (f"{name}: {value}" for name, value in kept.attributes.items())
    yield from (f"! {note}" for note in kept.notes)


def _dropped_table(report: Report) -> Table:
    table = Table("item", "why", title="CVAT drops", title_justify="left")
    for drop in report.dropped[:MANY]:
        table.add_row("" if drop.item is None else str(drop.item), escape(drop.reason))
    if len(report.dropped) > MANY:
        table.caption = f"and {len(report.dropped) - MANY} more; --json has all"
    return table


def _timing(milliseconds: Sequence[float]) -> str:
    if not milliseconds:
        return "no call was made"
    if len(milliseconds) == 1:
        return f"1 call, {milliseconds[0]:.0f} ms"
    ordered = sorted(milliseconds)
    middle = ordered[len(ordered) // 2]
    return f"{len(ordered)} calls, {ordered[0]:.0f} / {middle:.0f} / {ordered[-1]:.0f} ms (least, median, most)"
