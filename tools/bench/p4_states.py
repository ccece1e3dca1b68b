"""P4: the states of 100 tracked objects, out and back, against jsonpickle."""

import json
import secrets
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace

import attrs
import cvat_sdk.auto_annotation as cvataa
import numpy as np

from aa_runtime import Options
from aa_runtime.state import ClassTable, Codec, Sealer, TokenStore, Track
from aa_runtime.state.setup import identity

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
    """A 256-float feature and a 64 x 64 grey template each, cut from the detail of a photograph."""
    generator = np.random.default_rng(2)
    made = []
    for frame in range(COUNT):
        coarse = generator.integers(0, 256, (8, 8)).repeat(8, 0).repeat(8, 1)
        template = np.clip(coarse + generator.integers(-4, 5, (64, 64)), 0, 255).astype(np.uint8)
        made.append(State(generator.normal(size=256).astype(np.float32), template, 1.25, frame))
    return made


def tokens(keys: Sequence[bytes]) -> TokenStore:
    """The store that a tracker of these states has, with these keys."""
    function = SimpleNamespace(spec=cvataa.TrackingFunctionSpec(supported_shape_types=["rectangle"]))
    options = Options(name="bench")
    sealer = Sealer(identity(function, options), keys, options.max_state_bytes, options.max_state_decoded_bytes)
    return TokenStore(Codec(ClassTable([State])), sealer, options.state_max_age)


def run(folder: Path) -> Iterator[Result]:
    """With a key and without, against the same other side."""
    yield _row("a checksum", tokens([]))
    yield _row("a key (HMAC-SHA256)", tokens([secrets.token_bytes(32)]))


def _row(seal: str, store: TokenStore) -> Result:
    """Both sides encode to the JSON that travels, and decode it again; ours is sealed and its shape kept besides."""
    sample = states()
    ours, theirs = _with_tokens(store, sample), _with_jsonpickle(sample)
    a, b = interleave(ours, theirs, rounds=15, warm_up=1)
    ours_, theirs_ = Samples("token", ms(a)), Samples("jsonpickle", ms(b))
    ratio, size = ours_.median / theirs_.median, len(ours()) / len(theirs())
    return Result(
        row="P4",
        work=f"states of {COUNT} objects, out and back, under {seal}; "
        f"{len(ours()) / 1e6:.2f} MB, {size:.2f} × the other's bytes",
        ours=ours_,
        theirs=theirs_,
        unit="ms",
        target="≤ 10 % of the time, ≤ 50 % of the bytes",
        met=ratio <= 0.10 and size <= 0.50,
        ratio=ratio,
    )


def _with_tokens(store: TokenStore, sample: Sequence[State]) -> Callable[[], str]:
    track = Track(shape_type="rectangle", image_size=(1920, 1080), typed=True, points=[10.0, 20.0, 74.0, 84.0])

    def round_trip() -> str:
        text = "[" + ",".join(f'"{store.issue(track, state)}"' for state in sample) + "]"  # as the tracker writes it
        back = [store.open(token).load()[1] for token in json.loads(text)]
        assert back[-1].frame == sample[-1].frame  # noqa: S101
        return text

    return round_trip


def _with_jsonpickle(sample: Sequence[State]) -> Callable[[], str]:
    import jsonpickle
    import jsonpickle.ext.numpy

    jsonpickle.ext.numpy.register_handlers()

    def round_trip() -> str:
        text = json.dumps([jsonpickle.encode(state) for state in sample])
        back = [jsonpickle.decode(token) for token in json.loads(text)]  # noqa: S301 - the other side of the comparison
        assert back[-1].frame == sample[-1].frame  # noqa: S101
        return text

    return round_trip
