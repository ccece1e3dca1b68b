"""One bench run, of a bundle's folder or of a URL."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import attrs

from ..cvat import ListingError
from ..cvat.listing import list_function
from ..cvat.sample import function_of_kind, sample_payload
from ..errors import UserError
from ..nuclio.function_yaml import FunctionYaml
from . import phases
from .load import run_load, send_one
from .results import Report
from .sample_picture import FRAME, photograph
from .worker_memory import largest_mib, processor_seconds

WARM_UP = 10


@attrs.frozen(kw_only=True)
class BenchOptions:
    """How much is sent. `image` is the file's bytes, or None for a picture of 1920 x 1080."""

    requests: int = 200
    clients: int = 16
    workers: int | None = None
    image: bytes | None = None
    python: str = sys.executable


def bench_folder(folder: Path, options: BenchOptions) -> Report:
    """Serves the bundle for the time of the measurement."""
    from ..serve import running

    bundle = FunctionYaml.open(folder)
    body = _body(bundle.kind, bundle.annotations, options)
    split = measure_phases(bundle, body, options)
    with running(folder, workers=options.workers, python=options.python) as server:
        body = _warmed_up(server.url, body)
        before = largest_mib(server.worker_pids)
        alone = run_load(server.url, body, requests=options.requests, clients=1)
        taken = processor_seconds(server.worker_pids)
        loaded = run_load(server.url, body, requests=options.requests, clients=options.clients)
        taken = processor_seconds(server.worker_pids) - taken
        after, workers = largest_mib(server.worker_pids), len(server.worker_pids)
    return Report(
        name=bundle.name, body_bytes=len(body), alone=alone, loaded=loaded, phases=split,
        memory_before=before, memory_after=after, workers=workers, cores=taken / loaded.wall,
    )  # fmt: skip


def bench_url(url: str, kind: str, options: BenchOptions) -> Report:
    """Measures what listens at `url`, which must be a function of this kind."""
    body = _warmed_up(url, _body(kind, {}, options))
    alone = run_load(url, body, requests=options.requests, clients=1)
    loaded = run_load(url, body, requests=options.requests, clients=options.clients)
    return Report(name=url, body_bytes=len(body), alone=alone, loaded=loaded)


def _body(kind: str, annotations: Mapping[str, str], options: BenchOptions) -> bytes:
    try:
        function = list_function(function_of_kind(kind, annotations))
    except ListingError as error:
        raise UserError("CVAT cannot list the function", why=error.message or error.name or "") from error
    return json.dumps(sample_payload(function, options.image or photograph(*FRAME))).encode()


def _warmed_up(url: str, body: bytes) -> bytes:
    """The body to measure with, after requests that are not counted: trackers go on from a first answer."""
    answer = send_one(url, body)
    body = phases.following(body, answer)
    run_load(url, body, requests=WARM_UP, clients=1)
    return body


def measure_phases(bundle: FunctionYaml, body: bytes, options: BenchOptions) -> Mapping[str, float]:
    """Median milliseconds of each phase, measured in a process of its own under the bundle's interpreter."""
    folder = str(bundle.folder.resolve())
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        file.write(body)
        file.flush()
        count = str(max(5, min(options.requests, 100)))
        words = [options.python, phases.__file__, folder, ":".join(bundle.handler), file.name, count]
        env = {**os.environ, **bundle.env}
        try:
            done = subprocess.run(
                words, capture_output=True, text=True, errors="replace", check=False, env=env, cwd=folder
            )
        except OSError as error:
            raise UserError(f"{options.python} cannot be run", why=error.strerror or str(error)) from None
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        raise UserError(f"the function in {bundle.folder} failed", why=last[0], remedy="`cvat-nuclio serve` shows more")
    split: Mapping[str, float] = json.loads(done.stdout)
    return split
