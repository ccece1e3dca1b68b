"""Clips of grey squares, functions in this process behind the real runtime, and a CVAT that holds them."""

import importlib.util
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import attrs
import numpy as np
import pytest
from PIL import Image

from aa_runtime import FunctionSource, Options, load
from cvat_nuclio.cvat import NEWEST, CvatError, Listed, list_function
from cvat_nuclio.cvat.mapping import mapping_by_name
from cvat_nuclio.cvat_server import open_task
from cvat_nuclio.track import Options as TrackOptions
from cvat_nuclio.track.asked_function import Function, Tracker
from cvat_nuclio.track.clip import Clip
from cvat_nuclio.track.clip_journal import Progress
from cvat_nuclio.track.finder import Detector, ReID

HERE = Path(__file__).resolve().parent
SIZE = (160, 120)
Square = tuple[int, int, int]
# Of each grey value its square (x, y, side) on every frame; None where it is not to be seen.
Motion = Mapping[int, Sequence[Square | None]]


def box(square: Square | None) -> list[float]:
    assert square is not None
    x, y, side = square
    return [x, y, x + side, y + side]


def shape(label_id: int, frame: int, points: Sequence[float], **fields: Any) -> dict[str, Any]:
    return {"type": "rectangle", "label_id": label_id, "frame": frame, "points": list(points), **fields}


@attrs.define
class InProcess:
    """An invoker over a function in this process; `failing` answers stand for a worker that ended."""

    driver: Any
    failing: int = 0
    payloads: list[Mapping[str, Any]] = attrs.field(factory=list)

    def invoke(self, function: Listed, payload: Mapping[str, Any]) -> Any:
        self.payloads.append({key: value for key, value in payload.items() if not key.startswith("image")})
        if self.failing:
            self.failing -= 1
            raise CvatError("requests.exceptions.ConnectionError", "gone", 503)
        status, body = self.driver.post(payload)
        if status != 200:
            raise CvatError("requests.exceptions.HTTPError", f"{status}: {body}", status)
        return body


@pytest.fixture(scope="session")
def driver(repository: Path) -> Any:
    """The class that drives a handler as Nuclio's wrapper does."""
    path = repository / "tests" / "aa_runtime" / "conftest.py"
    spec = importlib.util.spec_from_file_location("aa_runtime_driver", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Driver


@attrs.define
class Studio:
    """Tasks of clips, and runs over them."""

    place: Any
    folder: Path
    driver: Any

    def task(self, motion: Motion, **spec: Any) -> Any:
        """A task whose pictures show the motion; its label is `square`, with what `labels` says besides."""
        count = len(next(iter(motion.values())))
        for frame in range(count):
            pixels = np.zeros((SIZE[1], SIZE[0]), np.uint8)
            for grey, squares in motion.items():
                if square := squares[frame]:
                    x, y, side = square
                    pixels[y : y + side, x : x + side] = grey
            Image.fromarray(pixels).save(self.folder / f"{frame:04}.png")
        files = sorted(self.folder.glob("*.png"))[:count]
        return self.place.task(files=files, **({"labels": [{"name": "square"}]} | spec))

    def draw(self, scope: Any, shapes: Sequence[dict[str, Any]], kind: str = "shapes") -> None:
        """In every job that holds their frames."""
        for job in scope.jobs:
            inside = [each for each in shapes if each["frame"] in job.frames]
            path = f"jobs/{job.id}/annotations"
            self.place.connection.send("PATCH", path, {"action": "create"}, {kind: inside})

    def stored(self, job: Any) -> dict[str, Any]:
        found: dict[str, Any] = self.place.connection.get(f"jobs/{job.id}/annotations")
        return found

    def function(
        self, scope: Any, kind: str, state: Literal["token", "in-memory"] = "token", **parameters: Any
    ) -> Function:
        name = {"tracker": "../../tracker/functions/squares", "detector": "greys", "reid": "tones"}[kind]
        loaded = load(FunctionSource(file=HERE / "functions" / f"{name}.py", parameters=parameters))
        annotations = {"type": kind, "spec": "[]"}
        if kind == "tracker":
            annotations["supported_shape_types"] = parameters.get("types", "rectangle")
        if kind == "detector":
            annotations["spec"] = json.dumps([{"name": "square", "type": "rectangle", "attributes": []}])
        raw = {"metadata": {"name": kind, "annotations": annotations}, "spec": {"description": ""}, "status": {}}
        invoker = InProcess(self.driver(loaded, Options(state=state)))
        size = max(job.frames.stop for job in scope.jobs)
        function = Function.of(list_function(raw), invoker, NEWEST, scope.labels, size)
        function.pauses = (0.0, 0.0)
        return function

    def detector(self, scope: Any) -> Detector:
        function = self.function(scope, "detector")
        return Detector(function, mapping_by_name(function.listed.labels, scope.labels, NEWEST))

    def clip(self, scope: Any, progress: Progress | None = None, **options: Any) -> Clip:
        """A run; `types` is what the tracker follows, `frames` a range, `detector` and `reid` truth values."""
        types, frames, state = (options.pop(key, None) for key in ("types", "frames", "state"))
        if frames is not None:
            scope = open_task(self.place.connection, scope.task_id, frames)
        detector = self.detector(scope) if options.pop("detector", False) else None
        reid = ReID(self.function(scope, "reid"), 500) if options.pop("reid", False) else None
        tracker = Tracker(self.function(scope, "tracker", state or "token", types=types or "rectangle"))
        wanted = TrackOptions(**options)
        return Clip(
            self.place.connection, scope, tracker, wanted, progress or Progress(), lambda _: None, detector, reid
        )


@pytest.fixture
def studio(tmp_path: Path, driver: Any, cvat_place: Any) -> Studio:
    return Studio(cvat_place, tmp_path, driver)
