"""CN5xx: sizes, times and workers."""

from collections.abc import Iterator

from ...nuclio.duration import BadDuration, nanoseconds
from ...nuclio.trigger import DEFAULT_BODY_LIMIT, BadAttribute, http_trigger
from ..config import Config
from ..finding import Finding
from ..rule import NOTE, WARNING, ConfigRule

# CVAT_NUCLIO_DEFAULT_TIMEOUT
CVAT_TIMEOUT = 120


class BodyLimit(ConfigRule):
    """The body limit is Nuclio's default of 4 MiB or less: photographs above about 3 MB are refused with 400.

    CVAT sends the original image in base64, a third more than the file. The user sees "400 Client Error" only.
    """

    id, name, severity = "CN501", "body-limit", WARNING
    cvat = True
    source = "Nuclio: vectors body-default-length-4194305, attr-maxRequestBodySize-zero; cvat#6861, #5258, #9679"
    remedy = "write `maxRequestBodySize: 33554432` (32 MiB) under the trigger's attributes"

    def check(self, config: Config) -> Iterator[Finding]:
        for name, trigger in config.triggers.items():
            try:
                limit = http_trigger(name, trigger).body_limit
            except (BadAttribute, BadDuration):
                continue
            if limit <= DEFAULT_BODY_LIMIT:
                path = ("spec", "triggers", name, "attributes", "maxRequestBodySize")
                place = config.value(*path) if config.has(*path) else config.key(*path)
                raw = limit * 3 // 4
                size = f"{raw / 1_000_000:.1f} MB" if raw >= 100_000 else f"{raw} bytes"
                message = f"the body limit of {limit} bytes lets images of at most {size} pass"
                yield self.found(config.file, message, place)


class LongEventTimeout(ConfigRule):
    """`eventTimeout` is longer than CVAT waits: CVAT gives up after 120 s, and the worker goes on for nobody."""

    id, name, severity = "CN502", "long-event-timeout", WARNING
    cvat = True
    source = "CVAT: CVAT_NUCLIO_DEFAULT_TIMEOUT = 120; Nuclio: it fires between T-1 s and 2T"
    remedy = "write at most 120s; 60s is cut after 60 to 120 s"

    def check(self, config: Config) -> Iterator[Finding]:
        text = config.spec.get("eventTimeout", "")
        try:
            length = nanoseconds(text) / 1e9 if text else 0
        except BadDuration:
            return
        if length > CVAT_TIMEOUT:
            place = config.value("spec", "eventTimeout")
            message = f"an event timeout of {text} is longer than the {CVAT_TIMEOUT} s that CVAT waits"
            yield self.found(config.file, message, place, length=len(text))


class NoEventTimeout(ConfigRule):
    """There is no `eventTimeout`: a request that hangs keeps its worker for ever."""

    id, name, severity = "CN503", "no-event-timeout", NOTE
    cvat = True
    source = "Nuclio: no limit without it; cvat#6192"
    remedy = "write `eventTimeout: 60s`"

    def check(self, config: Config) -> Iterator[Finding]:
        if config.triggers and not config.spec.get("eventTimeout"):
            yield self.found(config.file, "no event timeout: a hung request keeps its worker", config.key("spec"))


class LongWait(ConfigRule):
    """A request waits for a free worker longer than CVAT waits for the answer."""

    id, name, severity = "CN504", "long-wait", WARNING
    cvat = True
    source = "Nuclio: vectors busy-1workers-availability-*; CVAT's 120 s"
    remedy = "write at most 120000 milliseconds"

    def check(self, config: Config) -> Iterator[Finding]:
        for name, trigger in config.triggers.items():
            wait = trigger.get("workerAvailabilityTimeoutMilliseconds")
            if wait is not None and wait > CVAT_TIMEOUT * 1000:
                path = ("spec", "triggers", name, "workerAvailabilityTimeoutMilliseconds")
                message = f"a request may wait {wait / 1000:g} s for a worker; CVAT gives up after {CVAT_TIMEOUT} s"
                yield self.found(config.file, message, config.value(*path), length=len(str(wait)))


class NoWait(ConfigRule):
    """No request waits for a free worker: the second one at a time gets 503."""

    id, name, severity = "CN505", "no-wait", WARNING
    cvat = True
    source = "Nuclio: vector busy-1workers-availability-0"
    remedy = "write 10000 or more milliseconds"

    def check(self, config: Config) -> Iterator[Finding]:
        for name, trigger in config.triggers.items():
            if trigger.get("workerAvailabilityTimeoutMilliseconds") == 0:
                path = ("spec", "triggers", name, "workerAvailabilityTimeoutMilliseconds")
                yield self.found(config.file, "a request that meets busy workers gets 503 at once", config.value(*path))


class GPUWorkers(ConfigRule):
    """Several workers on a GPU: each is a process with its own copy of the model in the GPU's memory."""

    id, name, severity = "CN506", "gpu-workers", WARNING
    cvat = True
    source = "Nuclio: one process a worker, all started at once (nuclio#3180); cvat#2585, #2635, #3548"
    remedy = "write `numWorkers: 1`, unless the GPU holds that many models"

    def check(self, config: Config) -> Iterator[Finding]:
        if not config.is_gpu:
            return
        for name, trigger in config.triggers.items():
            key = "numWorkers" if trigger.get("numWorkers") else "maxWorkers"
            if trigger.get(key, 1) > 1:
                path = ("spec", "triggers", name, key)
                message = f"{trigger[key]} workers hold {trigger[key]} models in the GPU's memory"
                yield self.found(config.file, message, config.value(*path), length=len(str(trigger[key])))


class ShortEventTimeout(ConfigRule):
    """`eventTimeout` is shorter than the processor's clock can tell: requests that are well are killed too.

    The clock has a resolution of a second, and in the processor's first ten seconds ages count from its start.
    """

    id, name, severity = "CN507", "short-event-timeout", WARNING
    cvat = True
    source = "Nuclio: vectors eventTimeout-2s-window, eventTimeout-early-5s-window, spec-eventTimeout-1ms"
    remedy = "write 30s or more"

    def check(self, config: Config) -> Iterator[Finding]:
        text = config.spec.get("eventTimeout", "")
        try:
            length = nanoseconds(text) / 1e9 if text else 0
        except BadDuration:
            return
        if 0 < length < 5:
            message = f"an event timeout of {text} kills workers that are well"
            yield self.found(config.file, message, config.value("spec", "eventTimeout"), length=len(text))
