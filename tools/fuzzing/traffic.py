"""What CVAT's users and strangers send to a served function, mixed, for ever."""

import io
import itertools
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import PIL.Image
import PIL.ImageChops

from cvat_nuclio.bench.sample_picture import photograph

from . import corpus
from .corpus import encoded
from .mutate import mutated

SIZE = (480, 360)
FRAMES = 24
#: Of ten requests, so many are a user's.
_SOUND = 7
_SESSION = 40


class Scene:
    """A picture that drifts, and four boxes with it."""

    def __init__(self, seed: int) -> None:
        with PIL.Image.open(io.BytesIO(photograph(*SIZE))) as picture:
            begun = PIL.ImageChops.offset(picture, 97 * seed)
        self._starts = np.random.default_rng(seed).integers(20, 250, (4, 2))
        moved = (PIL.ImageChops.offset(begun, 2 * frame) for frame in range(FRAMES))
        self.images = [encoded(corpus.saved(image, "JPEG", quality=90)) for image in moved]

    def boxes(self, frame: int) -> list[list[int]]:
        """`[x1, y1, x2, y2]` of each."""
        corners = self._starts + 2 * frame
        return [[int(x), int(y), int(x) + 40, int(y) + 40] for x, y in corners]


class Traffic:
    """Requests to one function of a kind. A tracker's session goes on from the answers: pass each to `seen`."""

    def __init__(self, kind: str, seed: int) -> None:
        self._chance = random.Random(seed)  # noqa: S311
        self._scenes = [Scene(seed), Scene(seed + 1)]
        self._states: list[Any] = []
        self._make: Callable[[Scene, int], dict[str, Any]] = getattr(self, f"_{kind}")
        self._frames = itertools.count()

    def __iter__(self) -> Iterator[tuple[bytes, bool]]:
        """Bodies, each with whether it is a user's, to be answered with 200."""
        while True:
            number = next(self._frames)
            if number % _SESSION == 0:
                self._states = []
            scene = self._scenes[number // _SESSION % len(self._scenes)]
            data = json.dumps(self._make(scene, number % FRAMES)).encode()
            sound = self._chance.randrange(10) < _SOUND
            yield (data, True) if sound else (self._spoilt(data), False)

    def seen(self, answer: Any) -> None:
        """Takes the answer to the last body that was a user's."""
        if isinstance(answer, dict):
            self._states = answer.get("states", [])

    def _spoilt(self, data: bytes) -> bytes:
        if self._chance.random() < 0.7:
            return mutated(data, self._chance)
        image = encoded(self._chance.choice(list(corpus.hostile().values())))
        return json.dumps({**json.loads(data), "image": image, "image0": image}).encode()

    def _detector(self, scene: Scene, frame: int) -> dict[str, Any]:
        return {"image": scene.images[frame], "threshold": self._chance.choice([0.2, 0.5, 0.9])}

    def _interactor(self, scene: Scene, frame: int) -> dict[str, Any]:
        x1, y1, x2, y2 = self._chance.choice(scene.boxes(frame))
        prompts = {"pos_points": [], "neg_points": [], "obj_bbox": [[x1, y1], [x2, y2]]}
        return {"image": scene.images[frame], **prompts}

    def _tracker(self, scene: Scene, frame: int) -> dict[str, Any]:
        if self._states:
            return {"image": scene.images[frame], "shapes": [None] * len(self._states), "states": self._states}
        shapes = [{"type": "rectangle", "points": box} for box in scene.boxes(frame)]
        return {"image": scene.images[frame], "shapes": shapes, "states": []}

    def _reid(self, scene: Scene, frame: int) -> dict[str, Any]:
        after = min(frame + 1, FRAMES - 1)
        frames = {"image0": scene.images[frame], "image1": scene.images[after]}
        return frames | {"boxes0": _shapes(scene.boxes(frame)), "boxes1": _shapes(scene.boxes(after)[::-1])}


def _shapes(boxes: list[list[int]]) -> list[dict[str, Any]]:
    return [{"type": "rectangle", "points": box, "label_id": 1, "id": number} for number, box in enumerate(boxes)]
