"""The tables below the rows: the split of a request, of a frame in `annotate`, and what each dependency weighs."""

import importlib.metadata
import statistics
import subprocess
import sys
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
from cvat_nuclio.bench.one_run import BenchOptions, bench_folder
from cvat_nuclio.bench.results import AROUND, Report
from cvat_nuclio.cvat import NEWEST, Server, Task
from cvat_nuclio.cvat.payload import Call
from cvat_nuclio.cvat_server import frames_ahead

from .p9_annotate import Scene, scene
from .scenes import generated_bundle, jpeg

IMAGES = {"1080p": (1920, 1080), "12 MP": (4000, 3000)}
CLIENTS = 4
FRAMES = 60
PHASES = ("parse JSON", "base64", "decode image", "function", "check", "encode")
#: Distribution → what is imported of it, and why it is in the image.
DEPENDENCIES = {
    "pillow": ("PIL.Image, PIL.JpegImagePlugin", "decodes images, as cvat-sdk's interface asks"),
    "numpy": ("numpy", "masks, arrays in tracking states; loaded where they occur"),
    "opencv-python-headless": ("cv2", "the polygon around a mask; loaded for functions with masks"),
    "cvat-sdk": ("aa_runtime, cvat_sdk.models as m; m.LabeledShapeRequest", "what AA functions are written to"),
    "attrs": ("attrs", "cvat-sdk's own; the runtime's classes"),
    "msgpack": ("msgpack", "Nuclio's wrapper needs it; tracking states"),
    "nuclio-sdk": ("nuclio_sdk", "Nuclio's wrapper needs it"),
    "scipy": ("scipy.optimize", "the assignment of ReID; in no other bundle"),
}  # fmt: skip


def lines() -> Iterator[str]:
    yield from _split()
    yield ""
    yield from _frame_split()
    yield ""
    yield from _dependencies()


def _split() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        bundle = generated_bundle(Path(folder), "one_box")
        reports = [_report(bundle, size) for size in IMAGES.values()]
    yield f"| ms of a request to a detector of one box | {' | '.join(IMAGES)} |"
    yield f"|---|{'---|' * len(IMAGES)}"
    waits = " | ".join(f"{report.waiting:.2f}" for report in reports)
    yield f"| wait for the one worker, {CLIENTS} clients | {waits} |"
    for phase in PHASES:
        yield f"| {phase} | {' | '.join(f'{report.phases[phase]:.2f}' for report in reports)} |"
    yield f"| write: {AROUND} | {' | '.join(f'{report.around:.2f}' for report in reports)} |"


def _report(bundle: Path, size: tuple[int, int]) -> Report:
    return bench_folder(bundle, BenchOptions(requests=60, clients=CLIENTS, workers=1, image=jpeg(*size)))


def _frame_split() -> Iterator[str]:
    """Where a frame's time goes, from CVAT's disk to the stored shape. Each step by itself: in a run they overlap."""
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
    return server.exchange(Call(found.function, task, {"frame": 0}))


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    begun = time.perf_counter()
    done = work()
    return done, time.perf_counter() - begun


def _dependencies() -> Iterator[str]:
    yield "| in the image | installed | import: processor time | memory | for |"
    yield "|---|---|---|---|---|"
    base = _import("sys")
    for name, (modules, reason) in DEPENDENCIES.items():
        seconds, mib = (one - other for one, other in zip(_import(modules), base, strict=True))
        yield f"| {name} | {_installed(name):.1f} MB | {max(seconds, 0) * 1000:.0f} ms | {mib:.0f} MiB | {reason} |"


def _import(modules: str) -> tuple[float, float]:
    """Median seconds of processor time, and MiB, of a Python that imports these."""
    code = (
        f"import {modules}\nimport resource\n"
        "used = resource.getrusage(resource.RUSAGE_SELF)\n"
        "resident = next(line for line in open('/proc/self/status') if line.startswith('VmRSS')).split()[1]\n"
        "print(used.ru_utime + used.ru_stime, int(resident) / 1024)"
    )
    runs = [subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True) for _ in range(7)]
    pairs = [[float(word) for word in run.stdout.split()] for run in runs]
    return statistics.median(pair[0] for pair in pairs), statistics.median(pair[1] for pair in pairs)


def _installed(name: str) -> float:
    """Megabytes on disk, dependencies not counted."""
    files = importlib.metadata.files(name) or []
    paths = [Path(str(file.locate())) for file in files]
    return sum(path.stat().st_size for path in paths if path.is_file()) / 1e6
