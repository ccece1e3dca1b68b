"""P4: the states of 100 tracked objects, out and back, against jsonpickle."""

import importlib.util
import json
import secrets
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import attrs
import cvat_sdk.auto_annotation as cvataa
import numpy as np

from aa_runtime import Options
from aa_runtime.state import ClassTable, Codec, Sealer, TokenStore, Track
from aa_runtime.state.setup import identity

from .row import Result, Samples, at_most, interleave, ms

COUNT = 100
TRACK = Track(shape_type="rectangle", image_size=(1920, 1080), typed=True, points=[10.0, 20.0, 74.0, 84.0])

RoundTrip = Callable[[], str]


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


def dicts() -> list[dict[str, Any]]:
    """The same as dicts such as CVAT's own functions have: a network's feature as a tensor (where torch is
    installed), positions and sizes as arrays."""
    if importlib.util.find_spec("torch"):
        import torch

        features = [torch.from_numpy(one.feature) for one in states()]
    else:
        features = [one.feature for one in states()]
    return [
        {
            "net.zf": feature,
            "template": one.template,
            "target_pos": np.array([42.0, 52.0]),
            "target_sz": np.array([64.0, 64.0]),
            "score": one.scale,
            "frame": one.frame,
        }
        for feature, one in zip(features, states(), strict=True)
    ]


def tokens(keys: Sequence[bytes]) -> TokenStore:
    """The store that a tracker of these states has, with these keys."""
    function = SimpleNamespace(spec=cvataa.TrackingFunctionSpec(supported_shape_types=["rectangle"]))
    options = Options(name="bench")
    sealer = Sealer(identity(function, options), keys, options.max_state_bytes)
    return TokenStore(Codec(ClassTable([State])), sealer, options.state_max_age)


def run(folder: Path) -> Iterator[Result]:
    """With a key and without, against the same other side; then against what CVAT's own functions do."""
    key = [secrets.token_bytes(32)]
    sample, as_dicts = states(), dicts()
    for seal, keys in (("a checksum", []), ("a key (HMAC-SHA256)", key)):
        yield _row("P4", "states of 100 objects", seal, with_tokens(tokens(keys), sample), with_jsonpickle(sample))
    what = f"the same as dicts of a {type(as_dicts[0]['net.zf']).__name__} and arrays"
    yield _row("P4b", what, "a key (HMAC-SHA256)", with_tokens(tokens(key), as_dicts), as_cvat_does(as_dicts))


def _row(row: str, what: str, seal: str, ours: RoundTrip, theirs: RoundTrip) -> Result:
    """Both sides encode to the JSON that travels, and decode it again; ours is sealed and its shape kept besides."""
    a, b = interleave(ours, theirs, rounds=15, warm_up=1)
    ours_, theirs_ = Samples("token", ms(a)), Samples("jsonpickle", ms(b))
    size = len(ours()) / len(theirs())
    work = f"{what}, out and back, under {seal}; {len(ours()) / 1e6:.2f} MB, {size:.2f} × the other's bytes"
    target = "≤ 10 % of the time, ≤ 50 % of the bytes"
    return at_most(0.10, row, work, ours_, theirs_, "ms", target, also=size <= 0.50)


def with_tokens(store: TokenStore, sample: Sequence[Any]) -> RoundTrip:

    def round_trip() -> str:
        text = "[" + ",".join(f'"{store.issue(TRACK, state)}"' for state in sample) + "]"  # as the tracker writes it
        back = [store.open(token).load()[1] for token in json.loads(text)]
        assert _frame(back[-1]) == _frame(sample[-1])  # noqa: S101
        return text

    return round_trip


def with_jsonpickle(sample: Sequence[State]) -> RoundTrip:
    """Whole objects, with the handlers that jsonpickle has for arrays: they compress."""
    import jsonpickle
    import jsonpickle.ext.numpy

    def round_trip() -> str:
        jsonpickle.ext.numpy.register_handlers()
        try:
            text = json.dumps([jsonpickle.encode(state) for state in sample])
            back = [jsonpickle.decode(token) for token in json.loads(text)]  # noqa: S301 - the other side
        finally:
            jsonpickle.ext.numpy.unregister_handlers()
        assert _frame(back[-1]) == _frame(sample[-1])  # noqa: S101
        return text

    return round_trip


def as_cvat_does(sample: Sequence[dict[str, Any]]) -> RoundTrip:
    """Each value of a dict by itself and without those handlers, as CVAT's SiamMask and TransT do."""
    import jsonpickle

    def round_trip() -> str:
        text = json.dumps([{name: jsonpickle.encode(value) for name, value in state.items()} for state in sample])
        back = [
            {name: jsonpickle.decode(value) for name, value in state.items()}  # noqa: S301 - the other side
            for state in json.loads(text)
        ]
        assert _frame(back[-1]) == _frame(sample[-1])  # noqa: S101
        return text

    return round_trip


def _frame(state: Any) -> object:
    return state["frame"] if isinstance(state, dict) else state.frame
