"""The workers of a function that are free, and the requests that wait for one: first come, first served."""

import asyncio
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class NoWorker(Exception):
    """None was free within the time, or the pool has been closed: 503 without a body."""


class Pool(Generic[T]):
    """Workers in turn; a freed one goes to the request that waits longest."""

    def __init__(self, workers: list[T]) -> None:
        self._free = deque(workers)
        self._waiting: deque[asyncio.Future[T]] = deque()
        self.closed = False

    async def allocate(self, timeout: float) -> T:
        """A worker within `timeout` seconds; 0 does not wait. Raises NoWorker."""
        if self.closed:
            raise NoWorker
        if self._free:
            return self._free.popleft()
        if timeout == 0:
            raise NoWorker
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        await asyncio.wait([future], timeout=timeout)
        if future.done():
            return future.result()
        self._waiting.remove(future)
        raise NoWorker

    def release(self, worker: T) -> None:
        """Gives a worker back."""
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_result(worker)
                return
        self._free.append(worker)

    def end(self) -> None:
        """Lets nobody wait any longer."""
        self.closed = True
        for future in self._waiting:
            if not future.done():
                future.set_exception(NoWorker())
