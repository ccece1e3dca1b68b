"""What was measured, as a table, as JSON and as a picture."""

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
from rich.console import Console
from rich.table import Table

from .. import atomic
from ..errors import UserError
from .load import Load

PERCENTILES = (50, 90, 99)


@attrs.frozen(kw_only=True)
class Report:
    """One bench run. `phases` is empty for a URL, whose inside cannot be seen; memory is 0 likewise."""

    name: str
    body_bytes: int
    alone: Load
    loaded: Load
    phases: Mapping[str, float]
    memory_before: float
    memory_after: float

    def to_json(self) -> dict[str, Any]:
        """Milliseconds, requests a second, MiB."""
        return {
            "name": self.name,
            "body_bytes": self.body_bytes,
            "one_client": _load(self.alone),
            "many_clients": _load(self.loaded),
            "phases_ms": dict(self.phases),
            "largest_worker_mib": {"before": self.memory_before, "after": self.memory_after},
        }

    def to_text(self) -> str:
        """The table."""
        table = Table(box=None, pad_edge=False, title=f"{self.name}, {self.body_bytes / 1e6:.2f} MB a request")
        for heading in ("clients", "requests", "failed", *(f"p{percent} ms" for percent in PERCENTILES), "requests/s"):
            table.add_column(heading, justify="right")
        for load in (self.alone, self.loaded):
            latencies = [f"{load.percentile(percent):.1f}" for percent in PERCENTILES]
            counts = [str(load.clients), str(len(load.seconds)), str(load.failures)]
            table.add_row(*counts, *latencies, f"{load.throughput:.1f}")
        text = io.StringIO()
        console = Console(file=text, width=110)
        console.print(table)
        if self.phases:
            console.print("inside the worker: " + ", ".join(f"{name} {ms:.2f} ms" for name, ms in self.phases.items()))
        if self.memory_after:
            console.print(f"largest worker: {self.memory_before:.0f} MiB before, {self.memory_after:.0f} MiB after")
        return text.getvalue().rstrip()

    def write_json(self, file: Path) -> None:
        """Writes `to_json`."""
        atomic.write(file, f"{json.dumps(self.to_json(), indent=2)}\n".encode())

    def write_plot(self, file: Path) -> None:
        """Latencies of both loads as curves, and the phases as a bar. Needs matplotlib."""
        try:
            import matplotlib as mpl

            mpl.use("Agg")
            import matplotlib.pyplot as plt
        except ImportError as error:
            raise UserError("--plot needs matplotlib", remedy="pip install 'cvat-nuclio[bench]'") from error
        figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), width_ratios=(3, 2))
        for load in (self.alone, self.loaded):
            points = range(1, 101)
            left.plot(points, [load.percentile(point) for point in points], label=f"{load.clients} client(s)")
        left.set(xlabel="percentile", ylabel="milliseconds", title=self.name, ylim=(0, None))
        left.legend()
        right.barh(list(self.phases)[::-1], list(self.phases.values())[::-1])
        right.set(xlabel="milliseconds", title="inside the worker")
        figure.tight_layout()
        figure.savefig(file)
        plt.close(figure)


def _load(load: Load) -> dict[str, Any]:
    latencies = {f"p{percent}_ms": load.percentile(percent) for percent in PERCENTILES}
    counts = {"clients": load.clients, "requests": len(load.seconds), "failed": load.failures}
    return {**counts, **latencies, "requests_per_second": load.throughput}
