"""P10: a clip of 300 frames with 10 objects, from CVAT's disk to stored tracks, against the function's own requests."""

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import requests
from tests.cvat_server import cvat_standin
from tests.cvat_server.cvat_place import place_at

from cvat_nuclio.cvat import NEWEST, Gateway
from cvat_nuclio.cvat.listing import retrieve_function
from cvat_nuclio.nuclio.function_yaml import FunctionYaml
from cvat_nuclio.serve import running
from cvat_nuclio.track import Options
from cvat_nuclio.track.asked_function import Function, Tracker
from cvat_nuclio.track.clip import Clip
from cvat_nuclio.track.clip_journal import Progress

from .row import Result, Samples, at_most, interleave
from .scenes import generated_bundle, pictures

FRAMES, OBJECTS = 300, 10
SIZE = (1280, 720)
BOXES = [[60.0 + 100 * number, 200.0, 130.0 + 100 * number, 320.0] for number in range(OBJECTS)]


def run(folder: Path) -> Iterator[Result]:
    """The CVAT is the tests' stand-in, on the same cores."""
    bundle, files = generated_bundle(folder, "steady_tracker"), pictures(folder / "clip", FRAMES, SIZE)
    with (
        running(bundle, workers=1) as server,
        cvat_standin.running() as cvat,
        place_at(cvat.url, "annotator", "secret") as place,
    ):
        ours = _clip(place, place.task(files=files), bundle, server.url)
        a, b = interleave(ours, lambda: _bare(server.url, files), rounds=2, warm_up=0)
    work = (
        f"`track`, {FRAMES} frames of {SIZE[1]}p with {OBJECTS} objects, from CVAT's pictures to its tracks, "
        "a function of 100 ms a frame; against the same requests alone"
    )
    yield at_most(1.2, "P10", work, Samples("track", a), Samples("requests", b), "s", "≤ 1.20 ×")


def _clip(place: Any, scope: Any, bundle: Path, url: str) -> Callable[[], None]:
    listed = retrieve_function({**FunctionYaml.open(bundle / "function.yaml").config, "status": {}}, NEWEST)
    job = scope.jobs[0]

    def follow() -> None:
        shapes = [
            {"type": "rectangle", "label_id": scope.labels[0].id, "frame": 0, "points": points} for points in BOXES
        ]
        place.connection.send("PATCH", f"jobs/{job.id}/annotations", {"action": "create"}, {"shapes": shapes})
        function = Function.of(listed, Gateway(NEWEST, function_url=url), NEWEST, scope.labels, FRAMES)
        clip = Clip(place.connection, scope, Tracker(function), Options(), Progress(), lambda _: None)
        done = list(clip.run())[-1]
        if (done, clip.progress.tracks) != (FRAMES, OBJECTS):
            raise RuntimeError(f"{done} frames, {clip.progress.tracks} tracks")

    return follow


def _bare(url: str, files: list[Path]) -> None:
    """Pictures from the disk, one request after another as CVAT sends them, nothing kept."""
    states: list[Any] = []
    for number, file in enumerate(files):
        image = base64.b64encode(file.read_bytes()).decode()
        shapes = [None if number else {"type": "rectangle", "points": points} for points in BOXES]
        answer = requests.post(url, json={"image": image, "shapes": shapes, "states": states}, timeout=60)
        states = answer.json()["states"]
