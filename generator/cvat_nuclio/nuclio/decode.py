"""Go's JSON and Nuclio's structs: what is kept, what is dropped, the first wrong type; what is written back."""

from dataclasses import dataclass, replace
from typing import Any

from .document import Entries, Node
from .gofloat import json_number
from .model import Dropped, Path, Refusal, dotted
from .quantity import REGEX_ERROR, BadQuantity, canonical
from .structs import OPAQUE, Field, Struct, Version, element, struct, underlying

_RANGES = {"int": 63, "int64": 63, "int32": 31, "int16": 15, "int8": 7}
_PREFIX = "error unmarshaling JSON: while decoding JSON: "


@dataclass(frozen=True, slots=True)
class _Context:
    """Where Go's decoder is: the struct and the field names so far, for its messages; the path, for ours."""

    struct: str = ""
    stack: tuple[str, ...] = ()
    path: Path = ()

    def at(self, key: str | int) -> "_Context":
        return replace(self, path=(*self.path, key))


class Decoder:
    """Decodes one document; `dropped` and `refused` are filled on the way."""

    def __init__(self, version: Version) -> None:
        self.version = version
        self.dropped: list[Dropped] = []
        self.refused: Refusal | None = None

    def decode(self, node: Node, go_type: str, into: Any = None, context: _Context | None = None) -> Any:
        """The value that a Go variable of that type holds afterwards; None is nil or the zero value."""
        context = context or _Context()
        bare = underlying(go_type)
        if bare.startswith("*"):
            return None if node.data is None else self._pointed(node, bare[1:], into, context)
        if bare in OPAQUE:
            return self._opaque(node, bare, context)
        if node.data is None:
            is_nil = bare.startswith(("map", "[]")) or bare == "interface {}"
            return None if is_nil else into
        if bare == "interface {}":
            return plain(node)
        if isinstance(node.data, dict):
            return self._object(node.data, node, go_type, into, context)
        if isinstance(node.data, list):
            return self._array(node.data, node, go_type, context)
        return self._scalar(node, go_type, into, context)

    def _pointed(self, node: Node, go_type: str, into: Any, context: _Context) -> Any:
        value = self.decode(node, go_type, into, context)
        return zero(go_type) if value is None else value

    def _object(self, entries: Entries, node: Node, go_type: str, into: Any, context: _Context) -> Any:
        declared = struct(go_type)
        if declared:
            return self._struct(entries, declared, into or {}, context)
        if not underlying(go_type).startswith("map"):
            return self._wrong(node, "object", go_type, context, into)
        inner = element(go_type) or "interface {}"
        kept = dict(into or {})
        for key, entry in sorted(entries.items()):
            value = self.decode(entry.value, inner, None, context.at(key))
            kept[key] = zero(inner) if value is None else value
        return kept

    def _struct(self, entries: Entries, declared: Struct, into: dict[str, Any], context: _Context) -> Any:
        # sigs.k8s.io/yaml goes through JSON with sorted keys: of two spellings the later one in that order wins.
        for key, entry in sorted(entries.items()):
            field = declared.field(key, self.version)
            if field is None:
                path = dotted((*context.path, key))
                line, column = entry.place
                self.dropped.append(Dropped(path, line, column, *self._unknown(declared, key)))
                continue
            inside = _inside(declared, field, context, key)
            value = self.decode(entry.value, field.type, into.get(field.name), inside)
            if value is None:
                into.pop(field.name, None)
            else:
                into[field.name] = value
        return into

    def _unknown(self, declared: Struct, key: str) -> tuple[str, str, tuple[str, ...]]:
        newer = declared.folded.get(key.lower())
        if newer:
            return f"known from Nuclio {newer.since[0]}.{newer.since[1]} on", key, ()
        known = tuple(name for name, field in declared.fields.items() if field.since <= self.version)
        return "not a key that Nuclio knows here", key, known

    def _array(self, items: list[Node], node: Node, go_type: str, context: _Context) -> Any:
        bare = underlying(go_type)
        if not bare.startswith("[]"):
            return self._wrong(node, "array", go_type, context)
        inner = bare.removeprefix("[]")
        values = [self.decode(item, inner, None, context.at(i)) for i, item in enumerate(items)]
        return [zero(inner) if value is None else value for value in values]

    def _scalar(self, node: Node, go_type: str, into: Any, context: _Context) -> Any:
        value, bare = node.data, underlying(go_type)
        if isinstance(value, bool):
            return value if bare == "bool" else self._wrong(node, "bool", go_type, context, into)
        if isinstance(value, str):
            fits = bare in ("string", "[]byte")
            return value if fits else self._wrong(node, "string", go_type, context, into)
        return self._number(value, node, go_type, into, context) if isinstance(value, (int, float)) else into

    def _number(self, value: int | float, node: Node, go_type: str, into: Any, context: _Context) -> Any:
        bare = underlying(go_type)
        if bare.startswith("float"):
            return float(value)
        if bare not in _RANGES:
            return self._wrong(node, "number", go_type, context, into)
        integral = value == int(value) and abs(value) < 1e21
        if not integral or not -(2 ** _RANGES[bare]) <= value < 2 ** _RANGES[bare]:
            return self._wrong(node, f"number {json_number(value)}", go_type, context, into)
        return int(value)

    def _opaque(self, node: Node, go_type: str, context: _Context) -> Any:
        value = node.data
        if go_type == "resource.Quantity":
            return self._quantity(node, context)
        if go_type == "intstr.IntOrString":
            return self._scalar(node, "string" if isinstance(value, str) else "int32", None, context)
        if value is not None and go_type in ("v1.Time", "v1.MicroTime") and not isinstance(value, str):
            return self._wrong(node, node.kind(), go_type, context)
        return plain(node)

    def _quantity(self, node: Node, context: _Context) -> str:
        value = node.data
        if value is None:
            return "0"
        try:
            if isinstance(value, (bool, list, dict)):
                raise BadQuantity(REGEX_ERROR)
            return canonical(value.strip() if isinstance(value, str) else json_number(value))
        except BadQuantity as error:
            self._refuse(str(error), node, context)
            return "0"

    def _wrong(self, node: Node, value: str, go_type: str, context: _Context, into: Any = None) -> Any:
        where = "Go value of type " + go_type
        if context.stack:
            where = f"Go struct field {context.struct}.{'.'.join(context.stack)} of type {go_type}"
        self._refuse(f"json: cannot unmarshal {value} into {where}", node, context)
        return into

    def _refuse(self, message: str, node: Node, context: _Context) -> None:
        # Go goes on after a wrong type and reports the first one.
        self.refused = self.refused or Refusal(_PREFIX + message, dotted(context.path), *node.place)


def _inside(declared: Struct, field: Field, context: _Context, key: str) -> _Context:
    embedded = tuple(name.rpartition(".")[2] for name in field.embedded)
    name = declared.name.rpartition(".")[2]
    return _Context(name, (*context.stack, *embedded, field.name), (*context.path, key))


def plain(node: Node) -> Any:
    """A value as it lands in a Go `interface {}`, and from there in JSON: whole floats are integers."""
    if isinstance(node.data, dict):
        return {key: plain(entry.value) for key, entry in sorted(node.data.items())}
    if isinstance(node.data, list):
        return [plain(item) for item in node.data]
    if isinstance(node.data, int) and not isinstance(node.data, bool) and abs(node.data) > 2**53:
        return int(float(node.data))
    if isinstance(node.data, float) and node.data == int(node.data):
        return int(node.data)
    return node.data


def zero(go_type: str) -> Any:
    """Go's zero value, as `Decoder.decode` returns values."""
    bare = underlying(go_type)
    if struct(go_type):
        return {}
    if bare in _RANGES or bare.startswith("float"):
        return 0
    return {"string": "", "bool": False, "resource.Quantity": "0"}.get(bare)


def encode(value: Any, go_type: str, version: Version) -> Any:
    """The JSON of a decoded value, as `json.Marshal` writes it: some empty values, and not others."""
    declared = struct(go_type)
    if declared:
        written: dict[str, Any] = {}
        for field in declared.fields.values():
            if field.since > version:
                continue
            inner = (value or {}).get(field.name)
            if inner is None and not underlying(field.type).startswith(("*", "[]", "map")):
                inner = zero(field.type)
            if not (field.omitempty and _empty(inner, field.type)):
                written[field.name] = encode(inner, field.type, version)
        return written
    if isinstance(value, dict) and underlying(go_type).startswith("map"):
        return {key: encode(item, element(go_type), version) for key, item in value.items()}
    if isinstance(value, list) and underlying(go_type).startswith("[]"):
        return [encode(item, element(go_type), version) for item in value]
    if value is not None and underlying(go_type).startswith("*"):
        return encode(value, element(go_type), version)
    return value


def _empty(value: Any, go_type: str) -> bool:
    """Whether `omitempty` leaves it out: structs never, pointers only when nil."""
    bare = underlying(go_type)
    if struct(go_type) or bare in OPAQUE:
        return False
    if bare.startswith("*") or bare == "interface {}":
        return value is None
    return not value
