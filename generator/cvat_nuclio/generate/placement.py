"""What of function.yaml says where the function runs: requests and limits, nodes, mounts, and who reaches it."""

import json
import re
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

import attrs
import yaml

from ..errors import UserError
from ..nuclio import read
from ..nuclio.quantity import parse
from .bundle_options import ServiceOptions
from .commented_yaml import Flow, Quoted, Said, headed, said
from .steps import HOME

NODE_PORTS = range(30000, 32768)
"""Kubernetes's own, unless its API server was started with others."""
CLAIM = "pvc"
# Nuclio puts both halves of a volume into Docker's `--mount`, and that into a line of the shell.
_PATH = re.compile(r"/[\w./@+-]*")
_CLAIM = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_SECRET = re.compile(r"(?P<name>[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?)(:(?P<key>[A-Za-z0-9._-]{1,253}))?", re.ASCII)


def placement(service: ServiceOptions, *, in_memory: bool, gpu: bool) -> dict[str, Any]:
    """Resources, replicas, nodes, mounts: keys of `spec`; those that are not set are empty. Raises UserError."""
    replicas = {
        "replicas": 1 if in_memory else service.replicas,
        "minReplicas": None if in_memory else service.min_replicas,
        "maxReplicas": None if in_memory else service.max_replicas,
    }
    about = ["For Kubernetes; one machine runs one container."]
    if in_memory:
        about.append("The states of what is tracked live in one process: a second replica would not know them.")
    percent = "Percent of the CPU requested, above which the autoscaler adds a replica."
    return {
        "resources": _resources(service, gpu=gpu),
        **headed({key: count for key, count in replicas.items() if count is not None}, *about),
        "targetCPU": said(service.target_cpu, percent) if service.target_cpu else None,
        "affinity": _affinity(service),
        "nodeSelector": {Quoted(key): value for key, value in service.node_selector.items()},
        "tolerations": [_toleration(text) for text in service.toleration],
        "volumes": [
            *([_shared_memory(service.shm)] if service.shm else []),
            *(volume.config(f"volume-{number}") for number, volume in enumerate(volumes(service.volume), 1)),
        ],
        "imagePullSecrets": service.image_pull_secret,
    }


def _resources(service: ServiceOptions, *, gpu: bool) -> dict[str, Any]:
    """`spec.resources`. Raises UserError for a request above its limit.

    Nuclio requests 25m CPU and 1 MiB where nothing is requested. Where a limit is given that is what is requested, too:
    a node is not promised more memory than it has, and an autoscaler's percentage is one of what the model may use.
    """
    limits = {"memory": service.memory, "cpu": service.cpu}
    requests = {"memory": service.memory_request or service.memory, "cpu": service.cpu_request or service.cpu}
    for name, request in requests.items():
        limit = limits[name]
        if request and limit and parse(request)[0] > parse(limit)[0]:
            raise UserError(
                f"--{name}-request {request} is more than --{name} {limit}", why="Kubernetes refuses that",
                remedy="request at most the limit",
            )  # fmt: skip
    requested = {name: text for name, text in requests.items() if text}
    limited: dict[str, Any] = {name: text for name, text in limits.items() if text}
    if gpu:
        about = (
            "On Kubernetes that many GPUs; on one machine Docker gives all it has, whatever the number: choose one "
            "with CUDA_VISIBLE_DEVICES."
        )
        limited = {"nvidia.com/gpu": said(str(service.gpus or 1), about), **limited}
    about = "For Kubernetes: what a node must have free. Nuclio's own are 25m CPU and 1 MiB."
    found = {"requests": headed(requested, about), "limits": limited}
    return {key: value for key, value in found.items() if value}


def reach(service: ServiceOptions) -> dict[str, Any]:
    """Attributes of the http trigger: the port, and what Kubernetes makes of it. Raises UserError."""
    if service.service_type == "NodePort" and service.port and service.port not in NODE_PORTS:
        raise UserError(
            f"--port {service.port} is no port of a node",
            why="Kubernetes gives a service of type NodePort one from 30000 to 32767",
            remedy="--port 32001, or leave it out",
        )
    found: dict[str, Any] = {}
    if service.port:
        about = "On the host. Without it Docker chooses one, and another at the next start."
        found["port"] = said(service.port, about)
    if service.service_type:
        found["serviceType"] = said(service.service_type, "For Kubernetes.")
    if service.ingress_host:
        found["ingresses"] = {Quoted("0"): {"host": service.ingress_host, "paths": ["/"]}}
    return found


def secret_variables(service: ServiceOptions) -> list[dict[str, Any]]:
    """Entries of `spec.env` that name a Kubernetes secret: its value is in no file. Raises UserError."""
    return [{"name": name, "valueFrom": _secret(name, text)} for name, text in service.secret_env.items()]


def _secret(name: str, text: str) -> Said:
    found = _SECRET.fullmatch(text)
    if found is None:
        raise UserError(
            f"--secret-env {name}={text!a} names no secret", remedy="--secret-env NAME=SECRET[:KEY] (KEY: NAME)"
        )
    reference = {"secretKeyRef": {"name": found["name"], "key": found["key"] or name}}
    return said(reference, f"On Kubernetes. On one machine: deploy --env {name}=VALUE")


def _affinity(service: ServiceOptions) -> Flow | None:
    """What a file holds in Kubernetes's own form, below `affinity:` or by itself."""
    if not service.affinity:
        return None
    path = service.path(service.affinity)
    try:
        held = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise UserError(f"--affinity: cannot read {path}", why=" ".join(str(error).split())) from error
    held = held.get("affinity", held) if isinstance(held, dict) else held
    example = 'nodeAffinity, podAffinity or podAntiAffinity, as in a pod\'s "spec.affinity"'
    if not isinstance(held, dict) or not held:
        raise UserError(f"--affinity: {path} holds no affinity", remedy=example)
    # nuctl's own reader, which knows Kubernetes's types: a key that it would drop says that the pods go anywhere.
    reading = read(json.dumps({"metadata": {"name": "x"}, "spec": {"affinity": held}}).encode(), "builder")
    lost = reading.refused.message if reading.refused else ", ".join(one.path for one in reading.dropped)
    if lost:
        raise UserError(f"--affinity: Kubernetes has no such affinity as {path} holds", why=lost, remedy=example)
    return Flow(held)


def _toleration(text: str) -> dict[str, str]:
    """kubectl's form of a taint: `KEY[=VALUE][:EFFECT]`."""
    taint, _, effect = text.partition(":")
    key, equals, value = taint.partition("=")
    if not key or effect not in ("", "NoSchedule", "PreferNoSchedule", "NoExecute"):
        raise UserError(
            f"--toleration {text} is no toleration",
            remedy="KEY[=VALUE][:EFFECT], where EFFECT is NoSchedule, PreferNoSchedule or NoExecute",
        )
    found = {"key": key, "operator": "Equal", "value": value} if equals else {"key": key, "operator": "Exists"}
    return found | ({"effect": effect} if effect else {})


def _shared_memory(size: str) -> Said:
    return said(
        {
            "volume": {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": size}},
            "volumeMount": {"name": "shm", "mountPath": "/dev/shm"},  # noqa: S108 - the mount point itself
        },
        "Shared memory, for Kubernetes. Docker's 64 MB on one machine cannot be changed through Nuclio.",
    )


@attrs.frozen(kw_only=True)
class Volume:
    """A folder of the host, or a claim on Kubernetes, in place of files in the image."""

    source: str
    """A path of the host, or a claim's name."""
    path: str
    is_claim: bool

    def holds(self, path: str) -> bool:
        """Whether the container finds a path of this machine in the volume, at this place or at the volume's own."""
        folders = [self.path] if self.is_claim else [self.path, self.source]
        return any(PurePosixPath(path).is_relative_to(folder) for folder in folders)

    def config(self, name: str) -> Said:
        """Nuclio's form."""
        volume: dict[str, Any] = {"name": name, "hostPath": {"path": self.source}}
        about = "A path of the host: of every node on Kubernetes."
        if self.is_claim:
            volume = {"name": name, "persistentVolumeClaim": {"claimName": self.source}}
            about = "For Kubernetes. On one machine Nuclio passes it over."
        return said({"volume": volume, "volumeMount": {"name": name, "mountPath": self.path}}, about)


def volumes(texts: Sequence[str]) -> list[Volume]:
    """The volumes that options name. Raises UserError."""
    found = [_volume(text) for text in texts]
    paths = [volume.path for volume in found]
    if twice := next((path for path in paths if paths.count(path) > 1), None):
        raise UserError(f"--volume: two are mounted at {twice}", remedy="another PATH for one of them")
    return found


def _volume(text: str) -> Volume:
    first, _, rest = text.partition(":")
    is_claim = first == CLAIM
    source, colon, path = rest.partition(":") if is_claim else (first, ":" if rest else "", rest)
    path = str(PurePosixPath(path)) if path else ""
    form = _CLAIM if is_claim else _PATH
    if not (colon and form.fullmatch(source) and _PATH.fullmatch(path)) or ".." in PurePosixPath(path).parts:
        raise UserError(
            f"--volume {text!a} is no volume",
            why="Nuclio puts both paths into a command of the shell: absolute, of letters, digits and . _ - + @ /",
            remedy="--volume /models:/models, or on Kubernetes --volume pvc:CLAIM:/models",
        )
    if PurePosixPath(HOME).is_relative_to(path):
        raise UserError(f"--volume {text} would hide the bundle", why=f"it lies in {HOME}", remedy=f"{HOME}/models")
    return Volume(source=source, path=path, is_claim=is_claim)
