"""Functions and reports as the page lists and paints them: outlines, colours, words are those of `invoke`."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ..cvat import Browser, Gateway, Generation, Listed, ListingError, Server, Task, list_function
from ..invoke.call_picture import colors_of, edges
from ..invoke.call_report import Kept, Report, unlistable
from ..invoke.draw import CUBOID_EDGES, Color, color_of, outline
from ..invoke.table import geometry, more
from ..serve.dashboard import Entry

LONGEST_TEXT = 200_000
"""Characters of an answer that are shown; the whole can be saved."""


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


def shown(report: Report, first: int = 0) -> dict[str, Any]:
    """What the page needs of a report; of its shapes those from number `first` on."""
    colors, skeletons = colors_of(report), edges(report)
    told = {key: value for key, value in report.to_dict().items() if key not in ("kept", "requests", "answers")}
    shapes = [_shape(kept, skeletons) | {"color": _color(report, kept, colors)} for kept in report.kept[first:]]
    more = {"first": first, "failed": report.failed, "fatal": report.fatal, "form": _form(report)}
    return told | {"shapes": shapes} | more


def _form(report: Report) -> str:
    """In which of the two forms an interactor answered, and who takes it (`cvat.interactor`)."""
    answers = report.calls.answers if report.function.kind == "interactor" else ()
    answer = answers[-1] if answers else None
    if not isinstance(answer, Mapping) or not {"mask", "shapes"} & answer.keys():
        return ""
    return "'mask', which every CVAT takes" if "mask" in answer else "'shapes', which CVAT takes since late 2025"


def _color(report: Report, kept: Kept, colors: Mapping[str, Color]) -> str:
    """A label's colour; where tracks are what was found, a track's."""
    return as_css(color_of(kept.track or 0) if report.function.kind == "reid" else colors[kept.label])


def as_css(color: Color) -> str:
    return f"rgb{color}"


def _shape(kept: Kept, skeletons: dict[str, list[tuple[str, str]]]) -> dict[str, Any]:
    told: dict[str, Any] = {"frame": kept.frame, "type": kept.type, "label": kept.label, "group": kept.group}
    told |= {"track": kept.track, "outside": kept.outside, "confidence": kept.confidence}
    told |= {"geometry": geometry(kept), "more": list(more(kept)), "attributes": kept.attributes}
    if kept.type == "mask":
        return told | {"mask": list(kept.points)}
    if kept.type == "skeleton":
        elements = [element for element in kept.elements if len(element.points) >= 2]
        return told | {"points": [_node(e) for e in elements], "edges": _edges(elements, skeletons.get(kept.label, []))}
    points = [list(point) for point in outline(kept)]
    is_cuboid = kept.type == "cuboid" and len(points) == 8
    return told | {"points": points} | ({"edges": CUBOID_EDGES} if is_cuboid else {})


def _node(element: Kept) -> list[Any]:
    return [*element.points[:2], element.label, element.outside]


def _edges(elements: Sequence[Kept], pairs: Sequence[tuple[str, str]]) -> list[tuple[int, int]]:
    """Pairs of indexes of elements that are seen."""
    at = {element.label: index for index, element in enumerate(elements) if not element.outside}
    return [(at[one], at[other]) for one, other in pairs if one in at and other in at]


def as_text(value: Any) -> dict[str, Any]:
    """JSON to read: the first characters, and how many there are."""
    text = json.dumps(value, ensure_ascii=False)
    return {"text": text[:LONGEST_TEXT], "length": len(text)}


def finite(told: dict[str, Any]) -> dict[str, Any]:
    """As browsers read JSON: what it has no word for (NaN, Infinity), and some servers of CVAT store, becomes null."""
    read: dict[str, Any] = json.loads(json.dumps(told), parse_constant=lambda _: None)
    return read
