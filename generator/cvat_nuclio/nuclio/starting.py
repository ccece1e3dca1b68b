"""What stops a function processor at its start, beyond a configuration that cannot be read."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .duration import BadDuration, nanoseconds
from .http_trigger import BadAttribute, http_trigger
from .structs import NEWEST, Version

TRIGGER_KINDS = frozenset({
    "cron", "http", "kafka-cluster", "kafka", "kickstart", "kinesis", "mqtt", "iotCoreMqtt", "nats", "eventhub",
    "v3ioItemPoller", "pubsub", "rabbit-mq", "rabbitMq", "v3ioStream",
})  # fmt: skip
DATA_BINDINGS = frozenset({"v3io", "eventhub"})
OTHER_RUNTIMES = frozenset(["dotnetcore", "golang", "java", "nodejs", "ruby", "shell"])
# The Python wrapper's own pattern.
HANDLER = re.compile(r"([\w|-]+(?:\.[\w|-]+)*):(\w+)")


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One reason why the processor ends. `path` leads into the configuration; `exit_code` is the processor's."""

    message: str
    path: tuple[str | int, ...]
    exit_code: int = 1


def obstacles(
    config: dict[str, Any], version: Version = NEWEST, sinks: frozenset[str] = frozenset({"stdout"})
) -> Iterator[Obstacle]:
    """Every reason, in the order in which the processor would meet them.

    `config` is a processor's `Reading.config`. `sinks` are the platform's logger sinks; on a local platform there is
    `stdout` alone. Whether the handler's module exists is not asked here.
    """
    spec = config["spec"]
    for index, sink in enumerate(spec.get("loggerSinks", [])):
        name = sink.get("sink")
        if name and name not in sinks:
            yield Obstacle(f"Failed to find logger sink {name}", ("spec", "loggerSinks", index, "sink"))
    for name, trigger in sorted(spec.get("triggers", {}).items()):
        yield from _trigger(trigger, name, version)
    if spec.get("triggers"):
        yield from _worker(spec)


def _trigger(trigger: dict[str, Any], name: str, version: Version) -> Iterator[Obstacle]:
    path = ("spec", "triggers", name)
    kind = trigger["kind"]
    if kind not in TRIGGER_KINDS:
        yield Obstacle(f"Registry for trigger failed to find: {kind}", (*path, "kind"))
        return
    try:
        nanoseconds(trigger.get("workerTerminationTimeout") or "10s")
    except BadDuration:
        message = "Failed to parse worker termination timeout from trigger configuration"
        yield Obstacle(message, (*path, "workerTerminationTimeout"))
    if kind == "http":
        yield from _attributes(trigger, name, path)
    if trigger.get("numWorkers", 1) < 0:
        yield Obstacle("runtime error: makeslice: len out of range", (*path, "numWorkers"))
    if version >= (1, 14) and (trigger.get("batch") or {}).get("mode") == "enable":
        yield from _batch(trigger["batch"], path)


def _attributes(trigger: dict[str, Any], name: str, path: tuple[str, ...]) -> Iterator[Obstacle]:
    try:
        http_trigger(name, trigger)
    except BadAttribute as error:
        yield Obstacle(f"* {error}", (*path, "attributes", error.name))
    except BadDuration:
        return


def _batch(batch: dict[str, Any], path: tuple[str, ...]) -> Iterator[Obstacle]:
    timeout = batch.get("timeout") or "1s"
    try:
        nanoseconds(timeout)
    except BadDuration:
        yield Obstacle(f"Could not parse batch timeout: {timeout}", (*path, "batch", "timeout"))


def _worker(spec: dict[str, Any]) -> Iterator[Obstacle]:
    for name, binding in sorted(spec.get("dataBindings", {}).items()):
        if binding["class"] not in DATA_BINDINGS:
            message = f"Registry for databinding failed to find: {binding['class']}"
            yield Obstacle(message, ("spec", "dataBindings", name, "class"))
    runtime = spec.get("runtime", "").split(":")[0]
    if runtime in OTHER_RUNTIMES:
        yield Obstacle(f"{runtime} needs files that a Python function's image lacks", ("spec", "runtime"))
    elif runtime != "python":
        yield Obstacle(f"Registry for runtime failed to find: {runtime}", ("spec", "runtime"))
    handler = spec.get("handler", "")
    # Python's $ accepts a final line feed.
    if not HANDLER.fullmatch(handler.removesuffix("\n")):
        yield Obstacle(f"Malformed handler - {handler!r}", ("spec", "handler"), 2)
