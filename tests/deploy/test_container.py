"""`--status` on Docker: every recorded state, of which nuctl says `ready` with the port it had."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cvat_nuclio.deploy.docker_container import container_name, find_container, why_silent

Records = Callable[[str], list[dict[str, Any]]]

CAUSES = {
    "state-paused": "container-paused",
    "state-stopped": "container-stopped",
    "state-started-again": "port-moved",
    "state-killed": "container-stopped",
    "state-removed": "container-gone",
    "state-terminated-inside": "not-answering",
    "fixed-port-stopped": "container-stopped",
    "container-restarted-by-docker": "port-moved",
    "after-daemon-restart-demo-always": "port-moved",
    "after-daemon-restart-demo-nopol": "container-stopped",
}


def docker_of(inspect: Any) -> Callable[..., tuple[int, str, str]]:
    """A docker that shows one recorded container."""
    if isinstance(inspect, str):
        return lambda *words: (1, "", inspect)
    shown = {"Id": "c", "State": inspect["State"], "NetworkSettings": {"Ports": inspect["Ports"]}}
    return lambda *words: (0, json.dumps([shown]), "")


@pytest.mark.parametrize("id_", sorted(CAUSES))
def test_a_recorded_container_that_does_not_answer_has_its_cause(id_: str, records: Records) -> None:
    record = next(record for record in records("docker-1.14") if record["id"] == id_)
    ((name, after),) = record["after"].items()
    container = container_name(name, None)
    found = find_container(container, docker_of(after["inspect"]))
    cause = why_silent(found, container, after["status"]["httpPort"])
    assert cause.id == CAUSES[id_], after["inspect"]
    assert container in cause.text or cause.id == "port-moved"


def test_a_stopped_container_is_not_taken_for_ready(
    scene: Callable[..., dict[str, str]], deploy: Any, make_bundle: Callable[..., Path]
) -> None:
    stopped = {"Id": "c", "State": {"Status": "exited", "ExitCode": 137}, "NetworkSettings": {"Ports": {}}}
    environment = scene(before={"state": "ready", "httpPort": 1}, container={"before": stopped})
    done = deploy(environment, "--status", make_bundle())
    assert done.returncode == 1
    assert "the container nuclio-nuclio-demo-detector is exited (exit code 137)" in done.stdout


def test_status_while_docker_is_stopped_does_not_say_absent(
    scene: Callable[..., dict[str, str]], deploy: Any, make_bundle: Callable[..., Path], records: Records
) -> None:
    record = next(record for record in records("docker-1.14") if record["id"] == "daemon-stopped-get")
    done = deploy(scene(get_stderr=record["stderr"]), "--status", make_bundle())
    assert done.returncode == 1
    assert "the Docker daemon does not answer" in done.stdout
    assert "absent" not in done.stdout


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["f", "--follow"], "docker logs --follow nuclio-nuclio-f"),
        (
            ["f", "--platform", "kube", "--previous"],
            "kubectl logs --namespace nuclio --selector nuclio.io/function-name=f --container nuclio --prefix --tail=-1"
            " --previous",
        ),
    ],
)
def test_logs_are_those_of_docker_or_kubectl(words: list[str], command: str, tmp_path: Path) -> None:
    for program in ("docker", "kubectl"):
        (tmp_path / program).write_text(f'#!/bin/sh\necho {program} "$@"\nexit 3\n')
        (tmp_path / program).chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-m", "cvat_nuclio", "logs", *words],
        env={"PATH": f"{tmp_path}:/bin:/usr/bin"}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout.strip()) == (3, command)
