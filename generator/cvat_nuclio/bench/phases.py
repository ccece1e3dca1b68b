"""Where a request's time goes inside the worker. Run by path under the bundle's interpreter:

`python phases.py FOLDER MODULE:HANDLER BODY_FILE COUNT` prints one JSON object: for each phase the median milliseconds
of `COUNT` requests handled in this process. Needs nuclio-sdk and the bundle's own requirements, nothing of this tool.
"""

import functools
import importlib
import json
import logging
import os
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Module and function of the runtime → phase. `function` is what the author wrote; the rest goes under `check`, or
# under `handler` for a bundle that has no such runtime.
_TIMED = {
    ("images", "image_bytes"): "base64",
    ("images", "open_image"): "decode image",
    ("detector", "items_json"): "encode",
    ("interactor", "shapes_answer"): "encode",
    ("interactor", "mask_answer"): "encode",
}
_METHODS = ("detect", "preprocess_image", "init_tracking_state", "track", "embed")
_ORDER = ("parse JSON", "base64", "decode image", "function", "check", "encode", "handler")


class Stopwatch:
    """Sums the time spent in each phase of one request."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = defaultdict(float)

    def timed(self, phase: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """`function`, with its time added to `phase`."""

        @functools.wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            begun = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                self.spent[phase] += time.perf_counter() - begun

        return run


def patch_runtime(watch: Stopwatch) -> None:
    """Times the runtime's phases, wherever its loaded modules refer to them."""
    modules = [module for name, module in sys.modules.items() if name.partition(".")[0] == "aa_runtime"]
    for (owner, name), phase in _TIMED.items():
        original = getattr(sys.modules.get(f"aa_runtime.{owner}"), name, None)
        timed = watch.timed(phase, original) if original else None
        for module in modules:
            if timed and getattr(module, name, None) is original:
                setattr(module, name, timed)


def patch_function(watch: Stopwatch) -> None:
    """Times the author's methods, on the object that the runtime's loader gives."""
    try:
        runtime: Any = importlib.import_module("aa_runtime.handler")
    except ImportError:  # a bundle written by hand
        return
    load = runtime.load

    def loaded(source: Any) -> Any:
        function = load(source)
        for method in _METHODS:
            if hasattr(function, method):
                time_method(watch, function, method)
        return function

    runtime.load = loaded


def time_method(watch: Stopwatch, function: Any, method: str) -> None:
    """Times one method of a module or an object; of its class where the object takes no attributes."""
    try:
        setattr(function, method, watch.timed("function", getattr(function, method)))
    except AttributeError:
        owner = type(function)
        setattr(owner, method, watch.timed("function", getattr(owner, method)))


def measure(module: str, name: str, body: bytes, count: int) -> dict[str, float]:
    """Median milliseconds of each phase over `count` requests, after one that is not counted."""
    import nuclio_sdk

    watch = Stopwatch()
    patch_function(watch)
    context = nuclio_sdk.Context(nuclio_sdk.Logger(logging.ERROR))
    main = importlib.import_module(module)
    getattr(main, "init_context", lambda _: None)(context)
    patch_runtime(watch)

    def answer(parsed: Any) -> str:
        response = getattr(main, name)(context, nuclio_sdk.Event(body=parsed, content_type="application/json"))
        if response.status_code != 200:
            raise SystemExit(f"the function answered {response.status_code}: {response.body[:300]}")
        return str(response.body)

    body = following(body, answer(json.loads(body)))
    samples: dict[str, list[float]] = defaultdict(list)
    for _ in range(count):
        for phase, seconds in one_request(watch, body, answer).items():
            samples[phase].append(seconds * 1000)
    return {phase: statistics.median(samples[phase]) for phase in _ORDER if phase in samples}


def one_request(watch: Stopwatch, body: bytes, answer: Callable[[Any], str]) -> dict[str, float]:
    """Seconds of each phase of one request."""
    watch.spent.clear()
    begun = time.perf_counter()
    parsed = json.loads(body)
    watch.spent["parse JSON"] = time.perf_counter() - begun
    answer(parsed)
    rest = "check" if "function" in watch.spent else "handler"
    watch.spent[rest] = time.perf_counter() - begun - sum(watch.spent.values())
    return dict(watch.spent)


def following(body: bytes, answer: str | bytes) -> bytes:
    """The request after `body`: a tracker goes on from the states of its answer, all others are asked the same."""
    parsed = json.loads(body)
    if "states" not in parsed:
        return body
    states = json.loads(answer)["states"]
    return json.dumps({**parsed, "shapes": [None] * len(states), "states": states}).encode()


def main(folder: str, handler: str, body_file: str, count: str) -> None:
    """Prints the result; whatever the function prints goes elsewhere."""
    out = os.dup(1)
    os.dup2(2, 1)
    # As Nuclio starts a worker: the bundle first, and this file's folder not at all.
    sys.path[:] = [folder, *(path for path in sys.path if path != str(Path(__file__).parent))]
    module, _, name = handler.rpartition(":")
    result = measure(module, name, Path(body_file).read_bytes(), int(count))
    with os.fdopen(out, "w") as stdout:
        json.dump(result, stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
