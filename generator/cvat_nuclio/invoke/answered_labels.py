"""Labels of a detector of which nothing but its kind is known: taken from its answer."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from ..cvat import Listed, Server, Task
from ..cvat.listing import retrieve_function
from ..cvat.payload import Call
from .call_options import Options
from .call_report import Timed
from .frame_files import Frame


@attrs.define
class Replay:
    """Gives answers that are already there, in order."""

    answers: list[Any]

    def invoke(self, function: Listed, payload: Mapping[str, Any]) -> Any:
        return self.answers.pop(0)


def function_with_labels(
    function: Mapping[str, Any], listed: Listed, invoker: Timed, frames: Sequence[Frame], options: Options
) -> tuple[Listed, Replay]:
    """Calls the detector on every frame; the function as if its spec named all labels seen, and the answers.

    Raises `CvatError` where an exchange fails.
    """
    task = Task.of((), [frame.content for frame in frames])
    server = Server(options.generation, invoker)
    bodies = [{**options.fields, "frame": frame} for frame in range(len(frames))]
    answers = [server.exchange(Call(listed, task, body)) for body in bodies]
    spec = _spec([item for answer in answers if isinstance(answer, list) for item in answer])
    annotations = {**function["metadata"]["annotations"], "spec": json.dumps(spec)}
    named = {**function, "metadata": {**function["metadata"], "annotations": annotations}}
    return retrieve_function(named, options.generation), Replay(answers)


def _spec(items: Sequence[Any]) -> list[dict[str, Any]]:
    """A spec in which every item of the answer has its label; attributes count as text."""
    labels: dict[str, list[Mapping[str, Any]]] = {}
    for item in items:
        if isinstance(item, Mapping) and isinstance(item.get("label"), str):
            labels.setdefault(item["label"], []).append(item)
    return [_label(name, named) for name, named in labels.items()]


def _label(name: str, items: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    attributes = [a for item in items for a in _mappings(item.get("attributes"))]
    names = dict.fromkeys(str(a["name"]) for a in attributes if "name" in a)
    label: dict[str, Any] = {
        "name": name,
        "attributes": [{"name": n, "input_type": "text", "values": [""]} for n in names],
    }
    elements = [element for item in items for element in _mappings(item.get("elements"))]
    if elements:
        sublabels = [sublabel | {"type": "points"} for sublabel in _spec(elements)]
        label |= {"type": "skeleton", "svg": "", "sublabels": sublabels}
    return label


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
