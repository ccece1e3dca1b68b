"""Where everything in a function.yaml stands."""

from collections.abc import Iterator

from .convert import convert
from .document import Entry, Node
from .model import Path, Place


class Places:
    """The places of keys and values. Paths are keys and indices from the root, matched whatever their case."""

    def __init__(self, root: Node) -> None:
        self.root = root

    def key(self, *path: str | int) -> Place:
        """Where the last key of the path stands; where its nearest parent stands when it is absent."""
        way = self._way(path)
        return way[-1].place if way else (1, 1)

    def value(self, *path: str | int) -> Place:
        """Where the value at the path begins; its key's place for a map or list that begins on a later line.

        Where the file does not say so much, the deepest value on the way to it.
        """
        way = self._way(path)
        node = way[-1].value if way else self.root
        if len(way) == len(path) and (isinstance(node.data, (dict, list)) or node.place < way[-1].place):
            return way[-1].place
        return node.place

    def has(self, *path: str | int) -> bool:
        """Whether the file itself says something there."""
        return len(self._way(path)) == len(path)

    def written(self, *path: str | int) -> Entry | None:
        """The key and the value that stand at the path in the text; None where they come from elsewhere, by `<<`."""
        way = self._way(path)
        return way[-1] if len(way) == len(path) and not any(entry.merged for entry in way) else None

    def _way(self, path: Path) -> list[Entry]:
        """The entries along the path, as far as the file goes."""
        way: list[Entry] = []
        node = self.root
        for step in path:
            entry = _child(node, step)
            if entry is None:
                break
            way.append(entry)
            node = entry.value
        return way

    def converted(self) -> Iterator[tuple[Path, Node, str]]:
        """The scalars that nuctl turns into strings and the processor would refuse: path, value, the string."""
        yield from _differences((), self.root, convert(self.root, "functionconfig.Config"))


def _child(node: Node, step: str | int) -> Entry | None:
    if isinstance(step, int):
        item = node.data[step] if isinstance(node.data, list) and step < len(node.data) else None
        return Entry(item.written, item) if item and item.written else None
    if not isinstance(node.data, dict):
        return None
    names = sorted(name for name in node.data if name.lower() == step.lower())
    return node.data[step if step in names else names[-1]] if names else None


def _differences(path: Path, before: Node, after: Node) -> Iterator[tuple[Path, Node, str]]:
    if isinstance(before.data, dict) and isinstance(after.data, dict):
        for key, entry in before.data.items():
            if not entry.merged:
                yield from _differences((*path, key), entry.value, after.data[key].value)
    elif isinstance(before.data, list) and isinstance(after.data, list):
        for i, item in enumerate(before.data):
            yield from _differences((*path, i), item, after.data[i])
    elif before.data is not after.data and isinstance(after.data, str):
        yield path, before, after.data


def place_in(text: str, offset: int) -> Place:
    """The place of a character in a text."""
    start = text.rfind("\n", 0, offset) + 1
    return text.count("\n", 0, offset) + 1, offset - start + 1
