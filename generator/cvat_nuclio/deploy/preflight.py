"""What nuctl finds only after a long build, or not at all, looked for before it starts."""

import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

from .causes import Cause, find_cause

# Valid as a Docker container name and as a Kubernetes service name, both with Nuclio's own prefix before it.
NAME = re.compile(r"[a-z]([-a-z0-9]{0,53}[a-z0-9])?")
MAX_CONFIG_BYTES = 95_000  # 80 KB passes, 100 KB fails: base64 of it goes into one shell argument of 128 KiB
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
    try:
        done = subprocess.run(
            ["docker", *words],
            capture_output=True, text=True, errors="replace", timeout=60, check=False,
        )  # fmt: skip
    except FileNotFoundError:
        return 127, "", "/bin/sh: 1: docker: not found"
    except subprocess.TimeoutExpired:
        return 124, "", "docker did not answer within 60 s"
    return done.returncode, done.stdout, done.stderr


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


def check_function(
    config: Mapping[str, Any], file: Path, tools: Tools, *, own_port: int, build: bool
) -> Iterator[Cause]:
    """One function's file against this host. `own_port`: the port that this very function holds now, or 0."""
    spec: Mapping[str, Any] = config.get("spec") or {}
    yield from _check_text(config, file)
    yield from _check_ports(spec, own_port)
    yield from _check_docker(spec, tools)
    if build:
        yield from _check_room(file.parent)
    else:
        yield from _check_image(spec, tools)


def _check_text(config: Mapping[str, Any], file: Path) -> Iterator[Cause]:
    name = str((config.get("metadata") or {}).get("name") or "")
    if not NAME.fullmatch(name):
        yield Cause(
            "name",
            f"metadata.name {name!r} is no name for a container and a service",
            "use up to 55 lower-case letters, digits and dashes, beginning with a letter",
        )
    size = file.stat().st_size
    if size > MAX_CONFIG_BYTES:
        yield Cause(
            "config-too-large",
            f"{file.name} has {size:,} bytes; nuctl passes it in one shell argument and fails at about 95 KB",
            "shorten the label list or the skeletons' svg",
        )
    for variable in (config.get("spec") or {}).get("env") or []:
        if "'" in str(variable.get("value") or ""):
            yield Cause(
                "quote-in-env",
                f"the value of {variable.get('name')} holds a single quote, which breaks nuctl's shell command",
                "take it out of spec.env",
            )


def _check_ports(spec: Mapping[str, Any], own_port: int) -> Iterator[Cause]:
    for trigger in (spec.get("triggers") or {}).values():
        port = (trigger.get("attributes") or {}).get("port")
        if isinstance(port, int) and port > 0 and port != own_port and not _is_free(port):
            yield Cause(
                "port-busy",
                f"port {port} is taken by another program",
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


def _check_docker(spec: Mapping[str, Any], tools: Tools) -> Iterator[Cause]:
    network = ((spec.get("platform") or {}).get("attributes") or {}).get("network")
    if network and tools.docker("network", "inspect", str(network))[0]:
        yield Cause(
            "network-missing",
            f"the Docker network {network} does not exist",
            "start CVAT first, which makes it, or correct spec.platform.attributes.network",
        )
    limits = (spec.get("resources") or {}).get("limits") or {}
    if str(limits.get("nvidia.com/gpu") or "0") != "0" and not _has_nvidia(tools):
        yield find_cause("", 'could not select device driver "" with capabilities: [[gpu]]')
    for volume in spec.get("volumes") or []:
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


def _check_image(spec: Mapping[str, Any], tools: Tools) -> Iterator[Cause]:
    image = spec.get("image")
    if not image:
        yield find_cause("", "Function must have either spec.build.path")
        return
    code, stdout, _ = tools.docker("image", "inspect", str(image))
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
