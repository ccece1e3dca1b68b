"""Every configuration vector recorded from Nuclio 1.13.0 and 1.14.1: what was read or refused, and what came of it."""

import json
from pathlib import Path
from typing import Any

import pytest

from cvat_nuclio.nuclio import read
from cvat_nuclio.nuclio.duration import nanoseconds, text_of
from cvat_nuclio.nuclio.http_trigger import http_trigger
from cvat_nuclio.nuclio.starting import HANDLER, obstacles
from cvat_nuclio.nuclio.structs import version_of

VECTORS = Path(__file__).resolve().parents[1] / "recordings" / "nuclio-vectors" / "config.json"

# What the text of function.yaml cannot decide; each id with the reason.
NOT_A_TEXT = {
    "FILES": "the folder of the handlers, no configuration",
    "cli-missing-config": "the processor's command line",
    "cli-version": "the processor's command line",
    "cli-list-runtimes": "the processor's command line",
    "cli-unknown-flag": "the processor's command line",
    "cli-help": "the processor's command line",
}
OUTSIDE = {
    "env-wrapper-default": "NUCLIO_PYTHON_WRAPPER_PATH unset: the machine has no wrapper in its place",
    "env-python-is-true": "NUCLIO_PYTHON_EXE_PATH names a program that is no Python",
    "env-pythonpath-missing": "NUCLIO_PYTHON_PATH names a folder that is not there",
    "platform-health-disabled": "platform.yaml: no health server, so never ready",
    "platform-bad-yaml": "platform.yaml cannot be read",
    "platform-wrong-type": "platform.yaml cannot be read",
    "platform-sink-unknown": "platform.yaml names a kind of sink that does not exist",
    "platform-sink-missing": "platform.yaml names a sink that it does not define",
    "trigger-url-bad": "the listen address is tried after the start; the failure is silent",
    "trigger-url-http": "the listen address is tried after the start; the failure is silent",
}


def _all() -> list[Any]:
    found = []
    for vector in json.loads(VECTORS.read_text("utf-8")):
        versions = vector["nuclio"] if isinstance(vector["nuclio"], list) else [vector["nuclio"]]
        found += [pytest.param(vector, version, id=f"{vector['id']}-{version}") for version in versions]
    return found


ALL = _all()
WITH_TEXT = [param for param in ALL if param.values[0]["id"] not in NOT_A_TEXT]


def _filled(value: Any) -> Any:
    """The recording's placeholders stand for port numbers."""
    text = json.dumps(value).replace("$2port", "18081").replace("$port", "18080")
    return json.loads(text)


def _text(vector: Any) -> str:
    return str(_filled(vector["config"]))


def test_no_vector_is_left_out() -> None:
    recorded = json.loads(VECTORS.read_text("utf-8"))
    ids = {vector["id"] for vector in recorded}
    assert len(recorded) == 328
    assert {param.values[0]["id"] for param in WITH_TEXT} == ids - set(NOT_A_TEXT)
    assert set(NOT_A_TEXT) | set(OUTSIDE) <= ids


@pytest.mark.parametrize(("vector", "version"), WITH_TEXT)
def test_the_processor_reads_or_refuses(vector: Any, version: str) -> None:
    outcome, reading = vector["outcome"], read(_text(vector), "processor", version_of(version))
    if outcome["read"] is not None:
        assert reading.refused is None
        assert reading.config == _filled(outcome["read"])
    elif outcome["exit_code"] == "running" or vector["id"] in OUTSIDE or "sink" in vector["id"]:
        # Not logged: the log level hides the line, or the start ended before it.
        assert reading.refused is None
    else:
        assert reading.refused
        assert f"Error - {reading.refused.message}" in _filled(outcome["stderr"])


@pytest.mark.parametrize(("vector", "version"), [p for p in WITH_TEXT if "builder_read" in p.values[0]["outcome"]])
def test_the_builder_reads_or_refuses(vector: Any, version: str) -> None:
    expected, reading = _filled(vector["outcome"]["builder_read"]), read(_text(vector), "builder", version_of(version))
    if expected == "same as read":
        expected = {"config": _filled(vector["outcome"]["read"])}
        expected["config"]["metadata"].pop("namespace", None)
    if "error" in expected:
        assert reading.refused
        assert reading.refused.message == expected["error"]
    else:
        assert reading.refused is None
        assert reading.config == expected["config"]


@pytest.mark.parametrize(("vector", "version"), [p for p in WITH_TEXT if p.values[0]["id"] not in OUTSIDE])
def test_the_processor_starts_or_ends(vector: Any, version: str) -> None:
    outcome, reading = vector["outcome"], read(_text(vector), "processor", version_of(version))
    if reading.refused:
        assert outcome["exit_code"] == 1
        return
    found = list(obstacles(reading.config, version_of(version)))
    expected = outcome["exit_code"]
    if not found and expected == 2:
        # The handler's name is well formed; its module or function is what fails.
        assert HANDLER.fullmatch(reading.config["spec"]["handler"])
        assert "No module named" in str(outcome["stdout"]) or "has no attribute" in str(outcome["stdout"])
        return
    assert (found[0].exit_code if found else "running") == expected
    if found:
        said = [*_filled(outcome["stderr"]), *outcome.get("stdout", [])]
        known = found[0].message.split(" needs ")[0] not in ("golang", "nodejs")
        assert not known or any(found[0].message in line.replace('\\"', '"') for line in said)


@pytest.mark.parametrize(("vector", "version"), [p for p in WITH_TEXT if p.values[0]["outcome"].get("effective")])
def test_the_settings_in_force(vector: Any, version: str) -> None:
    spec = read(_text(vector), "processor", version_of(version)).config["spec"]
    triggers = [http_trigger(n, t) for n, t in spec["triggers"].items() if t["kind"] == "http"]
    effective: dict[str, Any] = {
        "readBufferSize": triggers[0].read_buffer,
        "maxRequestBodySize": triggers[0].raw_body_limit,
        "reduceMemoryUsage": triggers[0].reduce_memory,
        "cors": triggers[0].cors,
    }
    if spec["eventTimeout"]:
        effective["eventTimeoutWatcher"] = text_of(nanoseconds(spec["eventTimeout"]))
    assert effective == vector["outcome"]["effective"]


@pytest.mark.parametrize(("vector", "version"), [p for p in WITH_TEXT if "workers" in p.values[0]["outcome"]])
def test_the_number_of_workers(vector: Any, version: str) -> None:
    if vector["id"] == "env-python-is-true":
        assert vector["outcome"]["workers"] == 0, OUTSIDE["env-python-is-true"]
        return
    spec = read(_text(vector), "processor", version_of(version)).config["spec"]
    triggers = spec.get("triggers", {})
    assert sum(http_trigger(n, t).num_workers for n, t in triggers.items()) == vector["outcome"]["workers"]
