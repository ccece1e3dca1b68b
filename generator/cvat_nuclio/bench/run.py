"""One bench run, of a bundle's folder or of a URL."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import attrs

from ..bundle import Bundle
from ..deploy.smoke import payload
from ..errors import UserError
from . import phases
from .load import Load, run_load
from .memory import largest_mib
from .report import Report


@attrs.frozen(kw_only=True)
class BenchOptions:
    """How much is sent. `image` is the file's bytes, or None for a tiny picture."""

    requests: int = 200
    clients: int = 16
    workers: int | None = None
    image: bytes | None = None
    python: str = sys.executable


def bench_folder(folder: Path, options: BenchOptions) -> Report:
    """Serves the bundle for the time of the measurement."""
    from ..serve import running

    bundle = Bundle.open(folder)
    body = json.dumps(payload(bundle.kind, bundle.annotations, options.image)).encode()
    split = measure_phases(bundle.folder, body, options)
    with running(folder, workers=options.workers, python=options.python) as server:
        run_load(server.url, body, requests=10, clients=1)  # warm-up
        before = largest_mib(server.worker_pids)
        alone, loaded = _loads(server.url, body, options)
        after = largest_mib(server.worker_pids)
    return Report(
        name=bundle.name, body_bytes=len(body), alone=alone, loaded=loaded, phases=split,
        memory_before=before, memory_after=after,
    )  # fmt: skip


def bench_url(url: str, kind: str, annotations: Mapping[str, str], options: BenchOptions) -> Report:
    """Measures what listens at `url`, which must be a function of this kind."""
    body = json.dumps(payload(kind, annotations, options.image)).encode()
    run_load(url, body, requests=3, clients=1)  # warm-up
    alone, loaded = _loads(url, body, options)
    return Report(
        name=url, body_bytes=len(body), alone=alone, loaded=loaded, phases={}, memory_before=0.0, memory_after=0.0
    )


def _loads(url: str, body: bytes, options: BenchOptions) -> tuple[Load, Load]:
    alone = run_load(url, body, requests=options.requests, clients=1)
    return alone, run_load(url, body, requests=options.requests, clients=options.clients)


def measure_phases(folder: Path, body: bytes, options: BenchOptions) -> Mapping[str, float]:
    """Median milliseconds of each phase, measured in a process of its own under the bundle's interpreter."""
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        file.write(body)
        file.flush()
        count = str(max(5, min(options.requests, 100)))
        words = [options.python, phases.__file__, str(folder), file.name, count]
        done = subprocess.run(words, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        raise UserError(f"the function in {folder} failed", why=last[0], remedy="`cvat-nuclio serve` shows more")
    split: Mapping[str, float] = json.loads(done.stdout)
    return split
