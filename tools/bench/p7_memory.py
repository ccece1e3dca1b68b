"""P7: memory of a worker with a null function, and after 10,000 requests."""

from collections.abc import Iterator
from pathlib import Path

from cvat_nuclio.bench.memory import largest_mib
from cvat_nuclio.serve import Server, running

from .http import Client
from .row import Result, Samples
from .scenes import detector_body, generated_bundle, jpeg, plain_bundle

REQUESTS = 10_000
STARTS = 3
ARENA = 1.0  # MiB; the floor handler's worker takes another now and then, too
FLOORS = {"floor": "the floor handler", "sdk_floor": "the floor handler with `import cvat_sdk.auto_annotation`"}


def run(folder: Path) -> Iterator[Result]:
    """Resident memory of the worker process, after ten requests and after ten thousand."""
    body = detector_body(jpeg(320, 240))
    null = generated_bundle(folder, "null")
    for name, what in FLOORS.items():
        floor = plain_bundle(folder, name)
        pairs = [(_early(null, body), _early(floor, body)) for _ in range(STARTS)]
        ours, theirs = ([pair[side] for pair in pairs] for side in (0, 1))
        yield _row(f"a null function's worker; against {what}", name, ours, theirs, 1.3)
    with running(null, workers=1) as server:
        early, late = _after(server, body, 2_000), _after(server, body, REQUESTS - 2_000)
    yield Result(
        row="P7", work=f"the same after {REQUESTS:,} requests; against itself after 2,000",
        ours=Samples("late", [late]), theirs=Samples("early", [early]), unit="MiB",
        target="at most one of Python's arenas (1 MiB) more", met=late <= early + ARENA, ratio=late / early,
    )  # fmt: skip


def _early(bundle: Path, body: bytes) -> float:
    with running(bundle, workers=1) as server:
        return _after(server, body, 10)


def _after(server: Server, body: bytes, requests: int) -> float:
    client = Client(server.url, body)
    for _ in range(requests):
        client()
    return largest_mib(server.worker_pids)


def _row(work: str, other: str, ours: list[float], theirs: list[float], limit: float) -> Result:
    a, b = Samples("bundle", ours), Samples(other, theirs)
    return Result(
        row="P7", work=work, ours=a, theirs=b, unit="MiB", target=f"≤ {limit} ×",
        met=a.median <= limit * b.median, ratio=a.median / b.median,
    )  # fmt: skip
