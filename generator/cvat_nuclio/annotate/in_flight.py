"""Several calls at a time: as many as the function has workers for, tried again where they fail."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from urllib.parse import urlsplit

import attrs

from ..cvat import CvatError
from ..cvat_server import Frame
from ..errors import UserError
from .frame_call import Found, finds_no_worker, finds_nobody, told

GONE_AFTER = 60.0
"""Seconds for which a function may be away: Docker and Kubernetes start one again within them."""
NO_WORKER_FOR = 600.0
"""Seconds for which all workers may be busy with others' requests."""
FAILED_AT_FIRST = 10
"""Frames that failed before any succeeded: then it is not the frames."""


@attrs.define
class InFlight:
    """Calls of one function for many frames.

    `done` and `failed` are called for each frame, from one thread at a time. `url`: where the function listens; None
    where that does not tell whether it is alive (a dashboard in between).
    """

    call: Callable[[Frame], Found]
    done: Callable[[int, Found], None]
    failed: Callable[[int, str], None]
    most: int
    retries: int = 2
    stop_on_error: bool = False
    url: str | None = None
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False)
    _over: threading.Event = attrs.field(factory=threading.Event, init=False)
    _error: BaseException | None = attrs.field(default=None, init=False)
    _good: int = attrs.field(default=0, init=False)
    _bad: int = attrs.field(default=0, init=False)

    def run(self, frames: Iterator[Frame]) -> None:
        """Returns when every frame is done or failed. Raises UserError where it makes no sense to go on."""
        room = threading.Semaphore(2 * self.most)
        with closing(frames), ThreadPoolExecutor(self.most, thread_name_prefix="calls") as pool:  # type: ignore[type-var]
            try:
                for frame in frames:
                    room.acquire()
                    if self._over.is_set():
                        break
                    pool.submit(self._one, frame).add_done_callback(lambda _: room.release())
            except BaseException:
                self._over.set()
                raise
        if self._error:
            raise self._error

    def _one(self, frame: Frame) -> None:
        """Never raises: what ends the run is kept for the main thread."""
        try:
            found = self._tried(frame)
            with self._lock:
                self._good += 1
                self.done(frame.number, found)
        except CvatError as error:
            self._leave_out(frame.number, told(error))
        except BaseException as error:
            self._end(error)

    def _leave_out(self, number: int, cause: str) -> None:
        try:
            with self._lock:
                self._bad += 1
                self.failed(number, cause)
                if self.stop_on_error:
                    raise UserError(f"frame {number} failed", why=cause, remedy="mend the function, or --on-error skip")
                if not self._good and self._bad >= FAILED_AT_FIRST:
                    raise UserError(
                        f"the first {self._bad} frames all failed",
                        why=cause,
                        remedy="see `cvat-nuclio invoke`, and mend it",
                    )
        except BaseException as error:
            self._end(error)

    def _end(self, error: BaseException) -> None:
        self._error = self._error or error
        self._over.set()

    def _tried(self, frame: Frame) -> Found:
        """Raises CvatError after the last try, UserError where the function is gone."""
        tries, since = 0, time.monotonic()
        while True:
            try:
                if self._over.is_set():
                    raise _Stopped
                return self.call(frame)
            except CvatError as error:
                if finds_no_worker(error) and time.monotonic() - since < NO_WORKER_FOR:
                    self._over.wait(0.5)
                    continue
                if finds_nobody(error) and self.url:
                    self._wait_for_it(self.url, error)
                tries += 1
                if tries > self.retries:
                    raise
                self._over.wait(0.2 * 2**tries)

    def _wait_for_it(self, url: str, error: CvatError) -> None:
        """Returns when something listens there again."""
        until = time.monotonic() + GONE_AFTER
        while not _listens(url):
            if time.monotonic() > until or self._over.wait(1.0):
                raise UserError(
                    f"the function at {url} does not answer any more",
                    why=told(error),
                    remedy="see its log, start it again, then give the same command: it goes on from here",
                ) from error


class _Stopped(Exception):
    """Another frame has ended the run."""


def _listens(url: str) -> bool:
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname or "", parts.port or 80), 2.0).close()
    except OSError:
        return False
    return True
