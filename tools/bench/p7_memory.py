"""P7: memory of a worker with a null function, and its growth."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from cvat_nuclio.bench.worker_memory import largest_mib
from cvat_nuclio.serve import Server, running

from .row import Result, Samples, at_most
from .scenes import client, detector_body, generated_bundle, jpeg, plain_bundle

REQUESTS = 10_000
STARTS = 3
FLOOR = "floor"
FLOOR_IMPORTS = "import cvat_sdk.auto_annotation"
FLOOR_IS = f"the floor handler with `{FLOOR_IMPORTS}`"


def run(folder: Path) -> Iterator[Result]:
    """Resident memory of the worker process, after ten requests, and how it grows from there."""
    body = detector_body(jpeg(320, 240))
    null, floor = generated_bundle(folder, "null"), plain_bundle(folder, FLOOR, FLOOR_IMPORTS)
    pairs = [(_early(null, body), _early(floor, body)) for _ in range(STARTS)]
    ours, theirs = ([pair[side] for pair in pairs] for side in (0, 1))
    work = f"a null function's worker; against {FLOOR_IS}"
    yield at_most(1.3, "P7", work, Samples("bundle", ours), Samples(FLOOR, theirs), "MiB")
    ours, theirs = _series(null, body), _series(floor, body)
    work = f"after {REQUESTS:,} requests; against that handler after as many"
    yield at_most(1.3, "P7", work, Samples("bundle", ours[:1]), Samples(FLOOR, theirs[:1]), "MiB")
    yield _growth(ours, theirs)


def _early(bundle: Path, body: bytes) -> float:
    with running(bundle, workers=1) as server:
        return _after(server, body, 10)


def _series(bundle: Path, body: bytes) -> list[float]:
    """MiB after `REQUESTS`, and after each further thousand up to twice as many."""
    with running(bundle, workers=1) as server:
        return [_after(server, body, REQUESTS), *(_after(server, body, 1000) for _ in range(REQUESTS // 1000))]


def _growth(ours: list[float], theirs: list[float]) -> Result:
    """The median of ten: a table of Python's own that is rebuilt once, a megabyte larger, is no growth."""
    a, b = (
        Samples(name, [1024 * (late - early) for early, late in pairwise(side)])
        for name, side in (("bundle", ours), (FLOOR, theirs))
    )
    share = a.median / (1024 * ours[0])
    return Result(
        row="P7", work=f"growth of each thousand requests after {REQUESTS:,}, and the floor handler's",
        ours=a, theirs=b, unit="KiB",
        target="≤ 1.001 × of itself", met=share <= 0.001, ratio=1 + share,
    )  # fmt: skip


def _after(server: Server, body: bytes, requests: int) -> float:
    send = client(server.url, body)
    for _ in range(requests):
        send()
    return largest_mib(server.worker_pids)
