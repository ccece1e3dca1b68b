"""`metadata.annotations`: what CVAT learns about a function."""

from collections.abc import Callable, Mapping
from typing import Any

from ..errors import UserError
from . import cvat_labels
from .bundle_options import FunctionOptions
from .probe import Probe


def annotations(function: FunctionOptions, probe: Probe, display_name: str, framework: str) -> dict[str, str]:
    """CVAT's keys, all texts. Raises UserError for a spec that CVAT would refuse."""
    kinds: dict[str, Callable[[FunctionOptions, Mapping[str, Any]], dict[str, str]]] = {
        "detector": _detector,
        "interactor": _interactor,
        "tracker": _tracker,
    }
    found = {"name": display_name, "type": probe.kind}
    if framework:
        found["framework"] = framework
    if probe.kind in kinds:
        found |= kinds[probe.kind](function, probe.spec)
    return found


def comments(kind: str) -> dict[str, list[str]]:
    """What is worth saying in function.yaml, by key."""
    return {
        "spec": ["The labels. CVAT matches them with a task's by name; one without a type fits any."],
        "version": ["Below 2 CVAT's UI disables the button."],
        "min_neg_points": ["CVAT's page waits for as many; without this key it lets users set some, which is a 400."],
        "startswith_box": ["To CVAT any value here is true, even \"false\"."],
        "startswith_box_optional": ["To CVAT any value here is true, even \"false\"."],
        "supported_shape_types": ["CVAT reads it here and nowhere else."],
    }  # fmt: skip


def _detector(function: FunctionOptions, spec: Mapping[str, Any]) -> dict[str, str]:
    return {"spec": cvat_labels.spec_text(spec["labels"], function.edges)}


def _interactor(function: FunctionOptions, spec: Mapping[str, Any]) -> dict[str, str]:
    found = {"version": "2", "min_pos_points": str(spec["min_pos_points"])}
    if spec["min_neg_points"] is not None:
        found["min_neg_points"] = str(spec["min_neg_points"])
    # A flag that is not set is left out: CVAT takes the text "false" for true.
    flag = {0: "startswith_box_optional", 1: "startswith_box"}.get(spec["min_bounding_boxes"])
    if flag:
        found[flag] = "true"
    if function.help_message:
        found["help_message"] = function.help_message
    return found


def _tracker(function: FunctionOptions, spec: Mapping[str, Any]) -> dict[str, str]:
    if not spec["shape_types"]:
        raise UserError(
            "the tracker's spec names no shape types",
            why="CVAT leaves such a function out",
            remedy='TrackingFunctionSpec(supported_shape_types=["rectangle"])',
        )
    return {"supported_shape_types": ",".join(spec["shape_types"])}
