"""CN2xx: what stops the function processor at its start, or makes it serve nothing."""

import re
from collections.abc import Callable, Iterator

from ...nuclio.http_trigger import PROCESSOR_ATTRIBUTES, is_number
from ...nuclio.model import dotted
from ...nuclio.starting import OTHER_RUNTIMES, TRIGGER_KINDS, Obstacle, obstacles
from ..bundle import Bundle
from ..key_rules import At, Said, key_rule
from ..near import near
from ..rule import ERROR, WARNING, Fault, Rule, register, rule
from .reading import TWO_TRIGGERS


def _obstacle(
    id: str, name: str, keys: tuple[str, ...], doc: str, *,
    source: str, remedy: str, advice: Callable[[Bundle, Obstacle], str] = lambda bundle, obstacle: "",
) -> None:  # fmt: skip
    """A row: the rule about the processor's own reasons to end whose place ends in one of the keys."""

    def look(bundle: Bundle) -> Iterator[Fault]:
        for found in obstacles(bundle.config, bundle.nuclio) if bundle.config else ():
            if found.path[-1] in keys:
                message = f"{dotted(found.path)}: the processor ends at its start: {found.message.removeprefix('* ')}"
                yield Fault(message, bundle.places.value(*found.path), remedy=advice(bundle, found))

    register(Rule(id, name, ERROR, look, Bundle, doc, source, remedy))


def _kind_meant(bundle: Bundle, obstacle: Obstacle) -> str:
    found = near(bundle.spec["triggers"][obstacle.path[2]]["kind"], TRIGGER_KINDS)
    return f"write `kind: {found}`" if found else ""


def _value_meant(bundle: Bundle, obstacle: Obstacle) -> str:
    given = bundle.spec["triggers"][obstacle.path[2]].get("attributes", {}).get(obstacle.path[-1], "")
    match = re.fullmatch(r"(\d+) ?([kMG]?)i?B?", str(given))
    if match:
        return f"write {int(match[1]) * {'': 1, 'k': 1024, 'M': 1024**2, 'G': 1024**3}[match[2]]}, without quotes"
    wanted = PROCESSOR_ATTRIBUTES.get(str(obstacle.path[-1]))
    if wanted is int:
        return "write a number of bytes, such as 33554432 (32 MiB), without quotes"
    return "write true or false, without quotes" if wanted is bool and not is_number(given) else ""


_obstacle(
    "CN202", "trigger-kind", ("kind",),
    """A trigger of a kind that Nuclio does not know: the processor ends at its start.

    nuctl does not look at it. Kinds are compared exactly: HTTP is not http.
    """,
    source="Nuclio: vectors trigger-kind-wrong, trigger-kind-upper, trigger-null; recording trigger-unknown-kind",
    remedy="write `kind: http`", advice=_kind_meant,
)  # fmt: skip

_obstacle(
    "CN203", "trigger-attribute", tuple(PROCESSOR_ATTRIBUTES),
    """A trigger attribute has the wrong type: the processor ends at its start.

    `maxRequestBodySize` is a number of bytes, not "32MB" and not `true`.
    """,
    source="Nuclio: vectors attr-maxRequestBodySize-str, attr-cors-bool; recording trigger-maxbody-string; "
    "mapstructure's decodeInt, which takes a bool only where weak typing is on",
    remedy="write a value of the type that the message names", advice=_value_meant,
)  # fmt: skip

_obstacle(
    "CN205", "termination-timeout", ("workerTerminationTimeout",),
    "`workerTerminationTimeout` is no Go duration: the processor ends at its start.",
    source="Nuclio: vector trigger-workerTermination-str-10", remedy="write a number and a unit, such as 10s",
)  # fmt: skip

_obstacle(
    "CN208", "logger-sink", ("sink",),
    "A logger sink that the local platform does not define: the processor ends at its start.",
    source="Nuclio: vector spec-loggerSinks-bad-sink",
    remedy="leave `sink` out, or define the sink in the platform's configuration",
)  # fmt: skip

_obstacle(
    "CN209", "data-binding", ("class",),
    "A data binding of a class that Nuclio does not know: the processor ends at its start.",
    source="Nuclio: vector spec-dataBindings-unknown", remedy="remove it: CVAT's functions need none",
)  # fmt: skip


@key_rule(
    "CN204", "num-workers", ERROR, "spec.triggers.*.numWorkers",
    source="Nuclio: vector trigger-numWorkers-neg; abstract/platform.go ValidateFunctionConfig",
    remedy="write 1, or as many as fit the machine",
)  # fmt: skip
def num_workers(at: At) -> Said:
    """A number of workers that cannot be: negative (the processor panics) or above 100000 (nuctl refuses)."""
    if 0 <= at.value <= 100_000:
        return None
    what = "runtime error: makeslice: len out of range" if at.value < 0 else "more than 100000 workers"
    return f"{dotted(at.path)}: the processor ends at its start: {what}"


@rule(
    "CN206", "two-http-triggers", ERROR,
    source="Nuclio: vectors trigger-two-http, trigger-two-http-same-url; recording trigger-two-http",
    remedy="keep one; more workers are `numWorkers`",
)  # fmt: skip
def two_http_triggers(bundle: Bundle) -> Iterator[Fault]:
    """Two http triggers: nuctl refuses them."""
    if bundle.reading.refused and TWO_TRIGGERS in bundle.reading.refused.message:
        place = bundle.places.key("spec", "triggers")
        yield Fault("nuctl refuses more than one http trigger", place, len("triggers"))


@key_rule(
    "CN207", "no-http-trigger", WARNING, "spec.triggers",
    source="Nuclio: vectors triggers-absent, triggers-empty; recording trigger-none",
    remedy="add spec.triggers with `kind: http`, numWorkers and maxRequestBodySize",
    mark="key", absent=True, cvat=True,
)  # fmt: skip
def no_http_trigger(at: At) -> Said:
    """There is no http trigger: nuctl adds one with Nuclio's defaults, which are not CVAT's needs.

    It has one worker and a body limit of 4 MiB, which a photograph in base64 soon passes. A processor that is given the
    file as it is serves nothing. With `disableDefaultHTTPTrigger` nothing is added and CVAT has nothing to call.
    """
    kinds = {trigger["kind"] for trigger in (at.value or {}).values()}
    if "http" in kinds or kinds - TRIGGER_KINDS:
        return None
    if at.bundle.spec.get("disableDefaultHTTPTrigger"):
        return Fault("no http trigger and none is added: CVAT has nothing to call", severity=ERROR)
    return "no http trigger"


@key_rule(
    "CN212", "handler-form", ERROR, "spec.handler",
    source="Nuclio: vectors handler-main, handler-slash, handler-space, handler-absent; "
    "recording handler-without-colon",
    remedy="write `handler: main:handler`", absent=True,
)  # fmt: skip
def handler_form(at: At) -> Said:
    """`handler` is not `module:function`: the worker dies at its start.

    Dots separate packages; slashes, blanks and a missing colon are refused.
    """
    if at.bundle.runtime[0] in OTHER_RUNTIMES:
        return None
    if not at.value:
        return "spec.handler: there is none"
    malformed = any(found.path == at.path for found in obstacles(at.bundle.config, at.bundle.nuclio))
    return f"spec.handler: {at.value!r} is not module:function" if malformed else None
