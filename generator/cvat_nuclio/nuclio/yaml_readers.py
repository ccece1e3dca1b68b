"""Nuclio's two readers of function.yaml."""

from typing import Any, Literal

from .convert import convert
from .decode import Decoder
from .document import Node, parse, unsupported_number
from .duration import BadDuration, nanoseconds, text_of
from .encode import encode
from .model import Dropped, Reading, Refusal, RefusedText
from .structs import NEWEST, Version, version_of

Reader = Literal["processor", "builder"]
_ROOTS = {"processor": "processor.Configuration", "builder": "functionconfig.Config"}


def read(text: str | bytes, reader: Reader = "processor", nuclio: str | None = None) -> Reading:
    """What Nuclio makes of a function.yaml (or JSON) text.

    `processor` is the function processor at start: strict about types, and the one that parses `eventTimeout`.
    `builder` is nuctl and the dashboard: numbers and booleans become strings where strings belong, a second http
    trigger is refused. Both drop unknown keys at every level, match keys whatever their case, let the last duplicate
    win and look at the first document only. `nuclio` is a version such as `1.13` (default: the newest known).

    Never raises on any text: see `Reading.refused`.
    """
    version = version_of(nuclio) if nuclio else NEWEST
    try:
        node, replaced = parse(text)
    except RefusedText as error:
        return Reading({}, [], error.refusal)
    return read_node(node, replaced, reader, version)


def read_node(node: Node, replaced: list[Dropped], reader: Reader, version: Version) -> Reading:
    """`read` of a text that was parsed already; `replaced` are its duplicates."""
    root = _ROOTS[reader]
    node = convert(node, root)
    refused = unsupported_number(node)
    if refused:
        return Reading({}, [], refused)
    decoder = Decoder(version)
    decoded = decoder.decode(node, root, {})
    refused = decoder.refused
    config = encode(decoded, root, version) if refused is None else {}
    dropped = [*replaced, *decoder.dropped]
    if refused is None:
        check = event_timeout_refused if reader == "processor" else _one_http_trigger
        refused = check(config, node)
    if reader == "builder" and refused is None:
        config["metadata"].pop("namespace", None)
    return Reading({} if refused else config, dropped, refused)


def event_timeout_refused(config: dict[str, Any], node: Node) -> Refusal | None:
    """Why the processor refuses `spec.eventTimeout`, which nuctl does not look at."""
    text = config.get("spec", {}).get("eventTimeout")
    if not text:
        return None
    try:
        length = nanoseconds(text)
        problem = "" if length > 0 else f"eventTimeout <= 0 ({text_of(length)})"
    except BadDuration as error:
        problem = str(error)
    if not problem:
        return None
    place = locate(node, "spec", "eventTimeout")
    return Refusal(problem, "spec.eventTimeout", place.line, place.column)


def _one_http_trigger(config: dict[str, Any], node: Node) -> Refusal | None:
    triggers = config["spec"].get("triggers", {})
    if sum(trigger["kind"] == "http" for trigger in triggers.values()) < 2:
        return None
    place = locate(node, "spec", "triggers")
    message = "FunctionConfig from configuration file cannot have more than 1 http trigger"
    return Refusal(message, "spec.triggers", place.line, place.column)


def locate(node: Node, *path: str | int) -> Node:
    """The node at a path, keys matched whatever their case; the deepest one there is when the path ends early."""
    for step in path:
        if isinstance(step, int) and isinstance(node.data, list) and step < len(node.data):
            node = node.data[step]
        elif isinstance(step, str) and isinstance(node.data, dict):
            matching = [key for key in sorted(node.data) if key.lower() == step.lower()]
            exact = [key for key in matching if key == step]
            if not matching:
                break
            node = node.data[(exact or matching)[-1]].value
        else:
            break
    return node
