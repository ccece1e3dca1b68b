"""A function's container as Docker shows it: nuctl says `ready` of a stopped one, with the port that it had."""

import json
from collections.abc import Callable
from typing import Any

import attrs

from ..limits import NAMESPACE
from .nuctl_causes import Cause

HTTP_PORT = "8080/tcp"


@attrs.frozen
class Container:
    """`port`: where Docker publishes it now, 0 for nowhere; `status`: Docker's word (running, exited, paused, …)."""

    name: str
    id: str
    status: str
    exit_code: int
    port: int
    killed_for_memory: bool = False


def container_name(name: str, namespace: str | None) -> str:
    """As nuctl names it."""
    return f"nuclio-{namespace or NAMESPACE}-{name}"


def find_container(name: str, docker: Callable[..., tuple[int, str, str]]) -> Container | None:
    """The container of that name, or None where Docker has none or cannot be asked."""
    code, stdout, _ = docker("inspect", "--type", "container", name)
    try:
        found: dict[str, Any] = json.loads(stdout)[0] if code == 0 else {}
    except (ValueError, IndexError):
        found = {}
    if not found:
        return None
    state = found.get("State") or {}
    published = ((found.get("NetworkSettings") or {}).get("Ports") or {}).get(HTTP_PORT) or []
    # 127.0.0.1 is asked, and IPv6's port may be another one.
    ports = [int(one["HostPort"]) for one in published if ":" not in str(one.get("HostIp"))] or [0]
    return Container(
        name,
        str(found.get("Id") or ""),
        str(state.get("Status") or ""),
        int(state.get("ExitCode") or 0),
        ports[0],
        bool(state.get("OOMKilled")),
    )


def why_silent(container: Container | None, name: str, port: int) -> Cause:
    """Why nothing healthy answers on `port`, which Nuclio, and so CVAT, takes for the function's."""
    if container is None:
        return Cause("container-gone", f"the container {name} is gone", "deploy again")
    if container.status == "paused":
        return Cause("container-paused", f"the container {name} is paused", f"docker unpause {name}")
    if container.status != "running":
        why = ", killed for memory" if container.killed_for_memory else ""
        return Cause(
            "container-stopped",
            f"the container {name} is {container.status} (exit code {container.exit_code}{why})",
            f"`docker logs {name}` says why; deploy again (`docker start` alone moves a port that Docker chose)",
        )
    if port == 0 or container.port != port:
        asked = f"port {port}" if port else "no port"
        now = f"port {container.port}" if container.port else "none"
        return Cause(
            "port-moved",
            f"Docker publishes {now}; Nuclio, and so CVAT, knows {asked}: Docker moves an unpinned port at a restart",
            "deploy again; to pin it set `port` in the http trigger's attributes",
        )
    return Cause(
        "not-answering",
        f"the container {name} runs, but nothing healthy answers on port {port}",
        f"docker logs {name}; then deploy again",
    )
