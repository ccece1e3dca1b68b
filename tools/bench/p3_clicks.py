"""P3: the second click on the same image, with an encoder of 300 ms."""

import base64
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from cvat_nuclio.bench.load import Client
from cvat_nuclio.serve import running

from .row import Result, Samples, at_most, ms, timed
from .scenes import generated_bundle, jpeg

ROUNDS = 15


def run(folder: Path) -> Iterator[Result]:
    """Each round uses a new image: first click, then second."""
    bundle = generated_bundle(folder, "slow_encoder")
    picture = jpeg(1280, 720)
    with running(bundle, workers=1) as server:
        client = Client(server.url)
        firsts, seconds = [], []
        for number in range(ROUNDS):
            body = _body(picture + bytes(number + 1))  # another file to the cache, the same pixels
            firsts += timed(partial(client.send, body))
            seconds += timed(partial(client.send, body))
    a, b = Samples("second click", ms(seconds)), Samples("first click", ms(firsts))
    work = "second click on the same 720p image; against the first, with an encoder of 300 ms"
    yield at_most(0.05, "P3", work, a, b, "ms", "≤ 5 %")


def _body(image: bytes) -> bytes:
    prompts = {"pos_points": [[640, 360]], "neg_points": [], "obj_bbox": []}
    return json.dumps({"image": base64.b64encode(image).decode("ascii"), **prompts}).encode()
