"""Where everything in a function.yaml stands: lines and columns, from 1."""

from collections.abc import Iterator

from .convert import convert
from .document import Entry, Node
from .model import Path
from .yaml_readers import locate

Place = tuple[int, int]


class Places:
    """The places of keys and values. Paths are keys and indices from the root, matched whatever their case."""

    def __init__(self, root: Node) -> None:
        self.root = root

    def key(self, *path: str | int) -> Place:
        """Where the last key of the path stands; where its nearest parent stands when it is absent."""
        entry = self._entry(path)
        if entry:
            return entry.line, entry.column
        return self.key(*path[:-1]) if len(path) > 1 else (1, 1)

    def value(self, *path: str | int) -> Place:
        """Where the value at the path begins; its key's place for a map or list that begins on a later line."""
        node = locate(self.root, *path)
        entry = self._entry(path)
        if entry and (isinstance(node.data, (dict, list)) or node.line < entry.line):
            return entry.line, entry.column
        return node.line, node.column

    def has(self, *path: str | int) -> bool:
        """Whether the file itself says something there."""
        return self._entry(path) is not None

    def _entry(self, path: Path) -> Entry | None:
        node, entry = self.root, None
        for step in path:
            entry = _child(node, step)
            if entry is None:
                return None
            node = entry.value
        return entry

    def converted(self) -> Iterator[tuple[Path, Node, str]]:
        """The scalars that nuctl turns into strings and the processor would refuse: path, value, the string."""
        yield from _differences((), self.root, convert(self.root, "functionconfig.Config"))


def _child(node: Node, step: str | int) -> Entry | None:
    if isinstance(step, int):
        item = node.data[step] if isinstance(node.data, list) and step < len(node.data) else None
        return Entry(item.line, item.column, item) if item else None
    if not isinstance(node.data, dict):
        return None
    names = sorted(name for name in node.data if name.lower() == step.lower())
    return node.data[step if step in names else names[-1]] if names else None


def _differences(path: Path, before: Node, after: Node) -> Iterator[tuple[Path, Node, str]]:
    if isinstance(before.data, dict) and isinstance(after.data, dict):
        for key, entry in before.data.items():
            yield from _differences((*path, key), entry.value, after.data[key].value)
    elif isinstance(before.data, list) and isinstance(after.data, list):
        for i, item in enumerate(before.data):
            yield from _differences((*path, i), item, after.data[i])
    elif before.data is not after.data and isinstance(after.data, str):
        yield path, before, after.data
