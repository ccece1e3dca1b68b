"""P7: memory of a worker with a null function, and after 10,000 requests."""

from collections.abc import Iterator
from pathlib import Path

from cvat_nuclio.bench.memory import largest_mib
from cvat_nuclio.serve import running

from .http import Client
from .row import Result, Samples
from .scenes import detector_body, generated_bundle, jpeg, plain_bundle

REQUESTS = 10_000


def run(folder: Path) -> Iterator[Result]:
    """Resident memory of the worker process, after ten requests and after ten thousand."""
    body = detector_body(jpeg(320, 240))
    null = generated_bundle(folder, "null")
    with running(null, workers=1) as ours, running(plain_bundle(folder, "floor"), workers=1) as floor:
        clients = Client(ours.url, body), Client(floor.url, body)
        for _ in range(10):
            for client in clients:
                client()
        early = largest_mib(ours.worker_pids), largest_mib(floor.worker_pids)
        yield _row("a null function's worker", "floor", early[0], early[1], 1.3)
        half = _after(clients[0], REQUESTS // 2, ours.worker_pids)
        late = _after(clients[0], REQUESTS // 2, ours.worker_pids)
        yield _row(
            f"the same after {REQUESTS:,} requests; against itself after half of them", "itself", late, half, 1.01
        )


def _after(client: Client, requests: int, pids: "list[int]") -> float:
    for _ in range(requests):
        client()
    return largest_mib(pids)


def _row(work: str, other: str, ours: float, theirs: float, limit: float) -> Result:
    return Result(
        row="P7", work=work, ours=Samples("bundle", [ours]), theirs=Samples(other, [theirs]), unit="MiB",
        target=f"≤ {limit} ×", met=ours <= limit * theirs, ratio=ours / theirs,
    )  # fmt: skip
