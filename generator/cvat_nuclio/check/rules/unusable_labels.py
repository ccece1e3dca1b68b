"""CN437 to CN443: labels that CVAT lists and cannot use."""

import re
from collections.abc import Iterator
from typing import Any

from ...limits import SHAPE_TYPES
from ..near import did_you_mean, near
from ..rule import NOTE, WARNING, Fault, rule
from ..spec_text import Label
from .label_spec import kind_of

_TYPES = ("any", "unknown", "tag", *SHAPE_TYPES)
_INPUT_TYPES = ("select", "radio", "checkbox", "number", "text")
_LABEL_KEYS = ("id", "name", "type", "attributes", "sublabels", "svg", "color")
_ATTRIBUTE_KEYS = ("id", "name", "input_type", "values", "default_value", "mutable", "spec_id")
# Of these, the ones that CVAT reads. A label without a name is CN432's.
_READ = ("type", "attributes", "sublabels", "svg", "input_type", "values")


@rule(
    "CN437", "any-type", NOTE, cvat=True,
    source="CVAT: vectors listing.label.type_any, listing.label.no_type", remedy="leave the type out",
)  # fmt: skip
def any_type(label: Label) -> Iterator[Fault]:
    """A label of type `any`: servers up to early 2025 (G1) know only `unknown`, and match it with nothing.

    Without a type every server matches any.
    """
    old = label.labels.generation == "G1"
    if label.data.get("type") == "any":
        message = f"label {label.name!r}: servers of generation G1 match the type any with nothing"
        yield label.fault(message, "type", severity=WARNING if old else None, length=len('"any"'))
    elif label.data.get("type") == "unknown" and not old:
        message = f"label {label.name!r}: the type unknown matches nothing since 2025"
        yield label.fault(message, "type", severity=WARNING, length=len('"unknown"'))


@rule(
    "CN438", "label-type", WARNING, cvat=True,
    source="CVAT: vectors listing.label.type_unknown, .type_null; labels_compatible",
    remedy=f"write one of {', '.join(_TYPES[2:])}, or leave the type out",
)  # fmt: skip
def label_type(label: Label) -> Iterator[Fault]:
    """A label of a type that CVAT does not have: no label of a task fits it, every answer is dropped."""
    kind = label.data.get("type", "any")
    if kind not in _TYPES:
        close = near(kind, _TYPES[2:]) if isinstance(kind, str) else ""
        message = f"label {label.name!r}: CVAT has no type {kind!r}{did_you_mean(close)}"
        yield label.fault(message, "type", length=len(str(kind)) + 2)


@rule(
    "CN439", "attribute-type", WARNING, cvat=True,
    source="CVAT: vectors listing.attribute.unknown_input_type, .values_null",
    remedy='number: ["min", "max", "step"]; select and radio: a list of strings; checkbox: ["false"]; text: []',
)  # fmt: skip
def attribute_type(label: Label) -> Iterator[Fault]:
    """An attribute of an unknown input type, or with values that do not fit it.

    CVAT checks neither when it lists the function; what the function answers is then dropped, or breaks the call.
    """
    for i, attribute in enumerate(label.attributes):
        whole = isinstance(attribute, dict) and {"name", "input_type", "values"} <= set(attribute)
        if whole and (misfit := _misfit(attribute)):
            message = f"attribute {attribute['name']!r} of {label.name!r}: {misfit}"
            yield label.fault(message, "attributes", i)


def _misfit(attribute: dict[str, Any]) -> str:
    kind, values = attribute["input_type"], attribute["values"]
    if kind not in _INPUT_TYPES:
        close = near(kind, _INPUT_TYPES) if isinstance(kind, str) else ""
        return f"CVAT has no input type {kind!r}{did_you_mean(close)}"
    if not isinstance(values, list):
        return f"values are {kind_of(values)}, not a list"
    if kind == "number" and (len(values) != 3 or not all(re.fullmatch(r"-?\d+", str(v)) for v in values)):
        return "a number has the values min, max and step, whole numbers"
    return f"a {kind} without values" if kind in ("select", "radio") and not values else ""


@rule(
    "CN440", "skeleton-svg", WARNING, cvat=True,
    source="CVAT: UI skeleton configurator and canvas setupSkeletonEdges; cvat#7861",
    remedy='leave "svg" empty, or draw one circle for each sublabel',
)  # fmt: skip
def skeleton_svg(label: Label) -> Iterator[Fault]:
    """A skeleton's drawing does not fit its sublabels.

    CVAT takes it over when a user picks labels from the model: one circle for each sublabel, ids counted from 1, edges
    between existing ids, `data-label-name` equal to the sublabel's name byte for byte.
    """
    svg = label.data.get("svg")
    if label.data.get("type") == "skeleton" and isinstance(svg, str) and svg:
        for problem in _svg_problems(svg, label):
            yield label.fault(f"skeleton {label.name!r}: {problem}", "svg")


def _svg_problems(svg: str, label: Label) -> Iterator[str]:
    circles = [_attributes(tag) for tag in re.findall(r"<circle\b[^>]*>", svg)]
    lines = [_attributes(tag) for tag in re.findall(r"<line\b[^>]*>", svg)]
    names = [sublabel.get("name") for sublabel in label.sublabels if isinstance(sublabel, dict)]
    drawn = [circle.get("data-label-name") for circle in circles]
    ids = {circle.get("data-node-id") for circle in circles}
    # Drawings that CVAT has stored name their labels by id.
    if not any("data-label-id" in circle for circle in circles):
        yield from (f"no circle is called {name!r}" for name in names if name not in drawn)
        yield from (f"circle {name!r} is no sublabel" for name in drawn if name not in names)
    for key in ("data-element-id", "data-node-id"):
        if bad := [c.get(key) for c in circles if not re.fullmatch(r"[1-9]\d*", str(c.get(key, "")))]:
            yield f"{key} {bad[0]!r} is no whole number from 1 on"
    for line in lines:
        for end in ("data-node-from", "data-node-to"):
            if line.get(end) not in ids:
                yield f"an edge ends at node {line.get(end)!r}, which no circle has"


def _attributes(tag: str) -> dict[str, str]:
    return {name: value for name, _, value in re.findall(r"([\w-]+)\s*=\s*([\"'])(.*?)\2", tag)}


@rule(
    "CN441", "label-name", WARNING, cvat=True,
    source="CVAT: vectors listing.label.name_number, .name_empty (listed)", remedy="write a name",
)  # fmt: skip
def label_name(label: Label) -> Iterator[Fault]:
    """A label without a usable name: empty, not a string, or, in a skeleton with a drawing, with markup in it."""
    if "name" not in label.data or isinstance(label.name, (list, dict)):
        return
    if not isinstance(label.name, str) or not label.name.strip():
        message = f"the label's name is {label.name!r}: no label of a task can be mapped to it"
        yield label.fault(message, "name")
    elif len(label.path) > 1 and re.search(r'["<>&]', label.name):
        message = f"sublabel {label.name!r} has markup in its name, which the skeleton's drawing cannot hold"
        yield label.fault(message, "name")


@rule(
    "CN442", "label-key-typo", WARNING, cvat=True,
    source="CVAT: parse_labels reads exact keys and ignores others; vector listing.label.extra_keys",
    remedy="write CVAT's key",
)  # fmt: skip
def label_key_typo(label: Label) -> Iterator[Fault]:
    """A key in `spec` that looks like one of CVAT's, and is none: CVAT does not read it."""
    yield from _typos(label, label.data, _LABEL_KEYS)
    for i, attribute in enumerate(label.attributes):
        if isinstance(attribute, dict):
            yield from _typos(label, attribute, _ATTRIBUTE_KEYS, "attributes", i)


def _typos(label: Label, data: dict[str, Any], known: tuple[str, ...], *path: str | int) -> Iterator[Fault]:
    read = [word for word in known if word in (*_READ, "name")]
    for key in data:
        close = "" if key in known else near(key, read, 0.8)
        if close in _READ and close not in data:
            message = f"CVAT reads no key {key!r} here; did you mean {close!r}?"
            yield label.fault(message, *path, remedy=f"write {close!r}")


@rule(
    "CN443", "sublabels-elsewhere", WARNING, cvat=True,
    source="CVAT: vector listing.skeleton.sublabels_on_other_type",
    remedy='write "type": "skeleton", or remove them',
)  # fmt: skip
def sublabels_elsewhere(label: Label) -> Iterator[Fault]:
    """`sublabels` or `svg` on a label that is no skeleton: CVAT ignores them."""
    if label.data.get("type") != "skeleton" and (label.data.get("sublabels") or label.data.get("svg")):
        yield label.fault(f"label {label.name!r} has sublabels and is no skeleton")
