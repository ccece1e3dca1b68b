"""What Nuclio and CVAT make of what is written."""

import json
import shlex
import socket
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from cvat_nuclio.cvat.generation import Generation
from cvat_nuclio.cvat.listing import list_function
from cvat_nuclio.nuclio import read
from cvat_nuclio.nuclio.starting import obstacles

KINDS = ("detector", "interactor", "tracker", "reid")


@pytest.fixture
def bundles(workshop: Any) -> list[Path]:
    return [workshop.generate(kind, "--prebuilt", "example/image:1") for kind in KINDS]


def test_nuclio_takes_all_of_it_and_drops_nothing(bundles: list[Path]) -> None:
    files = [file for folder in bundles for file in (folder / "nuclio").glob("function*.yaml")]
    assert len(files) == 8
    for file in files:
        for reader in ("processor", "builder"):
            for version in ((1, 13), (1, 14)):
                reading = read(file.read_bytes(), reader, version)
                assert (reading.refused, list(reading.dropped)) == (None, []), file
        processor = read(file.read_bytes(), "processor")
        assert list(obstacles(processor.config)) == []


@pytest.mark.parametrize("generation", list(Generation))
def test_every_generation_of_cvat_lists_it(bundles: list[Path], generation: Generation) -> None:
    for kind, folder in zip(KINDS, bundles, strict=True):
        raw = yaml.safe_load((folder / "nuclio" / "function.yaml").read_text("utf-8"))
        listed = list_function({**raw, "status": {"httpPort": 1, "state": "ready"}}, generation)
        assert listed.kind == kind
        assert listed.description


def test_interactor_keys_mean_what_the_spec_says(workshop: Any) -> None:
    text = (workshop.generate("interactor") / "nuclio" / "function.yaml").read_text("utf-8")
    annotations = yaml.safe_load(text)["metadata"]["annotations"]
    assert annotations["version"] == "2"
    assert annotations["min_neg_points"] == "0"
    assert annotations["startswith_box_optional"] == "true"
    assert "startswith_box" not in annotations


def test_labels_survive_shell_and_yaml(workshop: Any) -> None:
    text = (workshop.generate("detector") / "nuclio" / "function.yaml").read_text("utf-8")
    spec = yaml.safe_load(text)["metadata"]["annotations"]["spec"]
    assert "'" not in spec
    labels = json.loads(spec)
    assert [label["name"] for label in labels] == ["driver's car", "anything", "Знак 标志", "arm"]
    assert "type" not in labels[1]
    assert [one["values"] for one in labels[0]["attributes"]] == [
        ["false", "true"],
        ["red", "blue"],
        ["1", "5", "1"],
        [""],
    ]
    assert labels[3]["svg"].count("<circle") == 3


def test_dockerfile_does_what_the_directives_do(workshop: Any) -> None:
    folder = workshop.generate("detector", "--prebuilt", "example/image:1", "--bake", "--apt", "libgomp1") / "nuclio"
    directives = yaml.safe_load((folder / "function.yaml").read_text("utf-8"))["spec"]["build"]["directives"]["preCopy"]
    wanted = [f"{step['kind']} {step['value']}".replace("handler/", "") for step in directives]
    lines = (folder / "Dockerfile").read_text("utf-8").splitlines()
    assert [line for line in lines if line in wanted] == wanted


def test_every_file_that_a_directive_copies_is_there(workshop: Any) -> None:
    (workshop.folder / "labels.txt").write_text("x")
    folder = workshop.generate("reid", "--bake", "--add", "labels.txt") / "nuclio"
    directives = yaml.safe_load((folder / "function.yaml").read_text("utf-8"))["spec"]["build"]["directives"]["preCopy"]
    copied = [word for step in directives if step["kind"] == "COPY" for word in shlex.split(step["value"])[:-1]]
    assert "handler/labels.txt" in copied
    assert [word for word in copied if not (folder / word.removeprefix("handler/")).exists()] == []


def test_baking_loads_the_function(workshop: Any, run_python: Callable[..., str]) -> None:
    for kind in ("detector", "reid"):
        folder = workshop.generate(kind, "--bake") / "nuclio"
        assert run_python(folder, "bake.py").startswith("loaded ")


@pytest.mark.parametrize(("status", "healthy"), [("200 OK", True), ("503 Service Unavailable", False)])
def test_healthcheck_follows_the_processor(workshop: Any, status: str, healthy: bool) -> None:
    folder = workshop.generate("tracker", "--prebuilt", "example/image:1")
    line = next(
        line for line in (folder / "nuclio" / "Dockerfile").read_text("utf-8").splitlines() if line.startswith("HEALTH")
    )
    command = json.loads(line.partition("CMD ")[2])
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_answer_once, args=(server, status))
        thread.start()
        command[-1] = command[-1].replace("8082", str(server.getsockname()[1]))
        assert (subprocess.run(command, timeout=10, check=False).returncode == 0) is healthy
        thread.join()


def _answer_once(server: socket.socket, status: str) -> None:
    connection, _ = server.accept()
    with connection:
        connection.recv(1024)
        connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())


@pytest.mark.parametrize("kind", KINDS)
def test_bundle_passes_its_own_test(workshop: Any, run_python: Callable[..., str], kind: str) -> None:
    folder = workshop.generate(kind) / "nuclio"
    assert " passed" in run_python(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider")


def test_bundle_of_a_mask_interactor_passes_its_own_test(workshop: Any, run_python: Callable[..., str]) -> None:
    folder = workshop.generate("interactor", "--interactor-answer", "mask") / "nuclio"
    assert "1 passed" in run_python(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider")


def test_bundle_passes_its_own_test_with_a_mask_that_has_no_polygon(
    workshop: Any, run_python: Callable[..., str]
) -> None:
    (workshop.folder / "thin.py").write_text(
        "import cvat_sdk.auto_annotation as cvataa\n\n"
        "spec = cvataa.DetectionFunctionSpec(labels=[cvataa.label_spec('x', 0, type='mask')])\n\n\n"
        "def detect(context, image):\n"
        "    # A line of three pixels, and a square of nine.\n"
        "    return [cvataa.mask(0, [0, 3, 5, 5, 7, 5]), cvataa.mask(0, [0, 9, 5, 5, 7, 7])]\n"
    )
    assert workshop.run("--function-file", "thin.py", "--output", "thin").status == 0
    nuclio = workshop.folder / "thin" / "nuclio"
    assert "1 passed" in run_python(nuclio, "-m", "pytest", "-q", "-p", "no:cacheprovider")
