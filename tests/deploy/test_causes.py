"""Every recorded failure of nuctl is given its cause in one line."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from cvat_nuclio.deploy.cluster import Pod
from cvat_nuclio.deploy.nuctl_causes import find_cause, plain

EXPECTED = yaml.safe_load(Path(__file__).with_name("expected_causes.yaml").read_text("utf-8"))
REPORTED = yaml.safe_load(Path(__file__).with_name("reported_causes.yaml").read_text("utf-8"))
FILES = ("failures", "states", "prebuilt", "skew", "docker-1.14", "kube")

INVOKES = re.compile("nuctl-invoke-")
"""nuctl's own call of a function, which no deploy makes."""

# Failed runs without one cause of ours, and why.
OTHER = {
    "states/invoke-missing": "not a deploy: nuctl's own line says it",
    "states/invoke-function-in-error": "not a deploy: nuctl's own line says it",
    "states/invoke-container-killed": "not a deploy: nuctl's own line says it",
    "states/import-function-again": "not a deploy: nuctl's own line says it",
    "states/import-project": "not a deploy",
    "states/delete-project-with-functions": "not a deploy: nuctl's own line says it",
    "states/delete-project-missing": "not a deploy: nuctl's own line says it",
    "kube/create-project-again": "no failure: the project is there",
    "kube/docker-down-create-project": "no failure: the project is there",
    "kube/get-missing-name-text": "no failure: there is no such function",
    "kube/get-missing-name-json": "no failure: there is no such function",
    "kube/get-function-deleted-while-pod-terminates": "no failure: there is no such function",
    "kube/delete-project-with-functions": "not a deploy: nuctl's own line says it",
    "kube/name-64-characters": "the deploy hangs, and ended when the function was deleted; preflight refuses the name",
    "states/parallel-same-function": "two runs at once, recorded without output; deploy locks by name instead",
}


def cluster_says(record: dict[str, Any]) -> str:
    """What kubectl would show after a recorded deploy, beside the function's status."""
    if record.get("platform") != "kube" or len(record.get("after") or ()) != 1:
        return ""
    (function,) = record["after"].values()
    pods = [pod for pod in function.get("pods") or [] if {"type": "Ready", "status": "True"} not in pod["conditions"]]
    failing = [Pod.from_json(as_kubernetes(pod)) for pod in pods]
    mine = {f"Pod/{pod.name}" for pod in failing}
    events = [
        one["message"] for one in function.get("events") or [] if one["type"] == "Warning" and one["object"] in mine
    ]
    deployment = ((function.get("objects") or {}).get("deployment") or {}).get("status") or {}
    refused = [one["message"] for one in deployment.get("conditions") or [] if one["type"] == "ReplicaFailure"]
    said = [line for pod in failing for line in pod.says]
    return "\n".join([*said, *events, *refused, (function.get("status") or {}).get("message") or ""])


def as_kubernetes(pod: dict[str, Any]) -> dict[str, Any]:
    """A recorded pod in the API's own shape."""
    status = {"conditions": pod["conditions"], "containerStatuses": pod.get("containers") or []}
    return {"metadata": {"name": pod["name"]}, "status": status}


@pytest.mark.parametrize("key", sorted(EXPECTED))
def test_a_recorded_failure_gets_its_cause(key: str, records: Callable[[str], list[dict[str, Any]]]) -> None:
    file, _, id_ = key.partition("/")
    expected = EXPECTED[key] if isinstance(EXPECTED[key], list) else [EXPECTED[key]]
    failed = [record for record in records(file) if record["id"] == id_ and record.get("exit_code", 0) > 0]
    causes = [find_cause(record["stdout"], record["stderr"], cluster_says(record)) for record in failed]
    assert {cause.text for cause in causes} == set(expected)
    assert all("\n" not in cause.text and len(cause.text) < 200 and cause.remedy for cause in causes)


def test_no_recorded_failure_is_left_out(records: Callable[[str], list[dict[str, Any]]]) -> None:
    failed = {
        f"{file}/{record['id']}"
        for file in FILES
        for record in records(file)
        if record.get("exit_code", 0) > 0 and not INVOKES.match(record["id"])
    }
    assert failed == set(EXPECTED) | set(OTHER)


def test_output_without_a_known_cause_gives_its_own_first_line() -> None:
    cause = find_cause("", "\nError - the moon is full\n    /nuclio/pkg/moon.go:1\n")
    assert (cause.id, cause.text) == ("unknown", "the moon is full")


def test_an_exit_status_alone_gives_way_to_what_was_printed() -> None:
    stderr = (
        "\nError - exit status 127\n    /x.go:1\n\nCall stack:\nstdout:\n/bin/sh: /bin/printenv: not found\n\nstderr:\n"
    )
    assert find_cause("", stderr).text == "/bin/sh: /bin/printenv: not found"


def test_silence_is_said() -> None:
    assert find_cause("", "").text == "nuctl said nothing"


def test_colours_and_nested_escapes_are_undone() -> None:
    assert plain('\x1b[91mERROR: {\\"err\\": \\"a\\\\nb\\"}\x1b[0m') == 'ERROR: {"err": "a\nb"}'


@pytest.mark.parametrize(("id_", "output"), REPORTED)
def test_a_reported_failure_gets_its_cause(id_: str, output: str) -> None:
    assert find_cause("", output).id == id_


def test_a_remedy_names_what_was_found() -> None:
    old = "Error response from daemon: client version 1.42 is too old. Minimum supported API version is 1.44"
    assert "DOCKER_MIN_API_VERSION=1.42 in" in find_cause("", old).remedy
    taken = 'Conflict. The container name "/nuclio-nuclio-net" is already in use by container "0123"'
    assert "`docker rm -f nuclio-nuclio-net`" in find_cause("", taken).remedy
