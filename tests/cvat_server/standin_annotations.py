"""The stand-in's annotations: what CVAT 2.73 takes, refuses, fills in and gives back (recordings 05a-05e)."""

import copy
import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from cvat_nuclio.cvat.rest_fields import Detail, Reader, Refused, boolean, choice, integer, many, number, record, text
from cvat_nuclio.cvat.validation import _points, right_length
from cvat_nuclio.limits import SHAPE_TYPES

SOURCES = ("auto", "semi-auto", "manual", "file", "consensus")
KINDS = ("tags", "shapes", "tracks")


class Bad(Exception):
    """HTTP 400 with this body."""

    def __init__(self, body: Any) -> None:
        super().__init__(str(body))
        self.body = body


def _source(value: Any) -> str:
    if value not in SOURCES:
        quoted = ", ".join(repr(each) for each in SOURCES)
        raise Refused([Detail(f"must be one of {quoted}, got {value!r}")])
    return str(value)


_ATTRIBUTE = record({"spec_id": integer(), "value": text(4096, blank=True)})
_COMMON: dict[str, Reader] = {
    "id": integer(),
    "label_id": integer(0),
    "group": integer(0),
    "source": _source,
    "frame": integer(0),
    "attributes": many(_ATTRIBUTE),
}
_GEOMETRY: dict[str, Reader] = {
    "type": choice(SHAPE_TYPES),
    "occluded": boolean,
    "outside": boolean,
    "z_order": integer(),
    "rotation": number(0, 360),
    "points": _points,
}
_DEFAULTS = {"occluded": False, "outside": False, "z_order": 0, "rotation": 0, "group": 0, "source": "manual"}


def _checked(found: dict[str, Any]) -> dict[str, Any]:
    if not right_length(found["type"], found.get("points", [])):
        raise Refused({"points": [Detail(f"invalid length for shape type '{found['type']}'")]})
    return _DEFAULTS | {"attributes": []} | found


def _element(raw: Any) -> dict[str, Any]:
    readers = _GEOMETRY | _COMMON | {"score": number()}
    return {"score": 1, **_checked(record(readers, ["type", "label_id", "frame"])(raw))}


def _shape(raw: Any) -> dict[str, Any]:
    readers = _GEOMETRY | _COMMON | {"score": number(), "elements": many(_element)}
    found = _checked(record(readers, ["type", "label_id", "frame"])(raw))
    if found["type"] == "skeleton" and not found.get("elements"):
        raise Refused({"elements": [Detail("at least one required for skeleton shape")]})
    return {"score": 1, "elements": [], **found}


def _tag(raw: Any) -> dict[str, Any]:
    found = record(_COMMON, ["label_id", "frame"])(raw)
    return {"group": 0, "source": "manual", "attributes": [], **found}


def _tracked(raw: Any) -> dict[str, Any]:
    common = {key: _COMMON[key] for key in ("id", "frame", "attributes")}
    found = _checked(record(_GEOMETRY | common, ["type", "frame"])(raw))
    return {key: value for key, value in found.items() if key not in ("group", "source")}


def _track(raw: Any) -> dict[str, Any]:
    return {"elements": [], **_part(_COMMON | {"elements": many(lambda each: _part(_COMMON, each))}, raw)}


def _part(readers: Mapping[str, Reader], raw: Any) -> dict[str, Any]:
    """A track, or one element's of a skeleton."""
    found = record({**readers, "shapes": many(_tracked)}, ["label_id", "frame", "shapes"])(raw)
    found["shapes"] = sorted(found["shapes"], key=lambda shape: shape["frame"])
    if found["shapes"]:
        found["frame"] = found["shapes"][0]["frame"]
    return {"group": 0, "source": "manual", "attributes": [], **found}


_READ = record({"tags": many(_tag), "shapes": many(_shape), "tracks": many(_track)})


def read(body: Any) -> dict[str, list[dict[str, Any]]]:
    """A request's body with its defaults. Raises Bad."""
    try:
        found = _READ(body)
    except Refused as refusal:
        raise Bad(refusal.as_error().detail) from None
    return {kind: found.get(kind, []) for kind in KINDS}


@attrs.define
class Labels:
    """What labels and attributes a task's annotations may name."""

    known: dict[int, list[dict[str, Any]]]

    @classmethod
    def of(cls, labels: list[dict[str, Any]]) -> "Labels":
        every = [*labels, *(sub for label in labels for sub in label["sublabels"])]
        return cls({label["id"]: label["attributes"] for label in every})

    def check(self, data: Mapping[str, list[dict[str, Any]]]) -> None:
        """Raises Bad for a label or attribute of nobody or somebody else."""
        for each in _every(data):
            if each["label_id"] not in self.known:
                raise Bad([f"label_id `{each['label_id']}` is invalid"])
            self._check_attributes(each, each["label_id"], mutable=False if "shapes" in each else None)
            for shape in each.get("shapes", ()):
                self._check_attributes(shape, each["label_id"], mutable=True)

    def _check_attributes(self, each: Mapping[str, Any], label_id: int, *, mutable: bool | None) -> None:
        specs = {spec["id"] for spec in self.known[label_id] if mutable in (None, spec["mutable"])}
        for attribute in each["attributes"]:
            if attribute["spec_id"] not in specs:
                raise Bad([f"spec_id `{attribute['spec_id']}` is invalid"])

    def filled(self, each: Mapping[str, Any], *, mutable: bool | None = None) -> list[dict[str, Any]]:
        """The attributes, those that are missing at their defaults; of a track or its shapes only one sort."""
        given = {attribute["spec_id"] for attribute in each["attributes"]}
        specs = [s for s in self.known[each["label_id"]] if mutable is None or s["mutable"] is mutable]
        missing = [{"spec_id": s["id"], "value": s["default_value"]} for s in specs if s["id"] not in given]
        return [*each["attributes"], *missing]


def _every(data: Mapping[str, list[dict[str, Any]]]) -> Iterator[dict[str, Any]]:
    for each in itertools.chain(*(data[kind] for kind in KINDS)):
        yield each
        yield from each.get("elements", ())


@attrs.define
class Numbers:
    """The database's sequences, one a table."""

    tables: dict[str, Iterator[int]] = attrs.field(factory=dict)

    def next(self, table: str) -> int:
        return next(self.tables.setdefault(table, itertools.count(1)))

    def number(self, data: Mapping[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
        """A copy with ids. Raises Bad where there is one already."""
        refusals = {
            kind: [{"id": ["must be absent"]} if "id" in each else {} for each in data[kind]]
            for kind in KINDS
            if any("id" in each for each in data[kind])
        }
        if refusals:
            raise Bad(refusals)
        made = copy.deepcopy(dict(data))
        for kind in KINDS:
            for each in made[kind]:
                each["id"] = self.next(kind)
        for shape in made["shapes"]:
            for element in shape["elements"]:
                element["id"] = self.next("shapes")
        for track in made["tracks"]:
            for element in track["elements"]:
                element["id"] = self.next("tracks")
            for part in (track, *track["elements"]):
                for shape in part["shapes"]:
                    shape["id"] = self.next("tracked")
        return made


def given_back(data: Mapping[str, list[dict[str, Any]]], labels: Labels) -> dict[str, Any]:
    """As GET has it: numbers are floats, attributes complete."""
    found = copy.deepcopy(dict(data))
    for each in _every(found):
        mutable = False if "shapes" in each else None
        each["attributes"] = labels.filled(each, mutable=mutable)
        _as_floats(each)
        before: dict[int, dict[str, Any]] = {}
        for shape in each.get("shapes", ()):  # a value goes on until the next keyframe that has one
            before |= {attribute["spec_id"]: attribute for attribute in shape["attributes"]}
            shape["attributes"] = labels.filled(
                {"attributes": list(before.values()), "label_id": each["label_id"]}, mutable=True
            )
            _as_floats(shape)
    return {"version": 0, **found, "intervals": []}


def _as_floats(each: dict[str, Any]) -> None:
    if "points" in each:
        each["points"] = [float(point) for point in each["points"]]
        each["rotation"] = float(each["rotation"])
    if "score" in each:
        each["score"] = float(each["score"])
