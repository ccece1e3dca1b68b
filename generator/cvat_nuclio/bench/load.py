"""Closed-loop load: each client sends its next request when the last is answered."""

import threading
import time
from collections.abc import Sequence

import attrs
import numpy as np
import urllib3

from ..errors import UserError

_HEADERS = {"Content-Type": "application/json"}  # exactly this, or Nuclio hands the function bytes


@attrs.frozen
class Load:
    """What `clients` clients saw. `seconds` holds each answered request's latency, in order of completion."""

    clients: int
    seconds: Sequence[float]
    failures: int
    wall: float

    @property
    def throughput(self) -> float:
        """Answered requests a second."""
        return len(self.seconds) / self.wall

    def percentile(self, percent: float) -> float:
        """Latency in milliseconds at this percentile."""
        return float(np.percentile(np.asarray(self.seconds), percent)) * 1000


def send_one(pool: urllib3.HTTPConnectionPool, path: str, body: bytes, timeout: float) -> int:
    """Posts one request and gives its status; the answer is read whole."""
    return pool.request("POST", path, body=body, headers=_HEADERS, timeout=timeout, retries=False).status


def run_load(url: str, body: bytes, *, requests: int, clients: int, timeout: float = 120.0) -> Load:
    """Sends `requests` requests from `clients` clients. Raises UserError when none is answered with 200."""
    parsed = urllib3.util.parse_url(url)
    seconds: list[float] = []
    failed: list[str] = []
    left = iter(range(requests))
    lock = threading.Lock()

    def client() -> None:
        with urllib3.connection_from_url(url, maxsize=1) as pool:
            while True:
                with lock:
                    if next(left, None) is None:
                        return
                begun = time.perf_counter()
                try:
                    status = send_one(pool, parsed.request_uri, body, timeout)
                    trouble = "" if status == 200 else f"HTTP {status}"
                except urllib3.exceptions.HTTPError as error:
                    trouble = str(error)
                elapsed = time.perf_counter() - begun
                with lock:
                    if trouble:
                        failed.append(trouble)
                    else:
                        seconds.append(elapsed)

    threads = [threading.Thread(target=client) for _ in range(clients)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if not seconds:
        raise UserError(f"{url} answered no request", why=failed[0] if failed else "nothing was sent")
    return Load(clients, seconds, len(failed), time.perf_counter() - begun)
