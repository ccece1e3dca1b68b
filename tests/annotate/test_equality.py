"""What is stored is what CVAT's own job stores for the same function: the recorded job, and the model of it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from cvat_nuclio.cvat import Gateway, Server, Task, list_function
from cvat_nuclio.cvat.job import run_job
from cvat_nuclio.cvat.storage import Store
from cvat_nuclio.cvat_server import open_task
from cvat_nuclio.generate.make_bundle import bundle_of
from cvat_nuclio.invoke.call_target import Hints, Target, open_target

CIRCLE = (
    '<circle r="1.5" cx="{x}" cy="20" data-type="element node" data-element-id="{n}" data-node-id="{n}" '
    'data-label-name="{name}"></circle>'
)
FLAG = {"name": "flag", "mutable": False, "input_type": "checkbox", "values": ["false"], "default_value": "false"}
#: As recording 06 made its task.
LABELS = [
    {"name": "box", "type": "rectangle", "attributes": [FLAG]},
    {"name": "blob", "type": "any"},
    {"name": "poly", "type": "polygon"},
    {"name": "scene", "type": "tag"},
    {
        "name": "person",
        "type": "skeleton",
        "svg": CIRCLE.format(x=20, n=1, name="head") + CIRCLE.format(x=80, n=2, name="tail"),
        "sublabels": [{"name": "head", "type": "points"}, {"name": "tail", "type": "points"}],
    },
]


@attrs.frozen
class Served:
    """A function, and the options that name it."""

    target: Target
    words: tuple[str, ...]


@pytest.fixture(scope="module")
def recorded_function(recordings: Path) -> Iterator[Served]:
    """Recording 06's function, in a bundle of its own, served by two workers."""
    source = recordings / "cvat-rest" / "06-function.py"
    with bundle_of(source) as bundle, open_target(str(bundle), Hints(workers=2)) as target:
        (file,) = bundle.rglob("function.yaml")
        yield Served(target, ("--function", str(file)))


def plain(objects: list[dict[str, Any]], names: dict[int, str]) -> list[str]:
    """Without ids, in an order of their own."""

    def one(value: Any) -> Any:
        if isinstance(value, dict):
            found = {key: one(each) for key, each in value.items() if key not in ("id", "spec_id", "elements")}
            found |= {"label_id": names[value["label_id"]]} if "label_id" in value else {}
            return found | {"elements": sorted((one(each) for each in value.get("elements", [])), key=repr)}
        if isinstance(value, list):
            return [one(each) for each in value]
        return float(value) if isinstance(value, int) and not isinstance(value, bool) else value

    return sorted(json.dumps(one(each), sort_keys=True) for each in objects)


def names_of(labels: Any) -> dict[int, str]:
    every = [*labels, *(sub for label in labels for sub in label.sublabels)]
    return {label.id: label.name for label in every}


@pytest.mark.parametrize("words", [(), ("--conf-threshold", 0.5), ("--convert-masks-to-polygons",)])
def test_as_the_model_of_cvats_job(
    annotate: Any, shelf: Any, recorded_function: Served, media: Path, words: Any
) -> None:
    found = shelf(labels=LABELS, segment_size=3, data={"chunk_size": 2})
    found.place.connection.client.tasks.retrieve(found.scope.task_id).remove_frames_by_ids([3])
    command = ("--task", found.scope.task_id, *words, *recorded_function.words)
    assert annotate(*command, target=recorded_function.target.url) == 0

    scope = open_task(found.place.connection, found.scope.task_id)
    pictures = [path.read_bytes() for path in sorted(media.glob("s*.jpg"))]
    task = Task(scope.labels, len(pictures), lambda frame: pictures[frame], frozenset({3}))
    generation = found.place.connection.generation
    function = list_function({"status": {}, **recorded_function.target.function}, generation)
    gateway = Gateway(generation, function_url=recorded_function.target.url)
    fields = {"threshold": 0.5} if "--conf-threshold" in words else {}
    fields |= {"conv_mask_to_poly": True} if "--convert-masks-to-polygons" in words else {}
    job = run_job(Server(generation, gateway), function, Store(task), fields)
    assert job.error is None
    assert len(job.stored["shapes"]) > 30
    stored = found.stored()
    for kind in ("tags", "shapes"):
        assert plain(stored[kind], names_of(scope.labels)) == plain(job.stored[kind], names_of(scope.labels))


def test_as_cvats_recorded_job(annotate: Any, shelf: Any, function: Any, recordings: Path) -> None:
    """Recording 07: sixty pictures, one box and one tag in each, stored by CVAT's own job."""
    lines = map(json.loads, (recordings / "cvat-rest" / "07-lambda-job.jsonl").read_text().splitlines())
    recorded = next(line for line in lines if line.get("step") == 13)["response"]["body"]["json"]
    tag, box = recorded["tags"][0]["label_id"], recorded["shapes"][0]["label_id"]
    found = shelf()
    assert annotate("--task", found.scope.task_id) == 0
    stored = found.stored()
    for kind in ("tags", "shapes"):
        first = [each for each in recorded[kind] if each["frame"] < 10]
        assert plain(stored[kind], names_of(found.scope.labels)) == plain(first, {tag: "scene", box: "box"})


def test_as_cvat_sdk_stores_it_where_both_may(
    annotate: Any, shelf: Any, recorded_function: Served, recordings: Path
) -> None:
    """Recording 06: annotate_task of cvat-sdk with the same function, five pictures of which one is deleted."""
    lines = map(json.loads, (recordings / "cvat-rest" / "06-auto-annotate.jsonl").read_text().splitlines())
    exchanges = {line["step"]: line["response"]["body"] for line in lines if "step" in line}
    labels = exchanges[10]["json"]["results"]
    names = {each["id"]: each["name"] for label in labels for each in (label, *label["sublabels"])}
    recorded = exchanges[27]["json"]
    found = shelf(labels=LABELS, files=sorted((recordings / "cvat-rest" / "media").glob("s*.jpg"))[:5], segment_size=3)
    found.place.connection.client.tasks.retrieve(found.scope.task_id).remove_frames_by_ids([3])
    command = ("--task", found.scope.task_id, *recorded_function.words)
    assert annotate(*command, target=recorded_function.target.url) == 0
    for kind in ("tags", "shapes"):
        theirs = [each for each in recorded[kind] if each["source"] == "auto"]
        assert plain(found.stored()[kind], names_of(found.scope.labels)) == plain(theirs, names)
