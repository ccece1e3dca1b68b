"""What sigs.k8s.io/yaml does before Go's JSON sees a value: numbers and booleans become strings where a string goes."""

from dataclasses import replace

from .document import Node
from .gofloat import shortest
from .structs import NEWEST, OPAQUE, element, struct, underlying


def convert(node: Node, target: str | None) -> Node:
    """The node with scalars turned into strings, where `target` (a Go type) and its fields ask for them.

    A field that reaches its struct through an embedded one is looked up as the embedded struct itself. That is why the
    processor, whose root embeds the function's configuration, converts nothing.
    """
    while target and underlying(target).startswith("*"):
        target = element(target)
    if target in OPAQUE:
        target = None
    data = node.data
    if isinstance(data, dict):
        converted = {
            key: replace(entry, value=convert(entry.value, _of_key(key, target))) for key, entry in data.items()
        }
        return Node(converted, node.written)
    if isinstance(data, list):
        inner = element(target) if target and underlying(target).startswith("[]") else None
        return Node([convert(item, inner) for item in data], node.written)
    if target and underlying(target) == "string" and isinstance(data, (bool, int, float)):
        return Node(_string(data), node.written)
    return node


def _of_key(key: str, target: str | None) -> str | None:
    if target is None:
        return None
    declared = struct(target)
    if declared is None:
        return element(target) if underlying(target).startswith("map") else None
    field = declared.field(key, NEWEST)
    if field is None:
        return None
    return field.embedded[0] if field.embedded else field.type


def _string(value: bool | int | float) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else shortest(value)
