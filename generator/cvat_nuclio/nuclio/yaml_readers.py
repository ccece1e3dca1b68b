"""Nuclio's two readers of function.yaml."""

from dataclasses import dataclass
from typing import Any, Literal

from .convert import convert
from .decode import Decoder, encode
from .document import Node, parse, unsupported_number
from .duration import BadDuration, nanoseconds, text_of
from .model import Dropped, Refusal, RefusedText
from .structs import NEWEST, Version
from .yaml_places import Places

Reader = Literal["processor", "builder"]
_ROOTS = {"processor": "processor.Configuration", "builder": "functionconfig.Config"}


@dataclass(frozen=True, slots=True)
class Reading:
    """One reader's view of a text.

    `config` is what the reader logs and the dashboard lists (Go's JSON of the kept values: `metadata` and `spec`
    always there, empty values left out where Nuclio leaves them out); empty when the text is refused. `root` is what
    the text says.
    """

    config: dict[str, Any]
    dropped: list[Dropped]
    refused: Refusal | None
    root: Node


def read(text: str | bytes, reader: Reader = "processor", nuclio: Version = NEWEST) -> Reading:
    """What Nuclio makes of a function.yaml (or JSON) text.

    `processor` is the function processor at start: strict about types, and the one that parses `eventTimeout`.
    `builder` is nuctl and the dashboard: numbers and booleans become strings where strings belong, a second http
    trigger is refused. Both drop unknown keys at every level, match keys whatever their case, let the last duplicate
    win and look at the first document only.

    Never raises on any text: see `Reading.refused`.
    """
    try:
        root, replaced = parse(text)
    except RefusedText as error:
        return Reading({}, [], error.refusal, Node(None))
    go_type = _ROOTS[reader]
    node = convert(root, go_type)
    if unsupported := unsupported_number(node):
        return Reading({}, replaced, unsupported, root)
    decoder = Decoder(nuclio)
    decoded = decoder.decode(node, go_type, {})
    dropped = [*replaced, *decoder.dropped]
    if decoder.refused:
        return Reading({}, dropped, decoder.refused, root)
    config = encode(decoded, go_type, nuclio)
    check = event_timeout_refused if reader == "processor" else _one_http_trigger
    if refused := check(config, root):
        return Reading({}, dropped, refused, root)
    if reader == "builder":
        config["metadata"].pop("namespace", None)
    return Reading(config, dropped, None, root)


def event_timeout_refused(config: dict[str, Any], root: Node) -> Refusal | None:
    """Why the processor refuses `spec.eventTimeout`, which nuctl does not look at."""
    text = config.get("spec", {}).get("eventTimeout")
    if not text:
        return None
    try:
        length = nanoseconds(text)
        problem = "" if length > 0 else f"eventTimeout <= 0 ({text_of(length)})"
    except BadDuration as error:
        problem = str(error)
    place = Places(root).value("spec", "eventTimeout")
    return Refusal(problem, "spec.eventTimeout", *place) if problem else None


def _one_http_trigger(config: dict[str, Any], root: Node) -> Refusal | None:
    triggers = config["spec"].get("triggers", {})
    if sum(trigger["kind"] == "http" for trigger in triggers.values()) < 2:
        return None
    message = "FunctionConfig from configuration file cannot have more than 1 http trigger"
    return Refusal(message, "spec.triggers", *Places(root).key("spec", "triggers"))
