"""How large a tracker's states get: the runtime itself tracks an object through a made-up film.

Part of `probe_script`. Besides cvat-sdk the runtime's trackers need Pillow, which that brings, and msgpack, which is
lent where the function's interpreter has none.
"""

from __future__ import annotations

import base64
import importlib.util
import io
import itertools
import json
import random
import sys
from collections.abc import Iterator
from typing import Any

SIZE = (1920, 1080)
#: SAM 2's state grows for as many frames as it remembers, which are 7.
FRAMES = 9
#: For all of them, however slow the model.
SECONDS = 40.0
_BOX = (600, 400, 900, 640)
#: The first of these that the function supports is tracked. A mask is its runs, then its box.
_SHAPES: dict[str, list[int]] = {
    "rectangle": [*_BOX],
    "polygon": [600, 400, 900, 400, 900, 640, 600, 640],
    "mask": [0, 301 * 241, *_BOX],
    "ellipse": [750, 520, 900, 400],
    "polyline": [600, 400, 900, 640],
    "points": [750, 520],
}


class Silent:
    """A log that nobody reads."""

    def debug_with(self, message: str, *args: object, **fields: object) -> None: ...
    def info(self, message: str, *args: object) -> None: ...
    def bind(self, **fields: object) -> None: ...

    warn = error = info


def states(function: Any, supported: list[str], msgpack: str) -> Iterator[dict[str, Any]]:
    """After each frame what is known by then: `frames`, and `characters` of the longest token; at the end perhaps
    `refused`, why a state is no token, or `failed`, why it is not known. `msgpack` is a file to lend."""
    longest = 0
    try:
        lend("msgpack", msgpack)
        from aa_runtime.options import Options
        from aa_runtime.state import EncodeError
        from aa_runtime.tracker import TrackerRuntime

        kind = next(one for one in _SHAPES if one in supported)
        runtime, given = TrackerRuntime(function, Options(), Silent()), {"shapes": [_shape(kind)]}
    except BaseException as error:
        yield {"frames": 0, "characters": 0, "failed": _words(error)}
        return
    for frame, image in zip(itertools.count(1), _film()):
        try:
            token = json.loads(runtime.answer({"image": image, **given}))["states"][0]
        except BaseException as error:
            refused = isinstance(error.__context__, EncodeError)
            said = {"refused": str(error.__context__)} if refused else {"failed": _words(error)}
            yield {"frames": frame, "characters": longest, **said}
            return
        longest, given = max(longest, len(token)), {"states": [token]}
        yield {"frames": frame, "characters": longest}


def lend(name: str, file: str) -> None:
    """Another Python's package, from its __init__.py; msgpack works without its compiled part, which fits that one."""
    try:
        importlib.import_module(name)
    except ImportError:
        spec = importlib.util.spec_from_file_location(name, file)
        if spec is None or spec.loader is None:
            raise
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])


def _shape(kind: str) -> dict[str, Any]:
    return {"type": kind, "points": _SHAPES[kind]}


def _film() -> Iterator[str]:
    """A textured object that moves over a smooth background, the same in every run; each frame as CVAT sends it."""
    noise = random.Random(0)  # noqa: S311
    background = _texture(noise, 48, SIZE)
    thing = _texture(noise, 30, (_BOX[2] - _BOX[0], _BOX[3] - _BOX[1]))
    for frame in range(FRAMES):
        picture = background.copy()
        picture.paste(thing, (_BOX[0] + 6 * frame, _BOX[1] + 3 * frame))
        stored = io.BytesIO()
        picture.save(stored, "JPEG", quality=90)
        yield base64.b64encode(stored.getvalue()).decode("ascii")


def _texture(noise: random.Random, cells: int, size: tuple[int, int]) -> Any:
    from PIL import Image

    grains = Image.frombytes("RGB", (cells, cells), noise.randbytes(3 * cells * cells))
    return grains.resize(size, Image.Resampling.BICUBIC)


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:300]
