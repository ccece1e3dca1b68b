"""CN325, CN326 and CN508: settings that are sound by themselves, and do not fit where or what they run."""

from ..bundle import Module
from ..key_rules import At, Said, key_rule
from ..rule import ERROR, NOTE, WARNING
from ..source import argument, is_value


@key_rule(
    "CN325", "unpinned-port", NOTE, "spec.platform.attributes.restartPolicy.name",
    source="Nuclio: recordings state-started-again, container-restarted-by-docker, after-daemon-restart-state (1.14)",
    remedy="pin it: `port: 32001` in the http trigger's attributes (`cvat-nuclio generate --port 32001`)", cvat=True,
)  # fmt: skip
def unpinned_port(at: At) -> Said:
    """Docker chooses the port on the host, and another one at each restart of the container or of the machine.

    Nuclio goes on naming the old one, so CVAT gets no answer until the next deploy. Kubernetes has no such port.
    """
    ports = [(trigger.get("attributes") or {}).get("port") for trigger in at.bundle.triggers.values()]
    if at.value not in ("always", "unless-stopped") or any(ports):
        return None
    return f"Docker starts the container again (restart policy {at.value}), on another port"


@key_rule(
    "CN326", "autoscaler-without-request", WARNING, "spec.maxReplicas",
    source="Nuclio: recordings option-min-max-replicas, option-limits-only (1.14.1)",
    remedy="request what a busy worker takes: `cvat-nuclio bench` measures it, "
    "`generate --cpu-request 1` writes spec.resources.requests.cpu",
)  # fmt: skip
def autoscaler_without_request(at: At) -> Said:
    """An autoscaler counts in percent of the CPU requested, and none is: Nuclio requests 25m.

    The first request of a model is above 75 % of that, so the number of replicas goes to the maximum at once.
    """
    spec = at.bundle.spec
    requests = (spec.get("resources") or {}).get("requests") or {}
    known = requests.get("cpu") or spec.get("autoScaleMetrics") or spec.get("customScalingMetricSpecs")
    scales = at.value > (spec.get("minReplicas") or 1)
    return f"up to {at.value} replicas, by the use of 25m CPU" if scales and not known else None


@key_rule(
    "CN508", "in-memory-workers", ERROR,
    ("spec.triggers.<http>.numWorkers", "spec.triggers.<http>.maxWorkers", "spec.replicas", "spec.minReplicas",
     "spec.maxReplicas"),
    source="aa_runtime: Options.state; Nuclio sends each request to any worker of any replica", cvat=True,
    remedy="write `numWorkers: 1` and no more than one replica, or generate the bundle with --state token",
)  # fmt: skip
def in_memory_workers(at: At) -> Said:
    """A tracker keeps its states in one process, and the file asks for several: they do not know each other's tracks.

    `generate --state in-memory` writes one worker and one replica; the file was changed afterwards.
    """
    if at.value <= 1 or at.is_overruled or not any(map(_in_memory, at.bundle.modules.values())):
        return None
    what = f"{at.value} workers" if at.key.endswith("Workers") else f"{at.key} {at.value}"
    return f"{what} for states that live in one of them"


def _in_memory(module: Module) -> bool:
    options = [call for call, name in module.calls if name.rpartition(".")[2] == "Options"]
    return any(is_value(argument(call, "state"), "in-memory") for call in options)
