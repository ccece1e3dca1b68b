"""The table at the end."""

import io
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from .deployment import Outcome


def summary(outcomes: Sequence[Outcome]) -> str:
    """Name, state, URL, seconds and, where it failed, the cause of each."""
    table = Table(box=None, pad_edge=False)
    for heading in ("function", "state", "URL", "seconds", "cause"):
        table.add_column(heading, justify="right" if heading == "seconds" else "left")
    for one in outcomes:
        seconds = f"{one.seconds:.1f}" if one.seconds else ""
        table.add_row(one.name, one.state, one.url, seconds, one.cause.text if one.cause else "")
    text = io.StringIO()
    Console(file=text, width=160).print(table)
    return text.getvalue().rstrip()
