"""CN325, CN326 and CN508: settings that are sound by themselves, and do not fit where or what they run."""

import ast
from collections.abc import Iterator

from ..bundle import Bundle
from ..key_rules import At, Said, row
from ..rule import ERROR, NOTE, WARNING, Fault, rule


def _unpinned(at: At) -> Said:
    ports = [(trigger.get("attributes") or {}).get("port") for trigger in at.bundle.triggers.values()]
    if at.value not in ("always", "unless-stopped") or any(ports):
        return None
    return f"Docker starts the container again (restart policy {at.value}), on another port"


row(
    "CN325", "unpinned-port", NOTE, "spec.platform.attributes.restartPolicy.name", _unpinned,
    """Docker chooses the port on the host, and another one at each restart of the container or of the machine.

    Nuclio goes on naming the old one, so CVAT gets no answer until the next deploy. Kubernetes has no such port.
    """,
    source="Nuclio: recordings state-started-again, container-restarted-by-docker, after-daemon-restart-state (1.14)",
    remedy="pin it: `port: 32001` in the http trigger's attributes (`cvat-nuclio generate --port 32001`)", cvat=True,
)  # fmt: skip


@rule(
    "CN326", "autoscaler-without-request", WARNING,
    source="Nuclio: recordings option-min-max-replicas, option-limits-only (1.14.1)",
    remedy="request what a busy worker takes: `cvat-nuclio bench` measures it, "
    "`generate --cpu-request 1` writes spec.resources.requests.cpu",
)  # fmt: skip
def autoscaler_without_request(bundle: Bundle) -> Iterator[Fault]:
    """An autoscaler counts in percent of the CPU requested, and none is: Nuclio requests 25m.

    The first request of a model is above 75 % of that, so the number of replicas goes to the maximum at once.
    """
    low, high = bundle.spec.get("minReplicas"), bundle.spec.get("maxReplicas")
    requests = (bundle.spec.get("resources") or {}).get("requests") or {}
    custom = bundle.spec.get("autoScaleMetrics") or bundle.spec.get("customScalingMetricSpecs")
    if high and high > (low or 1) and not requests.get("cpu") and not custom:
        yield Fault(f"up to {high} replicas, by the use of 25m CPU", bundle.places.value("spec", "maxReplicas"))


@rule(
    "CN508", "in-memory-workers", ERROR,
    source="aa_runtime: Options.state; Nuclio sends each request to any worker of any replica", cvat=True,
    remedy="write `numWorkers: 1` and no more than one replica, or generate the bundle with --state token",
)  # fmt: skip
def in_memory_workers(bundle: Bundle) -> Iterator[Fault]:
    """A tracker keeps its states in one process, and the file asks for several: they do not know each other's tracks.

    `generate --state in-memory` writes one worker and one replica; the file was changed afterwards.
    """
    if not any(_in_memory(call) for module in bundle.modules.values() for call, _ in module.calls):
        return
    for name, trigger in bundle.triggers.items():
        key = "numWorkers" if trigger.get("numWorkers") else "maxWorkers"
        if (count := trigger.get(key) or 1) > 1:
            place = bundle.places.value("spec", "triggers", name, key)
            yield Fault(f"{count} workers for states that live in one of them", place)
    for key in ("replicas", "minReplicas", "maxReplicas"):
        if (count := bundle.spec.get(key) or 1) > 1:
            yield Fault(f"{key} {count} for states that live in one of them", bundle.places.value("spec", key))


def _in_memory(call: ast.Call) -> bool:
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    state = given.get("state")
    called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    return called == "Options" and isinstance(state, ast.Constant) and state.value == "in-memory"
