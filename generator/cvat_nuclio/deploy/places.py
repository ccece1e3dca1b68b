"""Where functions run, local Docker or a cluster: what serves there, how it is asked, why it does not answer."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import attrs

from ..invoke.call_target import Target
from ..limits import DASHBOARD_PORT
from . import first_request
from .asked_program import Run
from .cluster import Cluster
from .docker_container import container_name, find_container, why_silent
from .nuctl import State
from .nuctl_causes import Cause, find_cause

FUNCTION_PORT = 8080
ADDRESSES_GONE = "Nuclio has taken the function's addresses away, so CVAT gets HTTP 500 until a deploy succeeds"
NOT_ASKED = (
    "no request was sent: a service of type ClusterIP has no port outside; name Nuclio's dashboard "
    "(--dashboard URL), or have kubectl on PATH with the right to forward ports"
)


@attrs.frozen
class Serving:
    """What answers for a function now. `ids`: the containers or pods, empty for none (or none that can be seen)."""

    ids: frozenset[str] = frozenset()
    where: str = ""
    all_ids: frozenset[str] = frozenset()
    """The same with those that are not ready."""


@attrs.frozen
class Asked:
    """A function that was asked: what is wrong, where it listens, what could not be asked."""

    cause: Cause | None = None
    url: str = ""
    note: str = ""


@attrs.frozen
class LocalPlace:
    """Docker on this machine."""

    docker: Run
    namespace: str | None = None
    goes_on: Collection[str] = ()
    """States in which an interrupted deploy goes on by itself."""

    def serving(self, name: str, state: State) -> Serving:
        """What answers now."""
        found = find_container(container_name(name, self.namespace), self.docker)
        port = found.port if found else state.port
        if (found and found.status != "running") or not port or not first_request.is_alive(port):
            return Serving()
        return Serving(frozenset({found.id if found else f"port {port}"}), f"port {port}")

    def reached(self, serving: Serving, state: State) -> bool:
        """Whether CVAT, which asks Nuclio where the function is, gets to what serves."""
        return bool(serving.ids and state.port)

    def left(self, before: Serving, after: Serving, state: State) -> str:
        """What answers after a deploy that failed, in words; `state` is the one after it."""
        if not after.ids:
            was = "the old version was removed before the new one failed" if before.ids else None
            return f"nothing: {was or 'it was not serving before either'}"
        what = "the old version still serves" if after.ids == before.ids else "the new version answers"
        although = f", although its state is {state.state}" if state.state not in ("ready", None) else ""
        return f"{what} on {after.where}{although}"

    def ask(self, config: Mapping[str, Any], state: State) -> Asked:
        """One real request to a function that nuctl calls ready."""
        name = str(config["metadata"]["name"])
        if not state.port:
            return Asked(self._silent(name, 0) if not _wants_none(config) else _disabled())
        url = f"http://127.0.0.1:{state.port}/"
        if trouble := first_request.failure(Target(dict(config), url)):
            container = container_name(name, self.namespace)
            return Asked(Cause("request-failed", f"deployed, but {trouble}", f"docker logs {container}"))
        return Asked(url=url)

    def look(self, name: str, state: State) -> Asked:
        """Whether a function of that state answers, without a request of its kind."""
        if state.port and first_request.is_alive(state.port):
            return Asked(url=f"http://127.0.0.1:{state.port}/")
        return Asked(self._silent(name, state.port))

    def _silent(self, name: str, port: int) -> Cause:
        container = container_name(name, self.namespace)
        return why_silent(find_container(container, self.docker), container, port)

    def evidence(self, name: str, state: State, before: Serving) -> str:
        """What is known of a deploy's failure beyond nuctl's output: here nothing."""
        return ""

    def hopeless(self, name: str, before: Serving) -> Cause | None:
        """Why a deploy under way cannot succeed, as soon as that shows: here never."""
        return None


@attrs.frozen
class ClusterPlace:
    """A cluster. `dashboard`: where Nuclio's listens, as seen from here; by default kubectl makes a way to it."""

    cluster: Cluster
    dashboard: str | None = None
    # nuctl only watches then; the controller does the work.
    goes_on: Collection[str] = ("waitingForResourceConfiguration", "configuringResources")

    def serving(self, name: str, state: State) -> Serving:
        pods = self.cluster.pods(name)
        if pods is None:  # then Nuclio's word is all there is
            return Serving(frozenset({"?"} if state.inside else ()), "in the cluster")
        names = frozenset(pod.name for pod in pods)
        return Serving(frozenset(pod.name for pod in pods if pod.ready), "in the cluster", names)

    def reached(self, serving: Serving, state: State) -> bool:
        return bool(serving.ids and state.inside)

    def left(self, before: Serving, after: Serving, state: State) -> str:
        if state.inside and after.ids:
            new = "the new version serves" if before.ids and not before.ids & after.ids else "it serves"
            what = "the old version still serves" if before.ids & after.ids else new
            return f"{what}, although its state is {state.state}" if state.state != "ready" else what
        if not before.ids and not after.ids:
            return "nothing: it was not serving before either"
        if not after.ids and not state.inside:
            return f"nothing: {ADDRESSES_GONE}"
        if not after.ids:
            return "nothing: no pod of it is ready any more"
        whose = "the old version's pod still runs" if before.ids & after.ids else "a pod of it is ready"
        return f"{whose}, but {ADDRESSES_GONE}"

    def ask(self, config: Mapping[str, Any], state: State) -> Asked:
        if _wants_none(config):
            return Asked(_disabled())
        if not state.inside:
            return Asked(_no_address())
        name = str(config["metadata"]["name"])
        url = f"http://{state.inside[0]}/"
        with self._way_in(config, name) as target:
            if target is None:
                return Asked(url=url, note=NOT_ASKED)
            if trouble := first_request.failure(target):
                return Asked(
                    Cause("request-failed", f"deployed, but {trouble}", f"cvat-nuclio logs {name} --platform kube")
                )
        return Asked(url=url)

    @contextmanager
    def _way_in(self, config: Mapping[str, Any], name: str) -> Iterator[Target | None]:
        """As CVAT calls it, through the dashboard; where none is in the namespace its own service; None for no way."""
        function = {**config, "metadata": {**config["metadata"], "namespace": self.cluster.namespace}}
        if self.dashboard:
            yield Target(function, self.dashboard, dashboard=self.dashboard)
            return
        service = self.cluster.dashboard()
        port = DASHBOARD_PORT if service else FUNCTION_PORT
        with self.cluster.forwarded(service or f"nuclio-{name}", port) as here:
            url = f"http://127.0.0.1:{here}"
            yield Target(function, url, dashboard=url if service else None) if here else None

    def look(self, name: str, state: State) -> Asked:
        pods = self.cluster.pods(name)
        if not state.inside and (pods is None or any(pod.ready for pod in pods)):
            return Asked(_no_address())
        if pods is not None and not any(pod.ready for pod in pods):
            found = find_cause("", "", self.evidence(name, state, Serving()))
            none = Cause("no-pod", "no pod of it is ready", f"kubectl describe pods -l nuclio.io/function-name={name}")
            return Asked(none if found.id == "unknown" else found)
        note = "" if pods is not None else "its pods were not looked at: kubectl does not answer"
        return Asked(url=f"http://{state.inside[0]}/" if state.inside else "", note=note)

    def evidence(self, name: str, state: State, before: Serving) -> str:
        return "\n".join([self.cluster.evidence(name, before.all_ids), state.message])

    def hopeless(self, name: str, before: Serving) -> Cause | None:
        new = [pod for pod in self.cluster.pods(name) or () if not pod.ready and pod.name not in before.all_ids]
        if not new:
            return None
        found = find_cause("", "", self.cluster.evidence(name, before.all_ids))
        return found if found.id in HOPELESS else None


Place = LocalPlace | ClusterPlace
"""Where a function runs."""

# What no waiting mends; a node may still come, and a registry answer again.
HOPELESS = (
    "pull-not-found",
    "pull-unauthorized",
    "pull-secret-missing",
    "pull-wrong-platform",
    "secret-or-configmap-missing",
)


def _wants_none(config: Mapping[str, Any]) -> bool:
    spec = config.get("spec") or {}
    return bool(spec.get("disable")) or spec.get("replicas") == 0


def _disabled() -> Cause:
    return Cause(
        "disabled",
        "deployed, but the file asks for no replica (`disable: true` or `replicas: 0`), so nothing serves",
        "take that out of the function's file",
    )


def _no_address() -> Cause:
    return Cause(
        "no-address",
        "Nuclio has no address of the function, so CVAT gets HTTP 500: an earlier update failed",
        "deploy a good version again",
    )
