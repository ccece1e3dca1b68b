"""A tracking session goes on over any replica: its states travel in the requests."""

import base64
import io
import itertools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest
import urllib3

from cvat_nuclio.serve import running

FRAMES, OBJECTS, PATCH = 100, 20, 24
WIDTH, HEIGHT = 480, 360

Image = npt.NDArray[np.uint8]


class Scene:
    """Twenty textured squares that drift over a textured ground."""

    def __init__(self) -> None:
        generator = np.random.default_rng(7)
        ground = generator.integers(90, 160, (HEIGHT // 8, WIDTH // 8, 3), np.uint8)
        self.ground: Image = np.asarray(
            PIL.Image.fromarray(ground).resize((WIDTH, HEIGHT), PIL.Image.Resampling.BICUBIC)
        )
        coarse = generator.integers(0, 256, (OBJECTS, PATCH // 4, PATCH // 4, 3), np.uint8)
        self.patches = coarse.repeat(4, 1).repeat(4, 2)
        columns = np.arange(OBJECTS) % 5
        rows = np.arange(OBJECTS) // 5
        self.starts = np.stack([40 + columns * 85, 40 + rows * 75], 1).astype(float)
        self.speeds = generator.uniform(-0.25, 0.25, (OBJECTS, 2))

    def corners(self, frame: int) -> npt.NDArray[np.int_]:
        """The top-left corner of every object, (OBJECTS, 2)."""
        return np.rint(self.starts + self.speeds * frame).astype(int)

    def image(self, frame: int) -> str:
        """The frame as CVAT sends it."""
        picture = self.ground.copy()
        for (x, y), patch in zip(self.corners(frame), self.patches, strict=True):
            picture[y : y + PATCH, x : x + PATCH] = patch
        buffer = io.BytesIO()
        PIL.Image.fromarray(picture).save(buffer, "PNG", compress_level=1)
        return base64.b64encode(buffer.getvalue()).decode()

    def first_shapes(self) -> list[dict[str, Any]]:
        """What the user drew on the first frame."""
        boxes = [[int(x), int(y), int(x) + PATCH, int(y) + PATCH] for x, y in self.corners(0)]
        return [{"type": "rectangle", "points": [float(value) for value in box]} for box in boxes]


def track(url: str, scene: Scene, at_frame: Callable[[int], None] = lambda _: None) -> list[Any]:
    """The shapes of every frame, through a whole session of CVAT's requests."""
    found = []
    answer = post(url, {"image": scene.image(0), "shapes": scene.first_shapes(), "states": []})
    for frame in range(1, FRAMES):
        at_frame(frame)
        states = answer["states"]
        answer = post(url, {"image": scene.image(frame), "shapes": [None] * len(states), "states": states})
        found.append(answer["shapes"])
    return found


def post(url: str, body: dict[str, Any]) -> Any:
    headers = {"Content-Type": "application/json"}
    answer = urllib3.request("POST", url, body=json.dumps(body), headers=headers, retries=False, timeout=60)
    assert answer.status == 200, answer.data[:500]
    return answer.json()


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle around template_tracker.py, as `generate` makes it."""
    output = tmp_path_factory.mktemp("bundle") / "tracker"
    source = Path(__file__).with_name("template_tracker.py")
    words = ["generate", "--function-file", str(source), "--output", str(output), "--name", "template-tracker"]
    subprocess.run([sys.executable, "-m", "cvat_nuclio", *words], check=True, capture_output=True)
    return output


def test_three_replicas_one_killed_halfway_track_as_one_worker_does(bundle: Path, open_proxy: Any) -> None:
    scene = Scene()
    env = {"AA_STATE_KEY": "a key that all replicas share"}
    with running(bundle, workers=1, env=env) as alone:
        expected = track(alone.url, scene)
    with ExitStack() as stack:
        replicas = [stack.enter_context(running(bundle, workers=1, env=env)) for _ in range(3)]
        proxy = stack.enter_context(open_proxy([replica.url for replica in replicas]))

        def kill_one(frame: int) -> None:
            if frame == FRAMES // 2:
                os.kill(replicas[1].process.pid, signal.SIGKILL)
                replicas[1].process.wait()

        found = track(proxy.url, scene, kill_one)
    assert found == expected
    before, after = proxy.answered[: FRAMES // 2], proxy.answered[FRAMES // 2 :]
    assert len(set(before)) == 3
    assert len(set(after)) == 2
    assert all(one != other for one, other in itertools.pairwise(before)), "every request to another one"
    assert mean_overlap(found[-1], scene) > 0.6, "the tracks follow the objects, or equal tracks would prove little"


def mean_overlap(shapes: list[Any], scene: Scene) -> float:
    """Mean intersection over union with where the objects really are in the last frame."""
    overlaps = []
    for shape, (x, y) in zip(shapes, scene.corners(FRAMES - 1), strict=True):
        left, top, right, bottom = shape["points"]
        width = max(0.0, min(right, x + PATCH) - max(left, x))
        height = max(0.0, min(bottom, y + PATCH) - max(top, y))
        both = width * height
        overlaps.append(both / ((right - left) * (bottom - top) + PATCH * PATCH - both))
    return float(np.mean(overlaps))


def test_replicas_with_different_keys_refuse_each_others_states(bundle: Path) -> None:
    scene = Scene()
    with (
        running(bundle, workers=1, env={"AA_STATE_KEY": "one"}) as one,
        running(bundle, workers=1, env={"AA_STATE_KEY": "two"}) as two,
    ):
        begun = post(one.url, {"image": scene.image(0), "shapes": scene.first_shapes()[:1], "states": []})
        body = {"image": scene.image(1), "shapes": [None], "states": begun["states"]}
        headers = {"Content-Type": "application/json"}
        refused = urllib3.request("POST", two.url, body=json.dumps(body), headers=headers, retries=False)
        assert 400 <= refused.status < 500
        assert "states[0]" in refused.data.decode()
        assert post(one.url, body)["shapes"][0]["type"] == "rectangle"
