"""A detector and a task, and the command between them."""

import base64
import importlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from cvat_nuclio.__main__ import main
from cvat_nuclio.annotate import in_flight
from cvat_nuclio.cvat_server import Annotations, Scope, connection, job_annotations

HERE = Path(__file__).resolve().parent
LABELS = ({"name": "box", "type": "rectangle"}, {"name": "scene", "type": "tag"})


@pytest.fixture
def functions() -> Any:
    """`function_standin.py`."""
    return importlib.import_module("tests.annotate.function_standin")


@pytest.fixture
def function(functions: Any) -> Iterator[Any]:
    """A detector of one box and one tag, in every frame."""
    with functions.running() as server:
        yield server


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits are short, and every test has runs of its own."""
    monkeypatch.setattr(job_annotations, "SETTLE", 0.3)
    monkeypatch.setattr(job_annotations, "LOOK_EVERY", 0.05)
    monkeypatch.setattr(in_flight, "GONE_AFTER", 0.5)
    monkeypatch.setattr(connection, "PATIENCE", 2.0)


@attrs.define
class Shelf:
    """One task and what stands in it."""

    place: Any
    scope: Scope

    def stored(self) -> dict[str, list[dict[str, Any]]]:
        """Of all jobs, what lies in two jobs twice."""
        found: dict[str, list[dict[str, Any]]] = {"tags": [], "shapes": [], "tracks": []}
        for job in self.scope.jobs:
            for kind, objects in Annotations(self.place.connection, job.id).get().items():
                found[kind] += objects
        return found

    def frames(self, kind: str = "shapes") -> list[int]:
        return sorted(each["frame"] for each in self.stored()[kind])


@pytest.fixture
def shelf(cvat_place: Any) -> Callable[..., Shelf]:
    """`shelf(**task)` makes a task of ten pictures with the labels box and scene."""

    def make(place: Any = cvat_place, **spec: Any) -> Shelf:
        return Shelf(place, place.task(**{"labels": LABELS, **spec}))

    return make


@pytest.fixture
def annotate(cvat_place: Any, function: Any) -> Callable[..., int]:
    """`annotate("--task", "1")` runs the command with the function and the log-in; its exit status."""

    def run(*words: object, target: str = function.url, place: Any = cvat_place) -> int:
        return main(["annotate", target, *map(str, words), *place.words])

    return run


@pytest.fixture
def number_of(media: Path) -> Callable[[dict[str, Any]], int]:
    """The number of the recorded picture in a request to the function."""
    known = {base64.b64encode(path.read_bytes()).decode(): n for n, path in enumerate(sorted(media.glob("s*.jpg")))}
    return lambda body: known[body["image"]]


@pytest.fixture(scope="session")
def media(recordings: Path) -> Path:
    """The recorded tasks' pictures."""
    return recordings / "cvat-rest" / "media"
