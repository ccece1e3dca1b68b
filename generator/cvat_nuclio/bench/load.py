"""Closed-loop load: each client sends its next request when the last is answered."""

import threading
import time
from collections.abc import Sequence

import attrs
import numpy as np
import urllib3

from ..errors import UserError
from ..limits import CVAT_TIMEOUT

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


class Refused(Exception):
    """The answer was not 200."""


class Client:
    """One connection, kept open."""

    def __init__(self, url: str) -> None:
        self.pool = urllib3.connection_from_url(url, maxsize=1, timeout=CVAT_TIMEOUT, retries=False)
        self._path = urllib3.util.parse_url(url).request_uri

    def send(self, body: bytes) -> bytes:
        """The answer, read whole. Raises urllib3's errors and Refused."""
        answer = self.pool.request("POST", self._path, body=body, headers=_HEADERS)
        if answer.status != 200:
            raise Refused(f"HTTP {answer.status}: {answer.data.decode('utf-8', 'replace')[:200]}".rstrip(": "))
        return answer.data


def send_one(url: str, body: bytes) -> bytes:
    """The answer to one request. Raises UserError."""
    client = Client(url)
    with client.pool:
        try:
            return client.send(body)
        except (urllib3.exceptions.HTTPError, Refused) as error:
            raise UserError(f"{url} does not answer", why=str(error)) from None


def run_load(url: str, body: bytes, *, requests: int, clients: int) -> Load:
    """Sends `requests` requests from `clients` clients. Raises UserError when none is answered with 200."""
    seconds: list[float] = []
    failed: list[str] = []
    left = iter(range(requests))
    lock = threading.Lock()

    def work() -> None:
        client = Client(url)
        with client.pool:
            while True:
                with lock:
                    if next(left, None) is None:
                        return
                begun = time.perf_counter()
                try:
                    client.send(body)
                except (urllib3.exceptions.HTTPError, Refused) as error:
                    failed.append(str(error))
                else:
                    seconds.append(time.perf_counter() - begun)

    threads = [threading.Thread(target=work) for _ in range(clients)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if not seconds:
        raise UserError(f"{url} answered no request", why=failed[0] if failed else "nothing was sent")
    return Load(clients, seconds, len(failed), time.perf_counter() - begun)
