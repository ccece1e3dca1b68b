"""What nuctl finds only after a long build, or not at all, looked for before it starts."""

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from ..nuclio.function_yaml import FunctionYaml
from ..serve.port import PortError, bind, holder
from .asked_program import Run
from .nuctl_causes import Cause, find_cause

STAGING_BYTES = 80 << 20  # what nuctl stages beside the bundle: processor, wrapper, wheels
_BUILDKIT_OFF = ("", "0", "false")


def prepare(files: Sequence[Path], *, check: bool, say: Callable[[str], None]) -> bool:
    """Refreshes the runtime copy of every bundle that carries one; whether all are free of errors that `check` finds.

    `files` are the functions' files, each in its bundle's folder.
    """
    from ..generate.runtime_copy import refresh

    for file in files:
        if (file.parent / "model_handler.py").is_file() and refresh(file.parent):
            say(f"{file.parent}: the runtime copy was stale; refreshed")
    return not check or _is_clean(files, say)


def _is_clean(files: Sequence[Path], say: Callable[[str], None]) -> bool:
    from ..check import check_paths
    from ..check.finding import Severity
    from ..check.finding_formats import as_text

    errors = [finding for finding in check_paths(list(files)) if finding.severity is Severity.ERROR]
    if errors:
        say(as_text(errors))
        say("nothing was deployed: mend these first, or deploy with --skip-check")
    return not errors


def check_host(docker: Run, environment: Mapping[str, str]) -> Iterator[Cause]:
    """The Docker daemon, BuildKit, the current folder. Nothing more is worth asking once the daemon is silent."""
    code, stdout, stderr = docker("version", "--format", "{{json .}}")
    if code:
        yield find_cause(stdout, stderr)
        return
    if environment.get("DOCKER_BUILDKIT", "") not in _BUILDKIT_OFF and docker("buildx", "version")[0]:
        yield find_cause("", "ERROR: BuildKit is enabled but the buildx component is missing or broken.")
    if not os.access(Path.cwd(), os.W_OK):
        yield Cause(
            "directory-not-writable",
            f"{Path.cwd()} cannot be written",
            "nuctl writes a temporary file there: run from another directory",
        )


def check_function(function: FunctionYaml, docker: Run, *, own_port: int, build: bool) -> Iterator[Cause]:
    """One function's file against this host; what is wrong in the file by itself is `check`'s to say.

    `own_port` is the port that this very function holds now, or 0.
    """
    if not function.name:
        yield Cause("name", f"{function.file.name} gives the function no name", "write metadata.name in it")
    yield from _check_ports(function, own_port)
    yield from _check_docker(function, docker)
    if build:
        yield from _check_room(function.folder)
    else:
        yield from _check_image(str(function.spec.get("image", "")), docker)


def _check_ports(function: FunctionYaml, own_port: int) -> Iterator[Cause]:
    port = function.trigger.port
    if port <= 0 or port == own_port:
        return
    try:
        bind("0.0.0.0", port).close()  # noqa: S104  where Docker would publish it
    except PortError:
        yield Cause(
            "port-busy",
            f"port {port} is taken by {holder(port) or 'another program'}",
            "choose another in the trigger's attributes, or none, and Docker picks a free one",
        )


def _check_docker(function: FunctionYaml, docker: Run) -> Iterator[Cause]:
    network = function.platform.get("network")
    if network and docker("network", "inspect", str(network))[0]:
        yield Cause(
            "network-missing",
            f"the Docker network {network} does not exist",
            "start CVAT first, which makes it, or correct spec.platform.attributes.network",
        )
    if function.is_gpu and not _has_nvidia(docker):
        yield find_cause("", 'could not select device driver "" with capabilities: [[gpu]]')
    for volume in function.spec.get("volumes") or []:
        source = ((volume.get("volume") or {}).get("hostPath") or {}).get("path")
        if source and not Path(source).exists():
            yield Cause(
                "bind-source-missing",
                f"the volume's source {source} does not exist on this host",
                "create it, or correct spec.volumes",
            )


def _has_nvidia(docker: Run) -> bool:
    """Whether Docker can hand out GPUs: a runtime of that name, or the container device interface's devices."""
    _, stdout, _ = docker("info", "--format", "{{json .}}")
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


def _check_image(image: str, docker: Run) -> Iterator[Cause]:
    if not image:
        yield find_cause("", "Function must have either spec.build.path")
        return
    code, stdout, _ = docker("image", "inspect", image)
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
