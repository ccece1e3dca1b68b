"""A bundle opened from its folder, its parent, or its file."""

from pathlib import Path

import pytest

from cvat_nuclio.errors import UserError
from cvat_nuclio.nuclio.function_yaml import FunctionYaml

TEXT = """
metadata:
  name: openvino-words
  annotations:
    type: detector
    version: 2
    spec: |
      [{"name": "word"}]
spec:
  description: words
  handler: main:handler
  runtime: "python:3.11"
  eventTimeout: 90s
  env:
  - {name: OMP_NUM_THREADS, value: 4}
  triggers:
    http:
      kind: http
      numWorkers: 3
      workerAvailabilityTimeoutMilliseconds: 0
      attributes: {maxRequestBodySize: 33554432}
"""


def folder(tmp_path: Path, text: str = TEXT) -> Path:
    (tmp_path / "nuclio").mkdir()
    (tmp_path / "nuclio" / "function.yaml").write_text(text)
    return tmp_path


@pytest.mark.parametrize("name", [".", "nuclio", "nuclio/function.yaml"])
def test_a_bundle_is_found_by_any_of_its_paths(tmp_path: Path, name: str) -> None:
    bundle = FunctionYaml.open(folder(tmp_path) / name)
    assert bundle.folder.resolve() == (tmp_path / "nuclio").resolve()
    assert bundle.file.name == "function.yaml"
    assert (bundle.name, bundle.kind, bundle.handler) == ("openvino-words", "detector", ("main", "handler"))


def test_settings_in_force(tmp_path: Path) -> None:
    bundle = FunctionYaml.open(folder(tmp_path))
    assert (bundle.trigger.num_workers, bundle.trigger.body_limit) == (3, 33554432)
    assert (bundle.trigger.availability_ms, bundle.event_timeout, bundle.readiness_timeout) == (0, 90.0, 120)


def test_nuctl_makes_strings_of_numbers(tmp_path: Path) -> None:
    bundle = FunctionYaml.open(folder(tmp_path))
    assert bundle.annotations["version"] == "2"
    assert bundle.env == {"OMP_NUM_THREADS": "4"}


def test_without_a_trigger_nuctl_adds_one(tmp_path: Path) -> None:
    bundle = FunctionYaml.open(folder(tmp_path, "metadata: {name: x}\nspec: {handler: main:handler}\n"))
    assert (bundle.trigger.name, bundle.trigger.num_workers, bundle.trigger.body_limit) == ("default-http", 1, 4194304)
    assert (bundle.env, bundle.event_timeout) == ({}, None)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("metadata: [", "yaml"),
        ("spec: {eventTimeout: '30'}", "missing unit"),
        ("spec: {eventTimeout: 0s}", "eventTimeout <= 0"),
        ("spec: {triggers: [http]}", "cannot unmarshal array"),
    ],
)
def test_what_nuclio_refuses_is_told(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(UserError) as caught:
        FunctionYaml.open(folder(tmp_path, text))
    assert why in caught.value.why


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file"):
        FunctionYaml.open(tmp_path / "nope")
    with pytest.raises(UserError, match=r"no function\.yaml"):
        FunctionYaml.open(tmp_path)


def test_a_trigger_that_the_processor_refuses(tmp_path: Path) -> None:
    text = "spec: {triggers: {http: {kind: http, attributes: {maxRequestBodySize: 32MB}}}}"
    with pytest.raises(UserError, match="refuses trigger http"):
        FunctionYaml.open(folder(tmp_path, text)).trigger  # noqa: B018


@pytest.mark.parametrize("attribute", ["maxRequestBodySize: true", "readBufferSize: false", "cors: {enabled: 1}"])
def test_true_is_no_number_and_a_number_is_not_true(tmp_path: Path, attribute: str) -> None:
    text = f"spec: {{triggers: {{http: {{kind: http, attributes: {{{attribute}}}}}}}}}"
    with pytest.raises(UserError) as caught:
        FunctionYaml.open(folder(tmp_path, text)).trigger  # noqa: B018
    assert "got unconvertible type" in caught.value.why


@pytest.mark.parametrize(("written", "port"), [("32001", 32001), ("true", 0), ('"32001"', 0), ("8080.5", 8080)])
def test_the_port_is_what_the_platform_reads(tmp_path: Path, written: str, port: int) -> None:
    text = f"spec: {{triggers: {{http: {{kind: http, attributes: {{port: {written}}}}}}}}}"
    assert FunctionYaml.open(folder(tmp_path, text)).trigger.port == port


def test_places_of_keys_and_values(tmp_path: Path) -> None:
    places = FunctionYaml.open(folder(tmp_path)).places
    assert places.key("spec", "triggers", "http", "numWorkers") == (19, 7)
    assert places.value("metadata", "name") == (3, 9)
    assert places.key("spec", "build", "image") == places.key("spec")
    assert not places.has("spec", "build")
