"""P5: how long the commands take to do little.

Processor time of the command and of the processes that it starts: other work on the machine does not lengthen it, and
on an idle machine the clock shows the same or less.
"""

import json
import math
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from .row import Result, Samples, at_most, interleave, ms
from .scenes import FUNCTIONS, generated_bundle

BUNDLES = 300


def run(folder: Path) -> Iterator[Result]:
    """Whole processes; the other side of the first is the interpreter that starts and ends."""
    yield _row("`--help`; against a Python that does nothing", ["--help"], [sys.executable, "-c", ""], 0.150)
    yield _check(folder)
    yield _generate(folder)


def _tool(*words: str) -> list[str]:
    return [sys.executable, "-m", "cvat_nuclio", *words]


def _runner(words: Sequence[str]) -> Callable[[], float]:
    def run() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    return run


def _row(work: str, words: Sequence[str], other: Sequence[str], limit: float) -> Result:
    a, b = interleave(_runner(_tool(*words)), _runner(other), rounds=15)
    return _result(work, ms(a), ms(b), limit)


def _result(work: str, ours: list[float], theirs: list[float], limit: float) -> Result:
    a, b = Samples("cvat-nuclio", ours), Samples("Python alone", theirs)
    target = f"≤ {limit * 1000:.0f} ms of processor time"
    return at_most(math.inf, "P5", work, a, b, "ms", target, also=a.median <= limit * 1000)


def _check(folder: Path) -> Result:
    one = generated_bundle(folder, "null")
    for number in range(BUNDLES):
        copy = folder / "many" / f"f{number}" / "nuclio"
        shutil.copytree(one, copy, ignore=shutil.ignore_patterns("aa_runtime"))  # as committed
        file = copy / "function.yaml"
        text = file.read_text("utf-8").replace('name: "null"', f'name: "null-{number}"')
        file.write_text(text.replace('cvat-nuclio/null"', f'cvat-nuclio/null-{number}"'), "utf-8")
    return _row(f"`check` of {BUNDLES} bundles", ["check", str(folder / "many")], [sys.executable, "-c", ""], 2.0)


def _generate(folder: Path) -> Result:
    """What `generate` adds to the function's own import, which the other side measures."""
    source = str(FUNCTIONS / "one_box.py")
    number = iter(range(10**6))

    def ours() -> float:
        output = str(folder / "generated" / str(next(number)))
        return _runner(_tool("generate", "--function-file", source, "--output", output))()

    alone = [sys.executable, "-c", f"import json, runpy; runpy.run_path({json.dumps(source)})"]
    a, b = interleave(ours, _runner(alone), rounds=7, warm_up=1)
    beyond = [one - other for one, other in zip(a, b, strict=True)]
    return _result("`generate`, less the function's own import", ms(beyond), ms(b), 1.0)
