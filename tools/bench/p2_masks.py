"""P2: an answer with 20 masks at 1080p, from masks to JSON bytes."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from cvat_sdk.masks import encode_mask

from aa_runtime import masks
from aa_runtime.detector import items_json

from .row import Result, Samples, at_most, interleave, ms

WIDTH, HEIGHT, COUNT = 1920, 1080, 20


def bitmaps() -> list[npt.NDArray[np.bool_]]:
    """Twenty ellipses of 200 to 900 pixels across, with ragged edges."""
    generator = np.random.default_rng(1)
    rows, columns = np.ogrid[:HEIGHT, :WIDTH]
    made = []
    for _ in range(COUNT):
        rx, ry = generator.uniform(100, 450), generator.uniform(100, 400)
        cx, cy = generator.uniform(rx, WIDTH - rx), generator.uniform(ry, HEIGHT - ry)
        ragged = 1 + 0.1 * np.sin(np.arctan2(rows - cy, columns - cx) * 12)
        made.append(((columns - cx) / rx) ** 2 + ((rows - cy) / ry) ** 2 <= ragged)
    return made


def run(folder: Path) -> Iterator[Result]:
    """The runtime's answer, polygon and all, against the crops listed by numpy and written by json."""
    encoded = [encode_mask(bitmap) for bitmap in bitmaps()]
    decoded = [masks.decode(points, (WIDTH, HEIGHT)) for points in encoded]
    item = {"label": "a", "type": "mask", "attributes": []}

    def ours() -> str:
        return items_json([(item, mask) for mask in decoded])

    def theirs() -> str:
        return json.dumps([{**item, "mask": mask.pixels.flatten().tolist() + list(mask.box)} for mask in decoded])

    a, b = interleave(ours, theirs, rounds=12, warm_up=1)
    ours_, theirs_ = Samples("byte table", ms(a)), Samples("tolist + json.dumps", ms(b))
    size = len(ours()) / len(theirs())
    work = f"{COUNT} masks at 1080p, mask to JSON; {len(ours()) / 1e6:.1f} MB, {size:.3f} × the other's bytes"
    target = "≤ 1/20 of the time, ≤ its bytes"
    yield at_most(1 / 20, "P2", work, ours_, theirs_, "ms", target, also=size <= 1)
