"""Properties: no file makes check fail, and it foresees what CVAT's server does with a function."""

import copy
import json
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import yaml
from hypothesis import HealthCheck, example, given, settings

from cvat_nuclio.check import Severity, check_paths
from cvat_nuclio.cvat.generation import Generation
from cvat_nuclio.cvat.listing import list_function
from cvat_nuclio.cvat.rest_errors import ListingError
from cvat_nuclio.nuclio import read

ZOO = Path(__file__).resolve().parent.parent / "zoo"
BASE = yaml.safe_load((ZOO / "CN431-spec-json" / "good" / "function.yaml").read_text())
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
FAST = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found += paths(inner, (*path, key))
    return found


@FAST
@given(st.sampled_from(paths(BASE)[1:]), JSON)
def test_any_value_in_any_place_is_reported_not_raised(tmp_path: Path, path: tuple[Any, ...], value: Any) -> None:
    document = copy.deepcopy(BASE)
    holder = document
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = value
    file = tmp_path / "function.yaml"
    file.write_text(yaml.safe_dump(document))
    findings = check_paths([file])
    refused = read(file.read_bytes(), "builder").refused
    assert bool({"CN101", "CN206"} & {f.rule for f in findings}) == bool(refused)


names = st.sampled_from(["a", "b", "c"])
attributes = st.fixed_dictionaries(
    {}, optional={"name": names, "input_type": st.just("text"), "values": st.just([])}
)  # fmt: skip
leaves = st.fixed_dictionaries(
    {},
    optional={
        "name": names | st.integers(0, 1),
        "type": st.sampled_from(["mask", "skeleton", "any"]),
        "attributes": st.lists(attributes, max_size=2) | st.none(),
        "svg": st.just(""),
    },
)
labels = st.fixed_dictionaries(
    {"name": names},
    optional={
        "type": st.sampled_from(["mask", "skeleton"]),
        "attributes": st.lists(attributes, max_size=2),
        "svg": st.just(""),
        "sublabels": st.lists(leaves, max_size=2),
    },
)
specs = st.lists(labels | leaves, max_size=3) | JSON
annotations = st.fixed_dictionaries(
    {"spec": specs.map(json.dumps) | st.text(alphabet='[]{}",: a', max_size=8)},
    optional={
        "type": st.sampled_from(["detector", "tracker", "Detector", "segmenter"]),
        "version": st.sampled_from(["2", "1", "x", "", " 3 ", "1.5", "2_0"]),
        "min_pos_points": st.sampled_from(["0", "x", ""]),
        "supported_shape_types": st.sampled_from(["rectangle", "", ",", "blob"]),
    },
)


@FAST
@given(annotations, st.sampled_from(list(Generation)))
@example({"spec": "{}"}, Generation.G3)
@example({"spec": '""'}, Generation.G3)
@example({"spec": '[{"name": [1]}]'}, Generation.G3)
def test_an_error_is_found_where_cvat_fails_and_nowhere_else(
    tmp_path: Path, given_annotations: dict[str, str], generation: Generation
) -> None:
    document = copy.deepcopy(BASE)
    document["metadata"]["annotations"] = given_annotations
    file = tmp_path / "function.yaml"
    file.write_text(yaml.safe_dump(document))
    findings = check_paths([file], cvat=generation.value, select=["CN4*"])
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    raw = {**read(file.read_bytes(), "builder").config, "status": {}}
    try:
        listed = list_function(raw, generation)
        fails = False
    except ListingError:
        fails = True
    assert bool(errors) == fails, (findings, None if fails else listed)
