"""Times a call of every function in `serverless/` on a picture of 1280 x 720, for the tables in their READMEs.

    python -m tools.function_times                     # all, some minutes on idle cores; prints a Markdown table
    python -m tools.function_times yolo sam2-tracker   # only these

Networks that need weights have random ones of full size, see `tools.full_size`. A call is what a worker does for one
request, from the text of its body to the text of the answer, in one process: the picture's decoding counts, HTTP does
not. Each function runs in a process of its own. Wall clock means something only where nothing else runs; processor time
is that of all threads.
"""

import argparse
import base64
import importlib.metadata
import io
import itertools
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Container, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any, Protocol

import attrs
import nuclio_sdk
import PIL.Image
import PIL.ImageChops

from aa_runtime import FunctionSource, Options, create_handler
from cvat_nuclio.errors import UserError
from tools.demo.media import PHOTOS, packaged
from tools.full_size import CASES, ROOT, SIZE, Case

#: The cup of the photograph, as the demo without weights has it, in SIZE.
BOX = [[149.0, 18.0], [1045.0, 706.0]]
CLICK = [[619.0, 288.0]]

Body = dict[str, Any]


class Function(Protocol):
    """What is measured."""

    @property
    def name(self) -> str: ...

    def source(self) -> FunctionSource: ...


@attrs.frozen
class Pace:
    """A call is repeated for so many seconds of processor time, but no less and no more often; `warm`: before that once
    that does not count."""

    seconds: float = 15
    least: int = 3
    most: int = 20
    warm: bool = True


@attrs.frozen
class Timed:
    """One kind of call: medians in seconds, the least processor time, the calls, and the most memory so far in MiB."""

    call: str
    wall: float
    processor: float
    least: float
    calls: int
    memory: float


def pictures() -> Iterator[str]:
    """The demo's photograph as CVAT sends it, each time two pixels further to the right."""
    package, path, _ = PHOTOS["coffee.png"]
    with PIL.Image.open(packaged(package, path)) as image:
        photograph = image.convert("RGB").resize(SIZE)
    while True:
        file = io.BytesIO()
        photograph.save(file, "JPEG", quality=90)
        yield base64.b64encode(file.getvalue()).decode()
        photograph = PIL.ImageChops.offset(photograph, 2, 0)


def measure(
    function: Function, pace: Pace | None = None, wanted: Container[str] | None = None, **more: Any
) -> list[Timed]:
    """The kinds of call that are wanted, or all, of one function, in this process.

    `more` goes into a detector's bodies. Raises UserError.
    """
    kind, call = caller(function)
    return [
        _timed(name, bodies, call, pace or Pace())
        for name, bodies in calls(kind, call, **more)
        if wanted is None or name in wanted
    ]


def caller(function: Function) -> tuple[str, Callable[[Body], Any]]:
    """The function's kind, and what calls it, as a worker does; that raises UserError."""
    handler = create_handler(function.source(), Options(), nuclio_sdk.Logger(level=40))

    def call(body: Body) -> Any:
        response = handler.handle(
            None, nuclio_sdk.Event(body=json.dumps(body).encode(), content_type="application/json")
        )
        if response.status_code != 200:
            raise UserError(f"{function.name} answered {response.status_code}", why=str(response.body))
        return json.loads(response.body)

    return str(handler.kind), call


def calls(kind: str, call: Callable[[Body], Any], **more: Any) -> Iterator[tuple[str, Iterator[Body]]]:
    """The kinds of call that a function of this kind gets, each with the bodies to send."""
    shown = pictures()
    first = next(shown)
    if kind == "detector":
        yield "a picture", itertools.repeat({"image": first, **more})
    elif kind == "interactor":
        click = {"pos_points": CLICK, "neg_points": [], "obj_bbox": BOX}
        yield (
            "a picture and its first click",
            ({"image": image, **click} for image in itertools.chain([first], shown)),
        )
        # One that the function has seen.
        call({"image": first, **click})
        yield (
            "a further click",
            ({"image": first, **click, "pos_points": [[x, 300.0], *CLICK]} for x in map(float, range(500, 900))),
        )
    elif kind == "tracker":
        shape = {"type": "rectangle", "points": [value for corner in BOX for value in corner]}
        yield "a first frame, one object", ({"image": image, "shapes": [shape], "states": []} for image in shown)
        states = call({"image": first, "shapes": [shape], "states": []})["states"]
        yield "a further frame, one object", ({"image": image, "shapes": [None], "states": states} for image in shown)
    else:
        boxes = [_box(index) for index in range(8)]
        yield (
            "two frames of eight boxes",
            ({"image0": first, "image1": image, "boxes0": boxes, "boxes1": boxes} for image in shown),
        )


def _box(index: int) -> Body:
    left, top = 100.0 + 140 * index, 80.0 + 30 * index
    points = [left, top, left + 120, top + 300]
    return {"id": index, "label_id": 1, "type": "rectangle", "points": points, "attributes": [], "group": 0}


def _timed(name: str, bodies: Iterator[Body], call: Callable[[Body], Any], pace: Pace) -> Timed:
    if pace.warm:
        call(next(bodies))
    walls, processors = list[float](), list[float]()
    while len(walls) < pace.least or (sum(processors) < pace.seconds and len(walls) < pace.most):
        body = next(bodies)
        wall, processor = time.perf_counter(), time.process_time()
        call(body)
        walls.append(time.perf_counter() - wall)
        processors.append(time.process_time() - processor)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Timed(name, median(walls), median(processors), min(processors), len(walls), memory)


def table(rows: Sequence[tuple[Case, Sequence[Timed]]]) -> str:
    """The Markdown table, a line for each kind of call."""
    lines = ["| function | network | a call | wall clock | processor time | memory |", "|---|---|---|---|---|---|"]
    for case, timed in rows:
        for one in timed:
            figures = f"{figure(one.wall)} | {figure(one.processor)} | {one.memory:.0f} MiB"
            lines.append(f"| {case.name} | {case.network} | {one.call} | {figures} |")
    return "\n".join(lines)


def figure(seconds: float) -> str:
    """Two digits."""
    return f"{seconds:.2g} s" if seconds >= 1 else f"{float(f'{1000 * seconds:.2g}'):g} ms"


def machine() -> str:
    """What the table was measured on, and how idle it was."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text("utf-8").splitlines() if info.exists() else []
    model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")
    packages = ("torch", "torchvision", "transformers", "onnxruntime", "openvino")
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages if find_spec(name))
    load = os.getloadavg()[0]
    idle = "" if load < 0.5 else "; NOT IDLE, so read the processor time alone"
    cores = f"{len(os.sched_getaffinity(0))} cores of {model}, load {load:.1f}{idle}"
    return f"{cores}. Python {platform.python_version()}, {versions}."


def in_a_process(case: Case) -> list[Timed]:
    """Measures one function in a process of its own. Raises UserError."""
    for step in ("--lay", "--one"):  # the memory that it takes to make weights is none of the function's
        words = [sys.executable, "-m", "tools.function_times", step, case.name]
        environment = os.environ | {"HF_HUB_OFFLINE": "1"}
        done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True)
        if done.returncode:
            raise UserError(f"{case.name} was not measured", why=done.stderr.strip()[-1000:])
    return [Timed(**one) for one in json.loads(done.stdout.splitlines()[-1])]


def one_step(case: Case, is_laying: bool) -> int:
    """What such a process does: lays the weights, or prints the times as JSON."""
    try:
        print(json.dumps([attrs.asdict(one) for one in measure(case)] if not is_laying else str(case.lay())))
    except UserError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    return 0


def main() -> int:
    known = {case.name: case for case in CASES}
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(known))
    parser.add_argument("--lay", choices=known, help=argparse.SUPPRESS)
    parser.add_argument("--one", choices=known, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if unknown := set(args.names) - set(known):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(known)}")
    if args.lay or args.one:
        return one_step(known[args.lay or args.one], bool(args.lay))
    head, rows, failed = machine(), list[tuple[Case, Sequence[Timed]]](), False
    for case in CASES:
        if args.names and case.name not in args.names:
            continue
        try:
            rows.append((case, in_a_process(case)))
            print(f"{case.name}: done", file=sys.stderr)
        except UserError as error:
            print(error, file=sys.stderr)
            failed = True
    print(f"{head}\n\n{table(rows)}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
