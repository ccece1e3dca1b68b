"""Where a frame's time goes in `annotate`, from CVAT's disk to the stored shape: the table below the rows."""

import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from itertools import starmap
from pathlib import Path
from typing import Any

from cvat_nuclio.annotate.frame_call import FrameCall
from cvat_nuclio.annotate.frame_journal import open_journal
from cvat_nuclio.annotate.job_parts import Storing
from cvat_nuclio.cvat import NEWEST, Server, Task
from cvat_nuclio.cvat.payload import Call
from cvat_nuclio.cvat_server import frames_ahead

from .p9_annotate import Scene, scene

FRAMES = 60


def lines() -> Iterator[str]:
    """Markdown. Each step by itself, one after another: in a run they overlap."""
    yield "| ms of a frame of 320 x 240 in `annotate`, a function of 100 ms | |"
    yield "|---|---|"
    with tempfile.TemporaryDirectory() as folder, scene(Path(folder), FRAMES) as found:
        for step, seconds in _steps(found):
            yield f"| {step} | {1000 * seconds / FRAMES:.2f} |"


def _steps(found: Scene) -> Iterator[tuple[str, float]]:
    scope, connection = found.scope, found.place.connection
    frames, seconds = _timed(lambda: list(frames_ahead(connection, scope, scope.frames)))
    yield "CVAT's chunk: from its disk, over HTTP, unpacked", seconds
    call = FrameCall(found.function, found.target.gateway(NEWEST), scope.labels, {})
    results, whole = _timed(lambda: [call(frame) for frame in frames])
    answers, inner = _timed(lambda: [_bare(found, frame.content) for frame in frames])
    yield "the function", 0.1 * FRAMES
    yield "the request beside it: base64, JSON, HTTP, the runtime in the worker", inner - 0.1 * FRAMES
    yield "the answer: labels, checks, conversion as in CVAT", max(whole - inner, 0.0)
    with open_journal({"benchmark": time.time()}) as journal:
        pairs = zip(scope.frames, (each.data for each in results), strict=True)
        _, kept = _timed(lambda: deque(starmap(journal.keep, pairs), maxlen=0))
        yield "kept on disk", kept
        _, stored = _timed(lambda: Storing(connection, scope, journal).run(lambda _: None))
        yield "stored in CVAT", stored
        journal.forget()
    assert len(answers) == FRAMES  # noqa: S101


def _bare(found: Scene, content: bytes) -> Any:
    """The call without what is made of its answer."""
    server = Server(NEWEST, found.target.gateway(NEWEST))
    task = Task(found.scope.labels, 1, lambda _: content)
    return server.exchange(Call(found.function, task, {"frame": 0}, server.signer(found.function.id)))


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    begun = time.perf_counter()
    done = work()
    return done, time.perf_counter() - begun


if __name__ == "__main__":
    print("\n".join(lines()))
