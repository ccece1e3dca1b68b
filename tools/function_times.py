"""Times a call of every function in `serverless/` on a picture of 1280 x 720, for the tables in their READMEs.

    python -m tools.function_times                     # all, some minutes on idle cores; prints a Markdown table
    python -m tools.function_times yolo sam2-tracker   # only these

Networks that need weights have random ones of full size, see `tools.random_weights`. A call is what a worker does for
one request, from the text of its body to the text of the answer, in one process: the picture's decoding counts, HTTP
does not. Each function runs in a process of its own. Wall clock means something only where nothing else runs; processor
time is that of all threads.
"""

import argparse
import base64
import io
import itertools
import json
import multiprocessing
import os
import resource
import runpy
import sys
import time
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from statistics import median
from typing import Any

import attrs
import nuclio_sdk
import PIL.Image
import PIL.ImageChops

from aa_runtime import FunctionSource, Options, create_handler
from cvat_nuclio.errors import UserError
from tools import random_weights
from tools.demo.media import PHOTOS, packaged
from tools.machine import machine

FOLDER = random_weights.ROOT / "build" / "function-times"
PACKAGES = ("torch", "torchvision", "transformers", "onnxruntime", "openvino")
SIZE = (1280, 720)
#: How many a detector finds.
OBJECTS = 10
#: The cup of the photograph, as the demo without weights has it, in SIZE.
BOX = [[149.0, 18.0], [1045.0, 706.0]]
CLICK = [[619.0, 288.0]]

Body = dict[str, Any]


@attrs.frozen
class Pace:
    """A call is repeated for so many seconds of processor time, but no less and no more often; `warm`: before that once
    that does not count."""

    seconds: float = 15
    least: int = 3
    most: int = 20
    warm: bool = True


PACE = Pace()


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
    source: FunctionSource, pace: Pace = PACE, wanted: Container[str] | None = None, **more: Any
) -> list[Timed]:
    """The kinds of call that are wanted, or all, of one function, in this process.

    `more` goes into a detector's bodies. Raises UserError.
    """
    kind, call = caller(source)
    return [
        _timed(name, bodies, call, pace)
        for name, bodies in calls(kind, call, **more)
        if wanted is None or name in wanted
    ]


def caller(source: FunctionSource) -> tuple[str, Callable[[Body], Any]]:
    """The function's kind, and what calls it, as a worker does; that raises UserError."""
    handler = create_handler(source, Options(), nuclio_sdk.Logger(level=40))

    def call(body: Body) -> Any:
        event = nuclio_sdk.Event(body=json.dumps(body).encode(), content_type="application/json")
        response = handler.handle(None, event)
        if response.status_code != 200:
            raise UserError(f"{source.module} answered {response.status_code}", why=str(response.body))
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
        new = ({"image": image, **click} for image in itertools.chain([first], shown))
        yield "a picture and its first click", new
        # One that the function has seen.
        call({"image": first, **click})
        spots = map(float, range(500, 900))
        yield "a further click", ({"image": first, **click, "pos_points": [[x, 300.0], *CLICK]} for x in spots)
    elif kind == "tracker":
        shape = {"type": "rectangle", "points": [value for corner in BOX for value in corner]}
        yield "a first frame, one object", ({"image": image, "shapes": [shape], "states": []} for image in shown)
        states = call({"image": first, "shapes": [shape], "states": []})["states"]
        yield "a further frame, one object", ({"image": image, "shapes": [None], "states": states} for image in shown)
    else:
        boxes = [_box(index) for index in range(8)]
        both = {"image0": first, "boxes0": boxes, "boxes1": boxes}
        yield "two frames of eight boxes", ({**both, "image1": image} for image in shown)


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


def in_processes(work: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
    """What `work` makes of each item in a process of its own, one after the other, or in words what went wrong."""
    os.environ |= {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), max_tasks_per_child=1) as pool:
        for item in items:
            yield pool.submit(_outcome, work, item).result()


def _outcome(work: Callable[[Any], Any], item: Any) -> Any:
    try:
        return work(item)
    except Exception as error:  # not every one can be handed to another process
        return f"{type(error).__name__}: {error}"


def lay(bundle: str) -> None:
    """Full weights for one function; the memory that this takes is none of the function's."""
    list(random_weights.lay(FOLDER, [bundle], random_weights.full()))


def of_bundle(bundle: str, pace: Pace = PACE) -> list[Timed]:
    """The times of one function, with the parameters that its bundle gives it."""
    os.environ |= random_weights.environment(FOLDER)
    handler = runpy.run_path(str(FOLDER / "serverless" / bundle / "nuclio" / "model_handler.py"))
    source: FunctionSource = handler["SOURCE"]
    few = {"box_detections_per_img": OBJECTS} if "box_score_thresh" in source.parameters else {}
    return measure(attrs.evolve(source, parameters={**source.parameters, **few}), pace)


def table(rows: Iterable[tuple[str, Sequence[Timed]]]) -> str:
    """The Markdown table, a line for each kind of call."""
    lines = ["| function | a call | wall clock | processor time | memory |", "|---|---|---|---|---|"]
    for name, timed in rows:
        for one in timed:
            figures = f"{figure(one.wall)} | {figure(one.processor)} | {one.memory:.0f} MiB"
            lines.append(f"| {name} | {one.call} | {figures} |")
    return "\n".join(lines)


def figure(seconds: float) -> str:
    """Two digits."""
    return f"{seconds:.2g} s" if seconds >= 1 else f"{float(f'{1000 * seconds:.2g}'):g} ms"


def main() -> int:
    known = {bundle.rpartition("/")[2]: bundle for bundle in random_weights.bundles()}
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(known))
    names = parser.parse_args().names or list(known)
    if unknown := set(names) - set(known):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(known)}")
    head, rows = machine(PACKAGES), dict[str, list[Timed]]()
    for name in names:
        failed, timed = (next(in_processes(work, [known[name]])) for work in (lay, of_bundle))
        if failed or isinstance(timed, str):
            print(f"{name} was not measured: {failed or timed}", file=sys.stderr)
        else:
            rows[name] = timed
    print(f"{head}\n\n{table(rows.items())}")
    return int(len(rows) < len(names))


if __name__ == "__main__":
    sys.exit(main())
