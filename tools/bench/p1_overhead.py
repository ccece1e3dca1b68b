"""P1, P1b: a detector that returns one box, against handlers that do less or nothing."""

from collections.abc import Iterator
from pathlib import Path

from cvat_nuclio.serve import running

from .row import Result, Samples, at_most, interleave, ms
from .scenes import client, detector_body, generated_bundle, jpeg, plain_bundle

IMAGES = {"1080p": ((1920, 1080), 200), "12 MP": ((4000, 3000), 60)}  # size, rounds


def run(folder: Path) -> Iterator[Result]:
    ours = generated_bundle(folder, "one_box")
    sides = {"floor": (plain_bundle(folder, "floor"), 1.10), "guide": (plain_bundle(folder, "guide"), 1.0)}
    for name, (bundle, limit) in sides.items():
        with running(ours, workers=1) as our_server, running(bundle, workers=1) as their_server:
            for label, (size, rounds) in IMAGES.items():
                body = detector_body(jpeg(*size))
                a, b = interleave(client(our_server.url, body), client(their_server.url, body), rounds=rounds)
                yield _result(name, label, limit, ms(a), ms(b))


def _result(name: str, label: str, limit: float, ours: list[float], theirs: list[float]) -> Result:
    what = {"floor": "parse JSON, decode base64, decode the image", "guide": "as CVAT's guide shows (cv2.imdecode)"}
    row, work = "P1" if name == "floor" else "P1b", f"one box, {label} JPEG; against a handler: {what[name]}"
    return at_most(limit, row, work, Samples("bundle", ours), Samples(name, theirs), "ms", f"≤ {limit:.2f} ×")
