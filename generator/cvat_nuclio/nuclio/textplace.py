"""From places in a YAML value to places in the file, in whatever style the value is written."""

import yaml

from .document import compose


def node_at(text: str, path: tuple[str | int, ...]) -> yaml.Node | None:
    """PyYAML's node at a path, keys matched whatever their case; of duplicates the last one."""
    node = compose(text)
    for step in path:
        if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
        elif isinstance(node, yaml.MappingNode):
            matching = [pair for pair in node.value if str(pair[0].value).lower() == str(step).lower()]
            exact = [pair for pair in matching if pair[0].value == str(step)]
            if not matching:
                return None
            node = (exact or matching)[-1][1]
        else:
            return None
    return node


def key_at(text: str, path: tuple[str | int, ...]) -> yaml.Node | None:
    """PyYAML's node of the last key of a path."""
    parent = node_at(text, path[:-1])
    if not isinstance(parent, yaml.MappingNode):
        return None
    matching = [key for key, _ in parent.value if str(key.value).lower() == str(path[-1]).lower()]
    exact = [key for key in matching if key.value == str(path[-1])]
    found = exact or matching
    return found[-1] if found else None


def offsets_of(text: str, path: tuple[str | int, ...], value: str) -> list[int]:
    """For each character of a string value its offset in the file; empty when the value is not to be found there.

    The written form differs from the value by indentation, line breaks and escapes. Characters that are not blank
    are matched one after the other.
    """
    node = node_at(text, path)
    if not isinstance(node, yaml.ScalarNode):
        return []
    at, end = node.start_mark.index, node.end_mark.index
    if node.style in ("|", ">"):
        at = text.find("\n", at) + 1
    offsets: list[int] = []
    for character in value:
        if not character.isspace():
            found = text.find(character, at, end)
            if found >= 0:
                at = found + 1
                offsets.append(found)
                continue
        offsets.append(at)
    return offsets


def place_of(text: str, offset: int) -> tuple[int, int]:
    """Line and column, from 1, of an offset."""
    start = text.rfind("\n", 0, offset) + 1
    return text.count("\n", 0, offset) + 1, offset - start + 1
