"""P4: the states of 100 tracked objects, out and back, against jsonpickle."""

import json
from collections.abc import Iterator
from pathlib import Path

import attrs
import numpy as np

from .row import Result, Samples, interleave, ms

COUNT = 100


@attrs.define
class State:
    """What a template tracker keeps of an object."""

    feature: np.ndarray
    template: np.ndarray
    scale: float
    frame: int


def states() -> list[State]:
    """A 256-float feature and a 64 x 64 grey template each."""
    generator = np.random.default_rng(2)
    made = []
    for frame in range(COUNT):
        coarse = generator.integers(0, 256, (8, 8)).repeat(8, 0).repeat(8, 1)
        template = np.clip(coarse + generator.integers(-4, 5, (64, 64)), 0, 255).astype(np.uint8)
        made.append(State(generator.normal(size=256).astype(np.float32), template, 1.25, frame))
    return made


def run(folder: Path) -> Iterator[Result]:
    """Both sides encode to the JSON that travels, and decode it again."""
    import jsonpickle
    import jsonpickle.ext.numpy

    from aa_runtime.state import StateCodec

    jsonpickle.ext.numpy.register_handlers()
    sample = states()
    codec = StateCodec.for_classes([State])

    def ours() -> str:
        text = json.dumps([codec.encode(state) for state in sample])
        for token in json.loads(text):
            codec.decode(token)
        return text

    def theirs() -> str:
        text = json.dumps([jsonpickle.encode(state) for state in sample])
        for token in json.loads(text):
            jsonpickle.decode(token)  # noqa: S301  the other side of the comparison
        return text

    a, b = interleave(ours, theirs, rounds=10, warm_up=1)
    ours_, theirs_ = Samples("token", ms(a)), Samples("jsonpickle", ms(b))
    ratio, size = ours_.median / theirs_.median, len(ours()) / len(theirs())
    yield Result(
        row="P4",
        work=f"states of {COUNT} objects, out and back; {len(ours()) / 1e6:.2f} MB, {size:.2f} × the other's bytes",
        ours=ours_,
        theirs=theirs_,
        unit="ms",
        target="≤ 10 % of the time, ≤ 50 % of the bytes",
        met=ratio <= 0.10 and size <= 0.50,
        ratio=ratio,
    )
