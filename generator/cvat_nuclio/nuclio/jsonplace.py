"""Where each value of a JSON text begins."""

import re
from json.decoder import scanstring  # type: ignore[attr-defined]

_SPACE = re.compile(r"[ \t\n\r]*")
_ATOM = re.compile(r"[^,\]\} \t\n\r]+")

Path = tuple[str | int, ...]


def positions(text: str) -> dict[Path, int]:
    """The offset of every value, by its path of keys and indices. The text must be JSON."""
    found: dict[Path, int] = {}
    _value(text, 0, (), found)
    return found


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _value(text: str, at: int, path: Path, found: dict[Path, int]) -> int:
    at = _skip(text, at)
    found[path] = at
    if text[at] == "{":
        return _object(text, at + 1, path, found)
    if text[at] == "[":
        return _array(text, at + 1, path, found)
    if text[at] == '"':
        return int(scanstring(text, at + 1, False)[1])
    match = _ATOM.match(text, at)
    return match.end() if match else at + 1


def _object(text: str, at: int, path: Path, found: dict[Path, int]) -> int:
    at = _skip(text, at)
    while text[at] != "}":
        key, at = scanstring(text, _skip(text, at) + 1, False)
        at = _value(text, _skip(text, at) + 1, (*path, key), found)
        at = _skip(text, at)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return at + 1


def _array(text: str, at: int, path: Path, found: dict[Path, int]) -> int:
    at, index = _skip(text, at), 0
    while text[at] != "]":
        at = _skip(text, _value(text, at, (*path, index), found))
        index += 1
        if text[at] == ",":
            at = _skip(text, at + 1)
    return at + 1
