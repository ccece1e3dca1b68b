"""What of function.yaml concerns a cluster: requests and limits, nodes, mounts, and who reaches the function."""

import json
import re
from collections.abc import Mapping
from typing import Any

import yaml

from ..errors import UserError
from ..nuclio import read
from ..nuclio.quantity import parse
from .bundle_options import ServiceOptions
from .volumes import volumes

NODE_PORTS = range(30000, 32768)
"""Kubernetes's own, unless its API server was started with others."""
_SECRET = re.compile(r"(?P<name>[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?)(:(?P<key>[A-Za-z0-9._-]{1,253}))?", re.ASCII)


def placement(service: ServiceOptions, *, in_memory: bool) -> dict[str, Any]:
    """Replicas, nodes, mounts: keys of `spec`. Raises UserError."""
    found: dict[str, Any] = {
        "replicas": 1 if in_memory else service.replicas,
        "minReplicas": None if in_memory else service.min_replicas,
        "maxReplicas": None if in_memory else service.max_replicas,
        "targetCPU": service.target_cpu,
        "nodeSelector": dict(service.node_selector),
        "affinity": _affinity(service),
        "tolerations": [_toleration(text) for text in service.toleration],
        "imagePullSecrets": service.image_pull_secret,
        "volumes": [
            *([_shared_memory(service.shm)] if service.shm else []),
            *(volume.config(f"volume-{number}") for number, volume in enumerate(volumes(service.volume), 1)),
        ],
    }
    return {key: value for key, value in found.items() if value not in (None, {}, [])}


def resources(service: ServiceOptions, *, gpu: bool) -> dict[str, dict[str, str]]:
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
    found = {
        "requests": {name: text for name, text in requests.items() if text},
        "limits": {
            **({"nvidia.com/gpu": str(service.gpus or 1)} if gpu else {}),
            **{name: text for name, text in limits.items() if text},
        },
    }
    return {key: value for key, value in found.items() if value}


def reach(service: ServiceOptions) -> dict[str, Any]:
    """Attributes of the http trigger: the port, and what Kubernetes makes of it. Raises UserError."""
    if service.service_type == "NodePort" and service.port and service.port not in NODE_PORTS:
        raise UserError(
            f"--port {service.port} is no port of a node",
            why="Kubernetes gives a service of type NodePort one from 30000 to 32767",
            remedy="--port 32001, or leave it out",
        )
    found: dict[str, Any] = {"port": service.port, "serviceType": service.service_type}
    if service.ingress_host:
        found["ingresses"] = {"0": {"host": service.ingress_host, "paths": ["/"]}}
    return {key: value for key, value in found.items() if value}


def secret_variables(service: ServiceOptions) -> list[dict[str, Any]]:
    """Entries of `spec.env` that name a Kubernetes secret: its value is in no file. Raises UserError."""
    return [{"name": name, "valueFrom": _secret(name, text)} for name, text in service.secret_env.items()]


def _secret(name: str, text: str) -> dict[str, Any]:
    found = _SECRET.fullmatch(text)
    if found is None:
        raise UserError(
            f"--secret-env {name}={text!a} names no secret", remedy="--secret-env NAME=SECRET[:KEY] (KEY: NAME)"
        )
    return {"secretKeyRef": {"name": found["name"], "key": found["key"] or name}}


def _affinity(service: ServiceOptions) -> Mapping[str, Any] | None:
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
    return held


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


def _shared_memory(size: str) -> dict[str, Any]:
    return {
        "volume": {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": size}},
        "volumeMount": {"name": "shm", "mountPath": "/dev/shm"},  # noqa: S108 - the mount point itself
    }
