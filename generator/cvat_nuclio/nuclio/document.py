"""Text to values with places, as go-yaml v2 and sigs.k8s.io/yaml see them: the first document only, duplicate keys
and merge keys in order, keys turned into strings."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

import yaml
from yaml.cyaml import CParser  # type: ignore[attr-defined]

from .gofloat import scalar_text, shortest
from .model import Dropped, Path, Place, Refusal, RefusedText, dotted
from .scalars import BadScalar, Scalar, resolve, tagged

_PLAIN, _MERGE = "", "tag:yaml.org,2002:merge"
# go-yaml's own limits against documents that unfold through aliases.
_DEEPEST = 1000
_ALIASES_FREE, _DECODES_FREE, _ALIAS_SHARE = 100, 1000, 0.99


@dataclass(slots=True)
class Node:
    """One value; `data` is a scalar, a list of nodes, or a dict of entries. `written` is PyYAML's, None of no text."""

    data: "Scalar | list[Node] | dict[str, Entry]"
    written: yaml.Node | None = None

    @property
    def place(self) -> Place:
        """Where it begins."""
        return _place(self.written) if self.written else (1, 1)

    def kind(self) -> str:
        """The word in Go's JSON errors."""
        if isinstance(self.data, bool):
            return "bool"
        names = {dict: "object", list: "array", str: "string", int: "number", float: "number"}
        return names.get(type(self.data), "null")


@dataclass(frozen=True, slots=True)
class Entry:
    """A key, as PyYAML has it, and its value; `merged` means that it came through `<<`."""

    key: yaml.Node
    value: Node
    merged: bool = False

    @property
    def place(self) -> Place:
        """Where the key begins."""
        return _place(self.key)


Entries: TypeAlias = dict[str, Entry]


class _Loader(CParser):
    """libyaml's parser, of which go-yaml is a port, without PyYAML's own reading of scalars."""

    def resolve(self, kind: type, value: str, implicit: tuple[bool, bool]) -> str:
        """The tag of an untagged node; plain scalars are resolved later."""
        if kind is not yaml.ScalarNode or implicit[1]:
            return "tag:yaml.org,2002:str"
        return _MERGE if value == "<<" else _PLAIN

    def ascend_resolver(self) -> None:
        """PyYAML's composer calls it."""

    def descend_resolver(self, node: object, index: object) -> None:
        """PyYAML's composer calls it."""


def refuse_deep(text: str | bytes) -> None:
    """Raises yaml.YAMLError for a text that is nested so deeply that libyaml's composer, which calls itself, dies.

    go-yaml stops at 10,000 levels. Counted only where a text could be so deep: by brackets, by dashes and question
    marks on one line, or by lines whose indentation grows.
    """
    data = text.encode() if isinstance(text, str) else text
    if len(data) < _DEEPEST**2 // 2 and sum(map(data.count, (b"[", b"{", b"- ", b"? "))) < _DEEPEST:
        return
    depth = 0
    for event in yaml.parse(data, CParser):  # type: ignore[arg-type]
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise yaml.YAMLError(f"exceeded max depth of {_DEEPEST}")


def compose(text: str | bytes) -> yaml.Node | None:
    """PyYAML's node of the first document, with its marks; None for an empty text.

    Raises:
        yaml.YAMLError: not YAML.
    """
    refuse_deep(text)
    loader = _Loader(text)
    try:
        return loader.get_node() if loader.check_node() else None
    finally:
        loader.dispose()


def next_document(text: str | bytes) -> Place | None:
    """Where a second document begins; None when there is none. The first one must be YAML."""
    loader = _Loader(text)
    try:
        if loader.check_node():
            loader.get_node()
        if not loader.check_node():
            return None
        second = loader.get_node()
        return _place(second) if second else None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        return (mark.line + 1, mark.column + 1) if mark else (1, 1)
    finally:
        loader.dispose()


def parse(text: str | bytes) -> tuple[Node, list[Dropped]]:
    """The first document and the keys that a later duplicate replaced; an empty text is null.

    Raises:
        RefusedText: not YAML, or YAML that cannot become JSON.
    """
    try:
        root = compose(text)
    except yaml.YAMLError as error:
        raise RefusedText(_not_yaml(error)) from None
    builder = _Builder()
    node = builder.build(root, ()) if root is not None else Node(None)
    return node, builder.replaced


def _not_yaml(error: yaml.YAMLError) -> Refusal:
    """libyaml's error in go-yaml's words, with its way of counting lines."""
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    mark, context = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
    where = 0
    if mark is not None and mark.line:
        where = mark.line + isinstance(error, yaml.scanner.ScannerError)
    elif context is not None:
        where = context.line
    prefix = f"line {where}: " if where else ""
    message = f"error converting YAML to JSON: yaml: {prefix}{problem}"
    return Refusal(message, "", mark.line + 1 if mark else 0, mark.column + 1 if mark else 0)


class _Builder:
    """go-yaml's decoding into untyped values."""

    def __init__(self) -> None:
        self.replaced: list[Dropped] = []
        self.decoded = self.aliased = self.alias_depth = 0
        self.seen: set[int] = set()
        self.open: set[int] = set()

    def build(self, node: yaml.Node, path: Path) -> Node:
        alias = id(node) in self.seen
        self.seen.add(id(node))
        if id(node) in self.open:
            raise RefusedText(_refusal("yaml: anchor value contains itself", node, path))
        self.alias_depth += alias
        self._count(node, path)
        self.open.add(id(node))
        built = self._collection(node, path) if not isinstance(node, yaml.ScalarNode) else self._scalar(node, path)
        self.open.discard(id(node))
        self.alias_depth -= alias
        return built

    def _count(self, node: yaml.Node, path: Path) -> None:
        self.decoded += 1
        self.aliased += self.alias_depth > 0
        many = self.aliased > _ALIASES_FREE and self.decoded > _DECODES_FREE
        # Above 400,000 values go-yaml lowers the share; no function.yaml that Nuclio can carry gets there.
        if many and (self.aliased > _ALIAS_SHARE * self.decoded or self.decoded > 400_000):
            raise RefusedText(_refusal("yaml: document contains excessive aliasing", node, path))

    def _scalar(self, node: yaml.ScalarNode, path: Path) -> Node:
        try:
            value = resolve(node.value) if node.tag == _PLAIN else tagged(node.value, node.tag)
        except BadScalar as error:
            raise RefusedText(_refusal(f"yaml: {error}", node, path)) from None
        return Node(value, node)

    def _collection(self, node: yaml.Node, path: Path) -> Node:
        if isinstance(node, yaml.SequenceNode):
            return Node([self.build(item, (*path, i)) for i, item in enumerate(node.value)], node)
        entries: Entries = {}
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE:
                # In go-yaml v2 a merge replaces what stands before it.
                entries.update(self._merged(value_node, path))
                continue
            key = _key_text(self.build(key_node, path), key_node, path)
            old = entries.get(key)
            entries[key] = Entry(key_node, self.build(value_node, (*path, key)))
            if old and not old.merged:
                why = f"written twice: line {entries[key].place[0]} replaces this"
                self.replaced.append(Dropped(dotted((*path, key)), *old.place, why, key))
        return Node(entries, node)

    def _merged(self, node: yaml.Node, path: Path) -> Iterator[tuple[str, Entry]]:
        # go-yaml merges a list of maps from its end, so that the first one wins.
        sources = reversed(node.value) if isinstance(node, yaml.SequenceNode) else [node]
        for source in sources:
            if not isinstance(source, yaml.MappingNode):
                message = "yaml: map merge requires map or sequence of maps as the value"
                raise RefusedText(_refusal(message, node, path))
            built = self.build(source, path).data
            if isinstance(built, dict):
                yield from ((key, replace(entry, merged=True)) for key, entry in built.items())


def _key_text(key: Node, node: yaml.Node, path: Path) -> str:
    value = key.data
    if isinstance(value, str):
        return value
    if isinstance(value, (bool, int, float)):
        text = scalar_text(value)
        return {"+Inf": ".inf", "-Inf": "-.inf", "NaN": ".nan"}.get(text, text)
    kind = "invalid map key" if isinstance(value, (list, dict)) else "Unsupported map key of type: %!s(<nil>)"
    raise RefusedText(_refusal(kind, node, path))


def _refusal(message: str, node: yaml.Node, path: Path) -> Refusal:
    return Refusal(f"error converting YAML to JSON: {message}", dotted(path), *_place(node))


def _place(node: yaml.Node) -> Place:
    return node.start_mark.line + 1, node.start_mark.column + 1


def unsupported_number(node: Node, path: Path = ()) -> Refusal | None:
    """The first infinity or NaN, which Go's JSON cannot carry."""
    data = node.data
    if isinstance(data, float) and not math.isfinite(data):
        message = f"error converting YAML to JSON: json: unsupported value: {shortest(data)}"
        return Refusal(message, dotted(path), *node.place)
    children: list[tuple[str | int, Node]] = []
    if isinstance(data, dict):
        children = [(key, entry.value) for key, entry in sorted(data.items())]
    elif isinstance(data, list):
        children = list(enumerate(data))
    found = (unsupported_number(child, (*path, key)) for key, child in children)
    return next((refusal for refusal in found if refusal), None)
