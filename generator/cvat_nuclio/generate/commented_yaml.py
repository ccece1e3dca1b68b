"""YAML in which what is worth saying of a value stands above it."""

import json
import textwrap
from collections.abc import Generator, Iterator, Mapping
from typing import Any

import attrs
import yaml

#: Characters in a line of a comment.
WIDTH = 112


@attrs.frozen
class Said:
    """A value of a mapping or a list, and the comments above it, a paragraph each."""

    value: Any
    comments: tuple[str, ...]


class Block(str):
    """A text that is written line by line, as it is."""


class Quoted(str):
    """A key that somebody chose: it is quoted, as all texts are."""


class Flow(dict[str, Any]):
    """A mapping that is written as JSON, in one line."""


def said(value: Any, *comments: str) -> Said:
    """The value with comments."""
    return Said(value, comments)


def headed(mapping: Mapping[str, Any], *comments: str) -> dict[str, Any]:
    """The mapping with comments above its first value, if it has any."""
    return {key: item if number else said(item, *comments) for number, (key, item) in enumerate(mapping.items())}


def plain(value: Any) -> Any:
    """The value without comments."""
    if isinstance(value, Said):
        return plain(value.value)
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def commented(config: Mapping[str, Any]) -> str:
    """The text. Raises AssertionError if a reader would find something else in it."""
    text = "".join(f"{line}\n" for line in _mapping(config, ""))
    read = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
    if read != plain(config):
        raise AssertionError(f"{plain(config)} was written as {read}")
    return text


def wrapped(text: str) -> list[str]:
    """The lines of a comment, a sentence."""
    sentence = text[0].upper() + text[1:]
    return textwrap.wrap(sentence if sentence.endswith(".") else sentence + ".", 100)


def quoted(value: str) -> str:
    """A YAML string in double quotes. Nuclio's processor takes a bare 5 or true for no string and ends."""
    return '"' + "".join(map(_escaped, value)) + '"'


def _escaped(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    if char.isprintable():
        return char
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _mapping(mapping: Mapping[str, Any], indent: str) -> Iterator[str]:
    for key, item in mapping.items():
        value = yield from _comments(item, indent)
        yield from _entry(f"{indent}{quoted(key) if isinstance(key, Quoted) else key}:", value, indent + "  ")


def _entry(head: str, value: Any, indent: str) -> Iterator[str]:
    if isinstance(value, Mapping) and not isinstance(value, Flow):
        yield head
        yield from _mapping(value, indent)
    elif isinstance(value, list) and not isinstance(value[0], str):
        yield head
        for item in value:
            one = yield from _comments(item, indent)
            first, *rest = _mapping(one, indent + "  ")
            yield f"{indent}- {first.lstrip()}"
            yield from rest
    elif isinstance(value, Block):
        yield f"{head} |"
        yield from (indent + line for line in value.splitlines())
    else:
        yield f"{head} {quoted(value) if isinstance(value, str) else json.dumps(value)}"


def _comments(item: Any, indent: str) -> Generator[str, None, Any]:
    """The lines above an item; returns its value."""
    if not isinstance(item, Said):
        return item
    for comment in item.comments:
        yield from (f"{indent}# {line}" for line in textwrap.wrap(comment, WIDTH))
    return item.value
