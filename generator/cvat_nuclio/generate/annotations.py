"""`metadata.annotations`: what CVAT learns about a function, each key with what is worth saying of it."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..errors import UserError
from . import skeleton
from .bundle_options import FunctionOptions
from .commented_yaml import Block, said
from .probe import Probe

Label = Mapping[str, Any]


def annotations(function: FunctionOptions, probe: Probe, display_name: str, framework: str) -> dict[str, Any]:
    """CVAT's keys, all texts. Raises UserError for a spec that CVAT would refuse."""
    about = "Nuclio takes only strings here; numbers and flags are strings that CVAT converts."
    found = {"name": said(display_name, about), "type": probe.kind}
    if framework:
        found["framework"] = framework
    if probe.kind == "detector":
        about = "The labels. CVAT matches them with a task's by name; one without a type fits any."
        found["spec"] = said(Block(spec_text(probe.spec["labels"], function.edges)), about)
    elif probe.kind == "interactor":
        found |= _interactor(function, probe.spec)
    elif probe.kind == "tracker":
        found["supported_shape_types"] = said(_shape_types(probe.spec), "CVAT reads it here and nowhere else.")
    return found


def _interactor(function: FunctionOptions, spec: Mapping[str, Any]) -> dict[str, Any]:
    found = {
        "version": said("2", "Below 2 CVAT's UI disables the button."),
        "min_pos_points": str(spec["min_pos_points"]),
    }
    if spec["min_neg_points"] is not None:
        about = "CVAT's page waits for as many; without this key it lets users set some, which is a 400."
        found["min_neg_points"] = said(str(spec["min_neg_points"]), about)
    # A flag that is not set is left out: CVAT takes the text "false" for true.
    if flag := {0: "startswith_box_optional", 1: "startswith_box"}.get(spec["min_bounding_boxes"]):
        found[flag] = said("true", 'To CVAT any value here is true, even "false".')
    if function.help_message:
        found["help_message"] = function.help_message
    return found


def _shape_types(spec: Mapping[str, Any]) -> str:
    if not spec["shape_types"]:
        raise UserError(
            "the tracker's spec names no shape types",
            why="CVAT leaves such a function out",
            remedy='TrackingFunctionSpec(supported_shape_types=["rectangle"])',
        )
    return ",".join(spec["shape_types"])


def spec_text(labels: Sequence[Label], edges: Mapping[str, Sequence[tuple[str, str]]]) -> str:
    """The labels as JSON, one a line. `edges` are a skeleton's lines, by label: pairs of sublabels.

    Raises UserError for what CVAT refuses. One function's bad labels make CVAT list none at all.
    """
    if unknown := sorted(set(edges) - {label["name"] for label in labels if label["sublabels"]}):
        raise UserError(f"no skeleton is called {unknown[0]!r}", remedy="mend --skeleton-edge")
    if not labels:
        raise UserError(
            "the function's spec has no labels",
            why="CVAT keeps only what carries one of them",
            remedy="list the labels in DetectionFunctionSpec(labels=[...])",
        )
    _unique("label", (label["name"] for label in labels))
    lines = [_dump(_label(label, edges.get(label["name"], ()))) for label in labels]
    return "[\n  " + ",\n  ".join(lines) + "\n]\n"


def _label(label: Label, edges: Sequence[tuple[str, str]]) -> dict[str, Any]:
    item = _named(label, "label")
    if label["type"] == "skeleton":
        sublabels = label["sublabels"]
        names = [one["name"] for one in sublabels]
        _unique(f"sublabel of {label['name']!r}", names)
        item["sublabels"] = [_named(one, f"sublabel of {label['name']!r}") for one in sublabels]
        item["svg"] = skeleton.svg(label["name"], names, edges)
    return item


def _named(label: Label, what: str) -> dict[str, Any]:
    if not str(label["name"]).strip():
        raise UserError(f"a {what} has an empty name", remedy="name every label")
    item: dict[str, Any] = {"id": label["id"], "name": label["name"]}
    # Early CVAT servers know no type "any": there it would match nothing. Without the key every server takes any.
    if label["type"] != "any":
        item["type"] = label["type"]
    _unique(f"attribute of {label['name']!r}", (one["name"] for one in label["attributes"]))
    item["attributes"] = [_attribute(one) for one in label["attributes"]]
    return item


def _attribute(attribute: Mapping[str, Any]) -> dict[str, Any]:
    values = list(attribute["values"])
    if attribute["input_type"] == "checkbox":
        # CVAT's UI takes the first value for the default when it makes labels from a model's.
        values = ["true", "false"] if attribute["default"] == "true" else ["false", "true"]
    elif attribute["input_type"] == "text":
        values = [attribute["default"]]
    return {"name": attribute["name"], "input_type": attribute["input_type"], "values": values}


def _unique(what: str, names: Iterable[str]) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise UserError(
            f"{what} {twice[0]!r} is there twice",
            why="CVAT tells them apart by name, and leaves out a function that has two alike",
            remedy="give each a name of its own",
        )


def _dump(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    # Nuclio carries this through shell words in single quotes, YAML takes no control characters.
    return "".join(char if char.isprintable() and char != "'" else _escape(char) for char in text)


def _escape(char: str) -> str:
    return json.dumps(char)[1:-1] if char != "'" else "\\u0027"
