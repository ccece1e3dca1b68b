"""What each request cost: one structured line of the log at debug, and sums since the worker's start for a scraper.

Nuclio counts requests and their whole time, by worker, where its platform configuration has a Prometheus sink; of what
happens inside a worker it knows nothing, and takes nothing else. So the sums are answered to `GET /metrics`, in
Prometheus's text form (https://prometheus.io/docs/instrumenting/exposition_formats), by whichever worker gets it.
"""

import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from time import perf_counter
from typing import Any, Final

PATH: Final = "/metrics"
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_TRACE: Final = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)
_STAGES: Final = ("decode", "function", "encode")


class Measures:
    """One worker's. `begin`, `lap` after each stage, `end`; not for threads, as a worker has none."""

    def __init__(self) -> None:
        self._started = self._lapped = 0.0
        self._seconds: dict[str, float] = {}
        self._dropped: Counter[str] = Counter()
        self._cache = ""
        self._all_seconds: Counter[str] = Counter()
        self._all_dropped: Counter[str] = Counter()
        self._all_cache: Counter[str] = Counter()
        self._statuses: Counter[int] = Counter()

    def begin(self) -> None:
        """A request has come."""
        self._started = self._lapped = perf_counter()
        self._seconds = dict.fromkeys(_STAGES, 0.0)
        self._dropped = Counter()
        self._cache = ""

    def lap(self, stage: str) -> None:
        """What was done since the last lap was `stage`: decode, function or encode."""
        now = perf_counter()
        self._seconds[stage] = self._seconds.get(stage, 0.0) + now - self._lapped
        self._lapped = now

    def drop(self, reason: str, count: int = 1) -> None:
        """So many of the function's results are left out of the answer. Reasons are words of this package's own."""
        self._dropped[reason] += count

    def cache(self, *, hit: bool) -> None:
        """What was made of the image earlier was there still, or not."""
        self._cache = "hit" if hit else "miss"

    def end(self, status: int) -> dict[str, object]:
        """The fields of the request's line: milliseconds of each stage and of all, and what else there was."""
        self._all_seconds.update(self._seconds)
        self._all_dropped.update(self._dropped)
        self._all_cache.update([self._cache] if self._cache else [])
        self._statuses[status] += 1
        line: dict[str, object] = {f"{stage}_ms": round(1e3 * spent, 2) for stage, spent in self._seconds.items()}
        line |= {"total_ms": round(1e3 * (perf_counter() - self._started), 2), "status": status}
        if self._dropped:
            line["dropped"] = dict(self._dropped)
        if self._cache:
            line["cache"] = self._cache
        if memory := device_bytes():
            line["device_mib"] = memory >> 20
        return line

    def page(self, worker: object) -> str:
        """The sums, in Prometheus's text form; `worker` tells the workers of a function apart."""
        own = {"worker": str(worker)}
        series: dict[str, Iterator[tuple[dict[str, str], float]]] = {
            "requests_total": (({"status": str(status)}, count) for status, count in self._statuses.items()),
            "stage_seconds_total": (({"stage": stage}, spent) for stage, spent in self._all_seconds.items()),
            "dropped_total": (({"reason": reason}, count) for reason, count in self._all_dropped.items()),
            "cache_total": (({"result": result}, count) for result, count in self._all_cache.items()),
            "device_bytes": iter([({}, device_bytes())]),
        }
        lines = []
        for name, values in series.items():
            lines.append(f"# TYPE aa_{name} {'counter' if name.endswith('_total') else 'gauge'}")
            lines += [f"aa_{name}{_labels({**own, **labels})} {value}" for labels, value in values]
        return "\n".join(lines) + "\n"


def _labels(labels: Mapping[str, str]) -> str:
    def quoted(value: str) -> str:
        return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")

    return "{" + ",".join(f'{name}="{quoted(value)}"' for name, value in labels.items()) + "}"


def device_bytes() -> int:
    """What PyTorch has allocated on the GPU that is in use; 0 where it uses none. Other frameworks do not tell."""
    torch: Any = sys.modules.get("torch")
    if torch is None:
        return 0
    try:
        return int(torch.cuda.memory_allocated()) if torch.cuda.is_initialized() else 0
    except Exception:
        return 0


def trace_id(headers: object) -> str:
    """The trace that the caller's `traceparent` names (https://www.w3.org/TR/trace-context), 32 hexadecimal digits;
    empty where there is none."""
    if not isinstance(headers, Mapping):
        return ""
    text = headers.get("Traceparent") or headers.get("traceparent") or ""
    found = _TRACE.fullmatch(text) if isinstance(text, str) else None
    return found[1] if found else ""
