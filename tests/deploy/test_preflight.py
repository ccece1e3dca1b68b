"""What nuctl finds only after the build is found before it."""

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cvat_nuclio.deploy.asked_program import Run, ask_program
from cvat_nuclio.deploy.preflight import check_function, check_host
from cvat_nuclio.nuclio.function_yaml import FunctionYaml

Records = Callable[[str], list[dict[str, Any]]]


def docker_of(**answers: tuple[int, str, str]) -> Run:
    """A docker that answers the first word as given, and everything else with success and silence."""
    return lambda *words: answers.get(words[0], (0, "", ""))


def causes(config: dict[str, Any], file: Path, docker: Run | None = None, **more: Any) -> list[str]:
    options = {"own_port": 0, "build": True, **more}
    file.write_text(json.dumps(config))
    return [cause.id for cause in check_function(FunctionYaml.open(file), docker or docker_of(), **options)]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "function.yaml"
    path.write_text("metadata: {}\n")
    return path


def function(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "demo-detector"}, "spec": spec}


def test_a_sound_function_passes(file: Path) -> None:
    assert causes(function(), file) == []


def test_a_function_without_a_name(file: Path) -> None:
    assert causes({"metadata": {}, "spec": {}}, file) == ["name"]


def test_a_busy_port_unless_the_function_itself_holds_it(file: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        config = function(triggers={"http": {"kind": "http", "attributes": {"port": port}}})
        assert causes(config, file) == ["port-busy"]
        assert causes(config, file, own_port=port) == []
        (busy,) = check_function(FunctionYaml.open(file), docker_of(), own_port=0, build=True)
        assert f"(process {os.getpid()})" in busy.text
    assert causes(config, file) == []


def test_a_missing_network(file: Path) -> None:
    config = function(platform={"attributes": {"network": "cvat_cvat"}})
    assert causes(config, file, docker_of(network=(1, "", "no such network"))) == ["network-missing"]
    assert causes(config, file) == []


def test_a_gpu_without_the_nvidia_runtime(file: Path) -> None:
    config = function(resources={"limits": {"nvidia.com/gpu": 1}})
    assert causes(config, file, docker_of(info=(0, '{"Runtimes": {"runc": {}}}', ""))) == ["gpu-missing"]
    assert causes(config, file, docker_of(info=(0, '{"Runtimes": {"nvidia": {}}}', ""))) == []


def test_a_volume_whose_source_is_not_there(file: Path, tmp_path: Path) -> None:
    def with_source(path: str) -> dict[str, Any]:
        return function(volumes=[{"volume": {"name": "v", "hostPath": {"path": path}}}])

    assert causes(with_source("/no/such/dir"), file) == ["bind-source-missing"]
    assert causes(with_source(str(tmp_path)), file) == []


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        ((1, "", "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is it?"), "docker-not-running"),
        ((127, "", "/bin/sh: 1: docker: not found"), "docker-not-installed"),
        (
            (1, "", "permission denied while trying to connect to the Docker daemon socket at unix:///x"),
            "docker-permission-denied",
        ),
    ],
)
def test_a_silent_docker_has_three_causes(answer: tuple[int, str, str], cause: str) -> None:
    assert [found.id for found in check_host(docker_of(version=answer), {})] == [cause]


def test_buildkit_without_buildx() -> None:
    docker = docker_of(buildx=(1, "", "unknown command"))
    assert [found.id for found in check_host(docker, {"DOCKER_BUILDKIT": "1"})] == ["buildx-missing"]
    assert list(check_host(docker, {"DOCKER_BUILDKIT": "0"})) == []


def test_a_prebuilt_image_that_is_not_here(file: Path) -> None:
    docker = docker_of(image=(1, "", "No such image"))
    assert causes(function(image="a:1"), file, docker, build=False) == ["prebuilt-image-missing"]
    assert causes(function(), file, build=False) == ["nothing-to-run"]
    sound = json.dumps([{"Config": {"Healthcheck": {"Test": ["CMD"]}, "Cmd": ["processor"]}}])
    assert causes(function(image="a:1"), file, docker_of(image=(0, sound, "")), build=False) == []


def test_a_program_that_is_not_there_that_may_not_run_or_that_hangs(tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.write_text("#!/bin/sh\n")
    locked.chmod(0o600)
    for words in (["/no/such/program"], [str(locked)]):
        assert ask_program(words, limit=5, absent="not installed") == (127, "", "not installed")
    assert ask_program(["sleep", "9"], limit=0.1, absent="") == (124, "", "sleep did not answer within 0.1 s")
    assert ask_program(["sh", "-c", "echo a; echo b >&2; exit 3"], limit=5, absent="") == (3, "a\n", "b\n")
