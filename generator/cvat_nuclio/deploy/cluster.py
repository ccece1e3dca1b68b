"""A Kubernetes cluster as kubectl shows it: pods and their events, rights, services, a way in from this machine.

nuctl alone cannot tell that a pod was killed for memory, that a quota is full or that the old version's pod still runs.
Everything here is optional: without kubectl, or where it may not look, the answers are None.
"""

import json
import re
import subprocess
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import attrs

from .asked_program import Run, kubectl

FORWARD_LIMIT = 15.0
_FORWARDING = re.compile(r"Forwarding from 127\.0\.0\.1:(\d+) ->")


@attrs.frozen
class Pod:
    """One pod of a function. `says`: what its containers' states and conditions say is wrong, a line each."""

    name: str
    ready: bool
    images: tuple[str, ...]
    says: tuple[str, ...]

    @classmethod
    def from_json(cls, pod: Mapping[str, Any]) -> "Pod":
        """Reads an item of `kubectl get pods -o json`."""
        status: Mapping[str, Any] = pod.get("status") or {}
        containers: Sequence[Mapping[str, Any]] = status.get("containerStatuses") or []
        conditions = status.get("conditions") or []
        ready = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
        images = tuple(str(one.get("image") or "") for one in containers)
        going = bool((pod.get("metadata") or {}).get("deletionTimestamp"))
        return cls(pod["metadata"]["name"], ready and not going, images, tuple(_complaints(status, containers)))


def _complaints(status: Mapping[str, Any], containers: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if status.get("reason"):
        yield f"pod {status['reason']}: {status.get('message') or ''}"
    for condition in status.get("conditions") or []:
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            yield str(condition.get("message") or "")
    for container in containers:
        state, last = container.get("state") or {}, container.get("lastState") or {}
        for ended in filter(None, (state.get("terminated"), last.get("terminated"))):
            yield f"pod terminated: {ended.get('reason')}, exit code {ended.get('exitCode')}"
        if waiting := state.get("waiting"):
            yield str(waiting.get("message") or waiting.get("reason"))


@attrs.frozen
class Cluster:
    """What kubectl (`run`) sees in Nuclio's namespace."""

    namespace: str
    run: Run = kubectl

    def get(self, *words: str) -> Any:
        """`kubectl get … -o json`, or None where it does not answer."""
        code, stdout, _ = self.run("--namespace", self.namespace, "get", *words, "-o", "json")
        try:
            return json.loads(stdout) if code == 0 else None
        except ValueError:
            return None

    def pods(self, name: str) -> list[Pod] | None:
        """The function's pods."""
        answer = self.get("pods", "-l", f"nuclio.io/function-name={name}")
        return None if answer is None else [Pod.from_json(pod) for pod in answer["items"]]

    def evidence(self, name: str, older: Collection[str] = ()) -> str:
        """What stands in the way of the function's pods, a line each: their states, their events, a full quota.

        `older`: pods that an earlier deploy left; they count only where there are no others.
        """
        pods = self.pods(name)
        waiting = [pod for pod in pods or () if not pod.ready]
        waiting = [pod for pod in waiting if pod.name not in older] or waiting
        lines = [line for pod in waiting for line in pod.says]
        lines += self._events([pod.name for pod in waiting]) if waiting else []
        # Of a pod that may not even be made the Deployment alone tells.
        return "\n".join([*lines, *(() if pods is None else self._refused(name))])

    def _events(self, names: Sequence[str]) -> list[str]:
        answer = self.get("events", "--field-selector", "type=Warning") or {"items": []}
        mine = [event for event in answer["items"] if event["involvedObject"].get("name") in names]
        return [str(event.get("message") or "") for event in mine]

    def _refused(self, name: str) -> list[str]:
        deployment = self.get("deployment", f"nuclio-{name}") or {}
        conditions = (deployment.get("status") or {}).get("conditions") or []
        return [str(one.get("message") or "") for one in conditions if one["type"] == "ReplicaFailure"]

    def dashboard(self) -> str | None:
        """The name of the service of Nuclio's dashboard in the namespace."""
        answer = self.get("services", "-l", "nuclio.io/app=dashboard")
        names = [str(service["metadata"]["name"]) for service in (answer or {}).get("items", [])]
        return names[0] if names else None

    @contextmanager
    def forwarded(self, service: str, port: int) -> Iterator[int | None]:
        """A port of this machine that leads to the service while the block runs, or None where there is no way."""
        command = ["kubectl", "--namespace", self.namespace, "port-forward", f"service/{service}", f":{port}"]
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                text=True, errors="replace", start_new_session=True,
            )  # fmt: skip
        except OSError:
            yield None
            return
        limit = threading.Timer(FORWARD_LIMIT, process.terminate)
        limit.start()
        try:
            found = _forwarding(process)
            limit.cancel()
            yield found
        finally:
            limit.cancel()
            process.terminate()
            process.wait()
            if process.stdout:
                process.stdout.close()


def _forwarding(process: "subprocess.Popen[str]") -> int | None:
    for line in process.stdout or ():
        if found := _FORWARDING.search(line):
            return int(found[1])
    return None
