"""P8: from the start of the engine to the first answer."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from cvat_nuclio.serve import running

from .p7_memory import FLOOR, FLOOR_IMPORTS, FLOOR_IS
from .row import Result, Samples, at_most, interleave
from .scenes import client, detector_body, generated_bundle, jpeg, plain_bundle

ROUNDS = 9


def run(folder: Path) -> Iterator[Result]:
    """One and four workers; all of them are ready before the first answer, as in Nuclio."""
    body = detector_body(jpeg(320, 240))
    null, floor = generated_bundle(folder, "null"), plain_bundle(folder, FLOOR, FLOOR_IMPORTS)
    for workers in (1, 4):
        a, b = interleave(_start(null, workers, body), _start(floor, workers, body), rounds=ROUNDS, warm_up=1)
        work = f"cold start to the first answer, {workers} worker(s); against {FLOOR_IS}"
        yield at_most(1.3, "P8", work, Samples("bundle", a), Samples(FLOOR, b), "s")


def _start(bundle: Path, workers: int, body: bytes) -> Callable[[], float]:
    """The seconds to the first answer; the stop is not counted."""

    def start() -> float:
        begun = time.perf_counter()
        with running(bundle, workers=workers) as server:
            client(server.url, body)()
            return time.perf_counter() - begun

    return start
