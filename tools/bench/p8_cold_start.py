"""P8: from the start of the engine to the first answer."""

import time
from collections.abc import Iterator
from pathlib import Path

from cvat_nuclio.serve import running

from .http import Client
from .row import Result, Samples
from .scenes import detector_body, generated_bundle, jpeg, plain_bundle

ROUNDS = 7


def run(folder: Path) -> Iterator[Result]:
    """One and four workers; all of them are ready before the first answer, as in Nuclio."""
    body = detector_body(jpeg(320, 240))
    null, floor = generated_bundle(folder, "null"), plain_bundle(folder, "floor")
    for workers in (1, 4):
        pairs = [(_start(null, workers, body), _start(floor, workers, body)) for _ in range(ROUNDS)]
        ours, theirs = (Samples(name, [pair[side] for pair in pairs]) for side, name in enumerate(("bundle", "floor")))
        yield Result(
            row="P8", work=f"cold start to the first answer, {workers} worker(s)", ours=ours, theirs=theirs,
            unit="s", target="≤ 1.3 ×", met=ours.median <= 1.3 * theirs.median, ratio=ours.median / theirs.median,
        )  # fmt: skip


def _start(bundle: Path, workers: int, body: bytes) -> float:
    """Seconds to the first answer; the stop is not counted."""
    begun = time.perf_counter()
    with running(bundle, workers=workers) as server:
        Client(server.url, body)()
        return time.perf_counter() - begun
