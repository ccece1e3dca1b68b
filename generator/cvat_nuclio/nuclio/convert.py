"""What sigs.k8s.io/yaml does before Go's JSON sees a value: numbers and booleans become strings where a string goes."""

from dataclasses import replace

from .document import Node
from .gofloat import scalar_text
from .structs import NEWEST, OPAQUE, element, struct, underlying


def convert(node: Node, go_type: str) -> Node:
    """The node with scalars turned into strings, where a Go type and its fields ask for them; `""` asks for none.

    A field that reaches its struct through an embedded one is looked up as the embedded struct itself. That is why the
    processor, whose root embeds the function's configuration, converts nothing.
    """
    while underlying(go_type).startswith("*"):
        go_type = element(go_type)
    bare = "" if go_type in OPAQUE else underlying(go_type)
    data = node.data
    if isinstance(data, dict):
        inside = {key: replace(entry, value=convert(entry.value, _of_key(key, bare))) for key, entry in data.items()}
        return Node(inside, node.written)
    if isinstance(data, list):
        inner = element(bare) if bare.startswith("[]") else ""
        return Node([convert(item, inner) for item in data], node.written)
    if bare == "string" and isinstance(data, (bool, int, float)):
        return Node(scalar_text(data), node.written)
    return node


def _of_key(key: str, go_type: str) -> str:
    declared = struct(go_type)
    if declared is None:
        return element(go_type) if go_type.startswith("map") else ""
    field = declared.field(key, NEWEST)
    if field is None:
        return ""
    return field.embedded[0] if field.embedded else field.type
