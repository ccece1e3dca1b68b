"""The functions that are served, as the page lists them."""

from collections.abc import Sequence
from typing import Any

from ..cvat import Browser, Gateway, Generation, Listed, ListingError, Server, Task
from ..cvat.listing import list_function
from ..invoke.call_report import unlistable
from ..invoke.draw import color_of
from ..serve.dashboard import Entry
from .shown import as_css


def listed(entry: Entry, generation: Generation) -> dict[str, Any]:
    """One function: what CVAT of that generation reads of it, how it runs, and why CVAT would not list it."""
    settings, container = entry.settings, entry.container
    told = {
        "name": settings.name,
        "kind": settings.kind,
        "title": settings.name,
        "description": settings.description,
        "state": container.state,
        "cause": container.cause if container.state != "ready" else "",
        "restarts": container.restarts,
        "workers": container.function.worker_count,
        "url": f"http://{entry.address}",
        "labels": [],
        "fault": "",
    }
    try:
        return told | _read(list_function(entry.as_json(), generation))
    except ListingError as error:
        return told | {"fault": str(unlistable(error, generation))}


def _read(function: Listed) -> dict[str, Any]:
    told = {"kind": function.kind, "title": function.name, "labels": _labels(function.labels)}
    if function.kind == "interactor":
        told |= {"help": function.help_message, **_prompts(function)}
    if function.kind == "tracker":
        told["shape_types"] = list(function.supported_shape_types or ("rectangle",))
    return told


def _labels(labels: Sequence[Any]) -> list[dict[str, Any]]:
    return [
        {
            "name": str(label.name),
            "type": str(label.type),
            "color": as_css(color_of(number)),
            "attributes": [str(attribute.name) for attribute in label.attributes],
            "sublabels": [str(sublabel.name) for sublabel in label.sublabels or ()],
        }
        for number, label in enumerate(labels)
    ]


def _prompts(function: Listed) -> dict[str, Any]:
    """What CVAT's page waits for before its first call, and which prompts it would not offer."""
    generation = function.generation
    browser = Browser(Server(generation, Gateway(generation)), function, Task.of((), ()))
    return {
        "waits_for": browser.waits_for(0, 0, None),
        "not_offered": browser.interaction_hindrances(1, ((0.0, 0.0), (1.0, 1.0))),
    }
