"""Where a request's time goes inside the worker. Run by path under the bundle's interpreter:

`python phases.py BUNDLE_FOLDER BODY_FILE COUNT` prints one JSON object: for each phase the median milliseconds of
`COUNT` requests handled in this process. Needs nuclio-sdk and the bundle's own requirements, nothing of this tool.
"""

import functools
import json
import logging
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Function of the runtime → phase. `function` is what the author wrote; the rest of a request is `check and encode`.
_TIMED = {"images.image_bytes": "base64", "images.open_image": "decode image"}
_METHODS = ("detect", "preprocess_image", "init_tracking_state", "track", "embed")


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
    """Times the runtime's phases, wherever its modules refer to them."""
    import aa_runtime
    import aa_runtime.images
    import aa_runtime.request

    modules = [module for name, module in sys.modules.items() if name.split(".")[0] == aa_runtime.__name__]
    for path, phase in _TIMED.items():
        name = path.rpartition(".")[2]
        original = getattr(aa_runtime.images, name)
        timed = watch.timed(phase, original)
        for module in modules:
            if getattr(module, name, None) is original:
                setattr(module, name, timed)


def patch_function(watch: Stopwatch) -> None:
    """Times the author's methods, on the object that the runtime's loader gives."""
    import aa_runtime.handler

    load = vars(aa_runtime.handler)["load"]

    def loaded(source: Any) -> Any:
        function = load(source)
        for method in _METHODS:
            if hasattr(function, method):
                setattr(function, method, watch.timed("function", getattr(function, method)))
        return function

    vars(aa_runtime.handler)["load"] = loaded


def measure(folder: Path, body: bytes, count: int) -> dict[str, float]:
    """Median milliseconds of each phase over `count` requests, after one that is not counted."""
    import nuclio_sdk

    watch = Stopwatch()
    patch_runtime(watch)
    patch_function(watch)
    sys.path.insert(0, str(folder))
    import main  # type: ignore[import-not-found]  # the bundle's

    context = nuclio_sdk.Context(nuclio_sdk.Logger(logging.ERROR))
    main.init_context(context)
    samples: dict[str, list[float]] = defaultdict(list)
    for number in range(count + 1):
        watch.spent.clear()
        begun = time.perf_counter()
        parsed = json.loads(body)
        watch.spent["parse JSON"] = time.perf_counter() - begun
        response = main.handler(context, nuclio_sdk.Event(body=parsed, content_type="application/json"))
        total = time.perf_counter() - begun
        if response.status_code != 200:
            raise SystemExit(f"the function answered {response.status_code}: {response.body[:300]}")
        if number:
            watch.spent["check and encode"] = total - sum(watch.spent.values())
            for phase, seconds in watch.spent.items():
                samples[phase].append(seconds * 1000)
    return {phase: statistics.median(values) for phase, values in samples.items()}


if __name__ == "__main__":
    import os

    # Whatever the function prints must not stand between the caller and the result.
    out = os.dup(1)
    os.dup2(2, 1)
    result = measure(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).read_bytes(), int(sys.argv[3]))
    with os.fdopen(out, "w") as stdout:
        json.dump(result, stdout)
