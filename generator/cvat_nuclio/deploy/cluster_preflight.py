"""What a deploy to a cluster fails at after minutes, looked for before; what could not be looked at is said."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import urllib3

from ..nuclio.function_yaml import FunctionYaml
from .cluster import Cluster
from .deploy_options import DeployOptions
from .nuctl import Nuctl
from .nuctl_causes import Cause, find_cause

DOCKER_HUB = ("docker.io", "index.docker.io", "registry-1.docker.io")
MAX_NAME = 55
Finding = tuple[str, Cause]
"""Something in the way of a deploy: the function's name, or "" for all; why."""


@attrs.define
class ClusterPreflight:
    """One look at the cluster; `left_out` are the checks that could not be made, each with its reason."""

    options: DeployOptions
    cluster: Cluster
    left_out: list[str] = attrs.field(factory=list, init=False)

    def without_cluster(self, functions: Sequence[FunctionYaml]) -> list[Finding]:
        """What options and files tell by themselves."""
        own = ((one.name, cause) for one in functions for cause in self._by_itself(one))
        return [*(("", cause) for cause in self._registry()), *own]

    def findings(self, functions: Sequence[FunctionYaml]) -> Iterator[Finding]:
        """That, and what the cluster shows."""
        found = self.without_cluster(functions)
        yield from found
        unreachable = None if found else self._reach()
        if unreachable:
            yield "", unreachable
        if found or unreachable or not self._can_look():
            return
        yield from (("", cause) for cause in self._controller())
        for function in functions:
            yield from ((function.name, cause) for cause in [*self._secrets(function), *self._gpus(function)])

    def _by_itself(self, function: FunctionYaml) -> Iterator[Cause]:
        # nuctl takes 64 characters and then hangs, and so does every later listing.
        if not function.name or len(function.name) > MAX_NAME:
            yield Cause(
                "name",
                f"metadata.name {function.name!r} is no name for a service with Nuclio's prefix",
                f"use up to {MAX_NAME} lower-case letters, digits and dashes, beginning with a letter",
            )

    def _registry(self) -> Iterator[Cause]:
        if self.options.prebuilt:
            return
        registry = self.options.registry or os.environ.get("NUCTL_REGISTRY") or ""
        if not registry:
            yield Cause(
                "no-registry",
                "no --registry: the cluster's nodes cannot get an image that lies on this machine alone",
                "deploy with --registry HOST[/PATH] (and --run-registry where the nodes know it by another name), or "
                "push an image yourself and run it: `cvat-nuclio generate --prebuilt IMAGE`, then --prebuilt",
            )
        elif not _has_login(registry) and self._wants_login(registry):
            yield Cause(
                "push-no-login",
                f"the registry {registry} wants a login, and Docker has none for it",
                f"docker login {registry.partition('/')[0]}",
            )

    def _wants_login(self, registry: str) -> bool:
        host = registry.partition("/")[0]
        url = f"https://{'registry-1.docker.io' if host in DOCKER_HUB else host}/v2/"
        try:
            return urllib3.request("GET", url, timeout=5.0, retries=False).status == 401
        except urllib3.exceptions.HTTPError as error:
            self.left_out.append(f"the login at {host}: {type(error).__name__}")
            return False

    def _reach(self) -> Cause | None:
        """Why the cluster cannot be used at all."""
        code, stdout, stderr = self.cluster.run("get", "namespace", self.cluster.namespace, "-o", "name")
        if code == 0 or code == 127:
            return None
        if "(Forbidden)" in stderr:
            return None  # it answers, and hides its namespaces
        found = find_cause(stdout, f"Error - {stderr}")
        if found.id != "unknown":
            return found
        return Cause(
            "cluster-unreachable", f"kubectl: {' '.join(stderr.split())[:150]}", "check `kubectl cluster-info`"
        )

    def _can_look(self) -> bool:
        code, _, stderr = self.cluster.run("version", "--client")
        if code:
            self.left_out.append(
                f"the namespace, Nuclio's controller, pull secrets, GPU nodes: {' '.join(stderr.split())[:100]}"
            )
        return code == 0

    def _controller(self) -> Iterator[Cause]:
        here = self.cluster.get("pods", "-l", "nuclio.io/app=controller")
        if here is None:
            self.left_out.append("Nuclio's controller: you may not list pods")
        elif not here["items"]:
            everywhere = (self.cluster.get("pods", "--all-namespaces", "-l", "nuclio.io/app=controller") or {}).get(
                "items"
            )
            if everywhere:
                others = ", ".join(sorted({pod["metadata"]["namespace"] for pod in everywhere}))
                self.left_out.append(
                    f"whether Nuclio's controller watches namespace {self.cluster.namespace}: it runs in {others}"
                )
            else:
                yield Cause(
                    "no-controller",
                    f"no controller of Nuclio runs in namespace {self.cluster.namespace}, so nuctl would wait for ever",
                    "name the namespace that Nuclio is installed in: --namespace N",
                )

    def _secrets(self, function: FunctionYaml) -> Iterator[Cause]:
        name = str(function.spec.get("imagePullSecrets") or "")
        if not name:
            return
        code, _, stderr = self.cluster.run("--namespace", self.cluster.namespace, "get", "secret", name, "-o", "name")
        if code and "NotFound" in stderr:
            yield find_cause("", f"Unable to retrieve some image pull secrets ({name})")
        elif code:
            self.left_out.append(f"the pull secret {name}: {' '.join(stderr.split())[:100]}")

    def _gpus(self, function: FunctionYaml) -> Iterator[Cause]:
        if not function.is_gpu:
            return
        nodes = self.cluster.get("nodes")
        if nodes is None:
            self.left_out.append("GPU nodes: you may not list nodes")
        elif not any(_gpus_of(node) for node in nodes["items"]):
            yield Cause(
                "no-gpu-node",
                "no node of the cluster offers nvidia.com/gpu",
                "install NVIDIA's device plugin on the GPU nodes, or deploy without --gpu",
            )


def check_project(nuctl: Nuctl, project: str, *, make: bool) -> Cause | None:
    """Makes CVAT's project; another must be there already, or a slip would hide the function from CVAT."""
    if project != "cvat" and not nuctl.has_project(project):
        return Cause(
            "project-missing",
            f"there is no project {project}; CVAT lists the functions of project cvat alone",
            f"leave --project out, or make it first: nuctl create project {project} --platform {nuctl.platform}",
        )
    if not make:
        return None
    made = nuctl.create_project(project)
    return made.cause if made.exit_code else None


def _gpus_of(node: Mapping[str, Any]) -> int:
    return int(((node.get("status") or {}).get("allocatable") or {}).get("nvidia.com/gpu") or 0)


def _has_login(registry: str) -> bool:
    """Whether Docker's own configuration may hold a login (in a store of its own it cannot be seen)."""
    folder = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    try:
        config = json.loads((folder / "config.json").read_text("utf-8"))
    except (OSError, ValueError):
        return False
    host = registry.partition("/")[0]
    hosts = {part for key in config.get("auths") or {} for part in key.split("/") if part}
    wanted = set(DOCKER_HUB) if host in DOCKER_HUB else {host}
    return bool(config.get("credsStore") or wanted & ({*hosts} | set(config.get("credHelpers") or {})))
