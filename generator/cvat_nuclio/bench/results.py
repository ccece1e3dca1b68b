"""What was measured, as a table, as JSON and as a picture."""

import io
import json
import math
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
ENDINGS = (".png", ".svg", ".pdf")
#: What a lone request takes outside the handler.
AROUND = "HTTP and processor"
#: Of memory, for larger pictures than the one measured; and Nuclio's processor beside the workers.
SPARE, PROCESSOR_MIB = 1.25, 64


@attrs.frozen(kw_only=True)
class Report:
    """One bench run. `phases` is empty for a URL, whose inside cannot be seen; memory is 0 likewise."""

    name: str
    body_bytes: int
    alone: Load
    loaded: Load
    phases: Mapping[str, float] = attrs.field(factory=dict)
    memory_before: float = 0.0
    memory_after: float = 0.0
    workers: int = 0
    cores: float = 0.0
    """Processors that all workers together kept busy under load."""

    @property
    def inside(self) -> float:
        """Milliseconds that a request takes in the worker; 0 where that cannot be seen."""
        return sum(self.phases.values())

    @property
    def around(self) -> float:
        """Milliseconds of a lone request outside the handler: HTTP, the processor, the way to the worker and back."""
        return max(self.alone.percentile(50) - self.inside, 0.0) if self.phases else 0.0

    @property
    def waiting(self) -> float:
        """Milliseconds that a request of many waits longer than a lone one, above all for a free worker."""
        return max(self.loaded.percentile(50) - self.alone.percentile(50), 0.0)

    @property
    def requests(self) -> dict[str, str]:
        """What to request of Kubernetes for as many workers, named as `spec.resources.requests`; nothing for a URL."""
        if not self.memory_after:
            return {}
        memory = math.ceil((self.workers * self.memory_after * SPARE + PROCESSOR_MIB) / 64) * 64
        return {"cpu": f"{max(math.ceil(self.cores * 10), 1) * 100}m", "memory": f"{memory}Mi"}

    def to_json(self) -> dict[str, Any]:
        """Milliseconds, requests a second, MiB."""
        return {
            "name": self.name,
            "body_bytes": self.body_bytes,
            "one_client": _load(self.alone),
            "many_clients": _load(self.loaded),
            "phases_ms": {name: round(ms, 4) for name, ms in self.phases.items()},
            "around_ms": round(self.around, 4),
            "waiting_ms": round(self.waiting, 4),
            "largest_worker_mib": {"before": round(self.memory_before, 1), "after": round(self.memory_after, 1)},
            "busy_cores": round(self.cores, 2),
            "requests": self.requests,
        }

    def to_text(self) -> str:
        """The tables."""
        text = io.StringIO()
        console = Console(file=text, width=110)
        console.print(f"{self.name}, {self.body_bytes / 1e6:.2f} MB a request", highlight=False)
        console.print(self._loads())
        if self.phases:
            console.print()
            console.print(self._split())
        if self.memory_after:
            after = f"{self.memory_after:.0f} MiB after"
            console.print(f"\nlargest worker: {self.memory_before:.0f} MiB before, {after}", highlight=False)
            words = " ".join(f"--{name}-request {text}" for name, text in self.requests.items())
            console.print(f"{self.cores:.1f} processors busy; for Kubernetes: generate {words}", highlight=False)
        return text.getvalue().rstrip()

    def _loads(self) -> Table:
        table = Table(box=None, pad_edge=False)
        for heading in ("clients", "requests", "failed", *(f"p{percent} ms" for percent in PERCENTILES), "requests/s"):
            table.add_column(heading, justify="right")
        for load in (self.alone, self.loaded):
            latencies = [f"{load.percentile(percent):.1f}" for percent in PERCENTILES]
            counts = [str(load.clients), str(len(load.seconds)), str(load.failures)]
            table.add_row(*counts, *latencies, f"{load.throughput:.1f}")
        return table

    def _split(self) -> Table:
        table = Table(box=None, pad_edge=False)
        table.add_column("of a lone request")
        table.add_column("ms", justify="right")
        table.add_column("%", justify="right")
        whole = self.inside + self.around
        for name, ms in (*self.phases.items(), (AROUND, self.around)):
            table.add_row(name, f"{ms:.2f}", f"{100 * ms / whole:.0f}")
        return table

    def write_json(self, file: Path) -> None:
        """Writes `to_json`."""
        atomic.write(file, f"{json.dumps(self.to_json(), indent=2)}\n".encode())

    def write_plot(self, file: Path) -> None:
        """Latencies of both loads as curves, and the parts of a lone request as bars. `require_plot` says when not."""
        plt = require_plot(file)
        figure, panels = plt.subplots(1, 2 if self.phases else 1, figsize=(10, 4), squeeze=False)
        _draw_latencies(panels[0][0], self)
        if self.phases:
            _draw_split(panels[0][1], self)
        figure.suptitle(f"{self.name}, {self.body_bytes / 1e6:.2f} MB a request")
        figure.tight_layout()
        picture = io.BytesIO()
        figure.savefig(picture, format=file.suffix[1:].lower())
        atomic.write(file, picture.getvalue())
        plt.close(figure)


def _draw_latencies(axes: Any, report: Report) -> None:
    for load in (report.alone, report.loaded):
        points = range(1, 101)
        who = "1 client" if load.clients == 1 else f"{load.clients} clients"
        axes.plot(
            points, [load.percentile(point) for point in points], label=f"{who}, {load.throughput:.0f} requests/s"
        )
    axes.set(xlabel="percentile of requests", ylabel="milliseconds", ylim=(0, None), xlim=(0, 100), title="latency")
    axes.legend()


def _draw_split(axes: Any, report: Report) -> None:
    parts = {**report.phases, AROUND: report.around}
    bars = axes.barh(list(parts)[::-1], list(parts.values())[::-1])
    axes.bar_label(bars, fmt=" %.2f")
    axes.set(xlabel="milliseconds", title="a lone request", xlim=(0, 1.15 * max(parts.values())))


def require_plot(file: Path) -> Any:
    """Matplotlib's pyplot; UserError where it is missing, or where `file` has an ending that is not drawn."""
    if file.suffix.lower() not in ENDINGS:
        raise UserError(f"{file} cannot be drawn", remedy=f"end its name in {', '.join(ENDINGS)}")
    try:
        import matplotlib as mpl
    except ImportError as error:
        raise UserError("--plot needs matplotlib", remedy="pip install 'cvat-nuclio[bench]'") from error
    mpl.use("Agg")
    from matplotlib import pyplot

    return pyplot


def _load(load: Load) -> dict[str, Any]:
    latencies = {f"p{percent}_ms": load.percentile(percent) for percent in PERCENTILES}
    counts = {"clients": load.clients, "requests": len(load.seconds), "failed": load.failures}
    return {**counts, **latencies, "requests_per_second": load.throughput}
