"""What nuctl finds only after a long build, or not at all, looked for before it starts."""

import json
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import attrs

from ..nuclio.function_yaml import FunctionYaml
from ..serve.busy_port import holder
from .asked_program import ask_program
from .nuctl_causes import Cause, find_cause

STAGING_BYTES = 80 << 20  # what nuctl stages beside the bundle: processor, wrapper, wheels
_BUILDKIT_OFF = ("", "0", "false")


@attrs.frozen
class Tools:
    """How the host is asked. `docker(words)` runs docker and gives its exit code, standard output and error."""

    docker: Callable[..., tuple[int, str, str]]

    @classmethod
    def real(cls) -> "Tools":
        """The Docker client on PATH."""
        return cls(_docker)


def _docker(*words: str) -> tuple[int, str, str]:
    return ask_program(["docker", *words], limit=60, absent="/bin/sh: 1: docker: not found")


def check_host(tools: Tools, environment: Mapping[str, str]) -> Iterator[Cause]:
    """The Docker daemon, BuildKit, the current folder. Nothing more is worth asking once the daemon is silent."""
    code, stdout, stderr = tools.docker("version", "--format", "{{json .}}")
    if code:
        yield find_cause(stdout, stderr)
        return
    if environment.get("DOCKER_BUILDKIT", "") not in _BUILDKIT_OFF and tools.docker("buildx", "version")[0]:
        yield find_cause("", "ERROR: BuildKit is enabled but the buildx component is missing or broken.")
    if not os.access(Path.cwd(), os.W_OK):
        yield Cause(
            "directory-not-writable",
            f"{Path.cwd()} cannot be written",
            "nuctl writes a temporary file there: run from another directory",
        )


def check_function(function: FunctionYaml, tools: Tools, *, own_port: int, build: bool) -> Iterator[Cause]:
    """One function's file against this host; what is wrong in the file by itself is `check`'s to say.

    `own_port` is the port that this very function holds now, or 0.
    """
    if not function.name:
        yield Cause("name", f"{function.file.name} gives the function no name", "write metadata.name in it")
    yield from _check_ports(function, own_port)
    yield from _check_docker(function, tools)
    if build:
        yield from _check_room(function.folder)
    else:
        yield from _check_image(str(function.spec.get("image", "")), tools)


def _check_ports(function: FunctionYaml, own_port: int) -> Iterator[Cause]:
    port = function.trigger.port
    if port > 0 and port != own_port and not _is_free(port):
        yield Cause(
            "port-busy",
            f"port {port} is taken by {holder(port) or 'another program'}",
            "choose another in the trigger's attributes, or none, and Docker picks a free one",
        )


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))  # noqa: S104  where Docker would publish it
        except OSError:
            return False
    return True


def _check_docker(function: FunctionYaml, tools: Tools) -> Iterator[Cause]:
    network = function.platform.get("network")
    if network and tools.docker("network", "inspect", str(network))[0]:
        yield Cause(
            "network-missing",
            f"the Docker network {network} does not exist",
            "start CVAT first, which makes it, or correct spec.platform.attributes.network",
        )
    if function.is_gpu and not _has_nvidia(tools):
        yield find_cause("", 'could not select device driver "" with capabilities: [[gpu]]')
    for volume in function.spec.get("volumes") or []:
        source = ((volume.get("volume") or {}).get("hostPath") or {}).get("path")
        if source and not Path(source).exists():
            yield Cause(
                "bind-source-missing",
                f"the volume's source {source} does not exist on this host",
                "create it, or correct spec.volumes",
            )


def _has_nvidia(tools: Tools) -> bool:
    """Whether Docker can hand out GPUs: a runtime of that name, or the container device interface's devices."""
    _, stdout, _ = tools.docker("info", "--format", "{{json .}}")
    return "nvidia" in stdout


def _check_room(folder: Path) -> Iterator[Cause]:
    need = STAGING_BYTES + sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    place = tempfile.gettempdir()
    free = shutil.disk_usage(place).free
    if free < need:
        yield Cause(
            "disk-full",
            f"{place} has {free >> 20} MB free; nuctl stages {need >> 20} MB there",
            "free room, or point TMPDIR at a larger disk",
        )


def _check_image(image: str, tools: Tools) -> Iterator[Cause]:
    if not image:
        yield find_cause("", "Function must have either spec.build.path")
        return
    code, stdout, _ = tools.docker("image", "inspect", image)
    if code:
        yield find_cause("", f"Unable to find image '{image}' locally")
        return
    config = json.loads(stdout)[0].get("Config") or {}
    made_by = "build it with the Dockerfile that `cvat-nuclio generate --prebuilt` writes"
    if not config.get("Healthcheck"):
        yield Cause("no-healthcheck", f"the image {image} has no HEALTHCHECK, and nuctl panics without one", made_by)
    if config.get("Cmd") != ["processor"]:
        yield Cause(
            "no-command",
            f"the image {image} does not start `processor` (CMD is {config.get('Cmd')})",
            made_by,
        )
    if config.get("Entrypoint"):
        yield Cause(
            "entrypoint",
            f"the image {image} has the ENTRYPOINT {config['Entrypoint']}, which may swallow the command",
            made_by,
        )
