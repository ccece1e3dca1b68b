"""CN2xx: what stops the function processor at its start, or makes it serve nothing."""

import re
from collections.abc import Iterator

from ...nuclio.duration import BadDuration, nanoseconds, text_of
from ...nuclio.starting import OTHER_RUNTIMES, TRIGGER_KINDS, Obstacle, obstacles
from ...nuclio.trigger import PROCESSOR_ATTRIBUTES
from ..config import Config
from ..finding import Finding
from ..near import near
from ..rule import ERROR, WARNING, ConfigRule
from .reading import TWO_TRIGGERS


class EventTimeout(ConfigRule):
    """`eventTimeout` is no Go duration above zero: the processor ends at its start.

    nuctl takes it, builds the image, and waits for a container that restarts for ever.
    """

    id, name, severity = "CN201", "event-timeout", ERROR
    source = "Nuclio: vectors spec-eventTimeout-str-30, -0s, -1d; recording event-timeout-bad"
    remedy = "write a number and a unit, such as 60s or 1m30s"

    def check(self, config: Config) -> Iterator[Finding]:
        text = config.spec.get("eventTimeout")
        if not text:
            return
        try:
            length = nanoseconds(text)
            message = "" if length > 0 else f"the timeout must be longer than {text_of(length)}"
        except BadDuration as error:
            message = str(error).removeprefix("time: ")
        if message:
            place = config.value("spec", "eventTimeout")
            remedy = f"write {text}s" if re.fullmatch(r"[0-9.]*[1-9][0-9.]*", text) else ""
            yield self.found(config.file, f"spec.eventTimeout: {message}", place, length=len(text), remedy=remedy)


class ObstacleRule(ConfigRule):
    """A rule about one reason why the processor ends."""

    severity = ERROR
    keys: tuple[str, ...] = ()

    def check(self, config: Config) -> Iterator[Finding]:
        for obstacle in self.obstacles(config):
            remedy = self.advice(config, obstacle)
            place = config.value(*obstacle.path)
            message = f"{'.'.join(map(str, obstacle.path))}: {self.message(config, obstacle)}"
            yield self.found(config.file, message, place, remedy=remedy)

    def obstacles(self, config: Config) -> Iterator[Obstacle]:
        """The obstacles of this rule."""
        if config.config:
            for obstacle in obstacles(config.config, config.settings.nuclio):
                if obstacle.path[-1] in self.keys:
                    yield obstacle

    def message(self, config: Config, obstacle: Obstacle) -> str:
        """What to say."""
        return f"the processor ends at its start: {obstacle.message.removeprefix('* ')}"

    def advice(self, config: Config, obstacle: Obstacle) -> str:
        """A remedy that fits the value; empty for the rule's own."""
        return ""


class TriggerKind(ObstacleRule):
    """A trigger of a kind that Nuclio does not know: the processor ends at its start.

    nuctl does not look at it. Kinds are compared exactly: HTTP is not http.
    """

    id, name, keys = "CN202", "trigger-kind", ("kind",)
    source = "Nuclio: vectors trigger-kind-wrong, trigger-kind-upper, trigger-null; recording trigger-unknown-kind"
    remedy = "write `kind: http`"

    def advice(self, config: Config, obstacle: Obstacle) -> str:
        kind = config.spec["triggers"][obstacle.path[2]]["kind"]
        found = near(kind, TRIGGER_KINDS)
        return f"write `kind: {found}`" if found else ""


class TriggerAttribute(ObstacleRule):
    """A trigger attribute has the wrong type: the processor ends at its start.

    `maxRequestBodySize` is a number of bytes, not "32MB".
    """

    id, name = "CN203", "trigger-attribute"
    keys = tuple(PROCESSOR_ATTRIBUTES)
    source = "Nuclio: vectors attr-maxRequestBodySize-str, attr-cors-bool; recording trigger-maxbody-string"
    remedy = "write a value of the type that the message names"

    def obstacles(self, config: Config) -> Iterator[Obstacle]:
        yield from (o for o in super().obstacles(config) if len(o.path) > 3 and o.path[3] == "attributes")

    def advice(self, config: Config, obstacle: Obstacle) -> str:
        trigger = config.spec["triggers"][obstacle.path[2]]
        text = str(trigger.get("attributes", {}).get(obstacle.path[-1], ""))
        match = re.fullmatch(r"(\d+) ?([kMG]?)i?B?", text)
        if not match:
            return ""
        return f"write {int(match[1]) * {'': 1, 'k': 1024, 'M': 1024**2, 'G': 1024**3}[match[2]]}, without quotes"


class NumWorkers(ObstacleRule):
    """A number of workers that cannot be: negative (the processor panics) or above 100000 (nuctl refuses)."""

    id, name, keys = "CN204", "num-workers", ("numWorkers",)
    source = "Nuclio: vector trigger-numWorkers-neg; abstract/platform.go ValidateFunctionConfig"
    remedy = "write 1, or as many as fit the machine"

    def obstacles(self, config: Config) -> Iterator[Obstacle]:
        yield from super().obstacles(config)
        for name, trigger in (config.spec.get("triggers") or {}).items():
            if trigger.get("numWorkers", 0) > 100_000:
                yield Obstacle("more than 100000 workers", ("spec", "triggers", name, "numWorkers"))


class TerminationTimeout(ObstacleRule):
    """`workerTerminationTimeout` is no Go duration: the processor ends at its start."""

    id, name, keys = "CN205", "termination-timeout", ("workerTerminationTimeout",)
    source = "Nuclio: vector trigger-workerTermination-str-10"
    remedy = "write a number and a unit, such as 10s"


class TwoHTTPTriggers(ConfigRule):
    """Two http triggers: nuctl refuses them."""

    id, name, severity = "CN206", "two-http-triggers", ERROR
    source = "Nuclio: vectors trigger-two-http, trigger-two-http-same-url; recording trigger-two-http"
    remedy = "keep one; more workers are `numWorkers`"

    def check(self, config: Config) -> Iterator[Finding]:
        refused = config.built.refused
        if refused and TWO_TRIGGERS in refused.message:
            place = config.key("spec", "triggers")
            yield self.found(config.file, "nuctl refuses more than one http trigger", place, length=len("triggers"))


class NoHTTPTrigger(ConfigRule):
    """There is no http trigger: nuctl adds one with Nuclio's defaults, which are not CVAT's needs.

    It has one worker and a body limit of 4 MiB, which a photograph in base64 soon passes. A processor that is given the
    file as it is serves nothing. With `disableDefaultHTTPTrigger` nothing is added and CVAT has nothing to call.
    """

    id, name, severity = "CN207", "no-http-trigger", WARNING
    cvat = True
    source = "Nuclio: vectors triggers-absent, triggers-empty; recording trigger-none"
    remedy = "add spec.triggers with `kind: http`, numWorkers and maxRequestBodySize"

    def check(self, config: Config) -> Iterator[Finding]:
        if not config.spec or config.triggers or not config.has("spec"):
            return
        if any(t["kind"] not in TRIGGER_KINDS for t in (config.spec.get("triggers") or {}).values()):
            return
        none = bool(config.spec.get("disableDefaultHTTPTrigger"))
        message = "no http trigger" + (" and none is added: CVAT has nothing to call" if none else "")
        yield self.found(config.file, message, config.key("spec", "triggers"), severity=ERROR if none else None)


class LoggerSink(ObstacleRule):
    """A logger sink that the local platform does not define: the processor ends at its start."""

    id, name, keys = "CN208", "logger-sink", ("sink",)
    source = "Nuclio: vector spec-loggerSinks-bad-sink"
    remedy = "leave `sink` out, or define the sink in the platform's configuration"


class DataBinding(ObstacleRule):
    """A data binding of a class that Nuclio does not know: the processor ends at its start."""

    id, name, keys = "CN209", "data-binding", ("class",)
    source = "Nuclio: vector spec-dataBindings-unknown"
    remedy = "remove it: CVAT's functions need none"


class Batch(ConfigRule):
    """Batching is on: CVAT sends single requests, and an answer that is no batch ends the processor."""

    id, name, severity = "CN210", "batch", ERROR
    source = "Nuclio: vectors trigger-batch, trigger-batch-bad-timeout (1.14.1)"
    remedy = "remove `batch`"

    def check(self, config: Config) -> Iterator[Finding]:
        for name, trigger in config.triggers.items():
            if (trigger.get("batch") or {}).get("mode") == "enable":
                place = config.key("spec", "triggers", name, "batch")
                yield self.found(config.file, f"trigger {name} has batching on", place, length=len("batch"))


class Runtime(ConfigRule):
    """The runtime is missing, or none of Nuclio's.

    The text before the colon must be exactly `python`. Other runtimes need files that this image lacks.
    """

    id, name, severity = "CN211", "runtime", ERROR
    source = (
        "Nuclio: vectors runtime-absent, runtime-upper, runtime-golang; recordings runtime-missing, runtime-unknown"
    )
    remedy = "write `runtime: python:3.11`"

    def check(self, config: Config) -> Iterator[Finding]:
        if not config.has("spec") or config.built.refused:
            return
        runtime = config.spec.get("runtime", "")
        base = runtime.split(":")[0]
        if base == "python":
            return
        if base in OTHER_RUNTIMES and self._foreign(config):
            return
        message = f"{runtime!r} is no runtime that Nuclio knows" if runtime else "no runtime: nuctl refuses the folder"
        if base in OTHER_RUNTIMES:
            message = f"the handler is Python, the runtime is {runtime}"
        place = config.value("spec", "runtime") if config.has("spec", "runtime") else config.key("spec")
        yield self.found(config.file, message, place, length=max(1, len(runtime)))

    def _foreign(self, config: Config) -> bool:
        """Whether it is a function in another language, which is fine."""
        return not any(file.suffix == ".py" for file in config.folder.iterdir())


class HandlerForm(ObstacleRule):
    """`handler` is not `module:function`: the worker dies at its start.

    Dots separate packages; slashes, blanks and a missing colon are refused.
    """

    id, name = "CN212", "handler-form"
    keys = ("handler",)
    source = (
        "Nuclio: vectors handler-main, handler-slash, handler-space, handler-absent; recording handler-without-colon"
    )
    remedy = "write `handler: main:handler`"

    def obstacles(self, config: Config) -> Iterator[Obstacle]:
        runtime = config.spec.get("runtime", "python").split(":")[0]
        if runtime in OTHER_RUNTIMES:
            return
        found = list(super().obstacles(config))
        if not found and config.has("spec") and not config.spec.get("handler") and not config.built.refused:
            found = [Obstacle("no handler", ("spec", "handler"), 2)]
        yield from found

    def message(self, config: Config, obstacle: Obstacle) -> str:
        handler = config.spec.get("handler", "")
        return f"{handler!r} is not module:function" if handler else "there is none"
