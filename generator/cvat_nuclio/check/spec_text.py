"""The annotation `spec`: a JSON text inside YAML, and where each part of it stands in the file."""

import functools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ..nuclio.function_yaml import FunctionYaml
from ..nuclio.model import Path as JsonPath
from ..nuclio.model import Place
from ..nuclio.yaml_places import place_in
from .rule import Fault

_SPEC = ("metadata", "annotations", "spec")
# A JSON text's keys, strings, brackets and commas; what is left are numbers and words.
_STRING = r'"[^"\\]*(?:\\.[^"\\]*)*"'
_TOKEN = re.compile(rf'(?P<key>{_STRING}(?=\s*:))|{_STRING}|[\[\]{{}},]|[^\[\]{{}},:"\s]+')


@dataclass(frozen=True, slots=True)
class Label:
    """One label (or sublabel) as it is written; `path` leads to it in the JSON."""

    labels: "Labels"
    data: dict[str, Any]
    path: JsonPath

    @property
    def file(self) -> Path:
        """Where it stands."""
        return self.labels.file

    @property
    def name(self) -> Any:
        """Its name, whatever it is."""
        return self.data.get("name")

    @property
    def attributes(self) -> list[Any]:
        """Its attributes, whatever they are; empty where they are no list."""
        attributes = self.data.get("attributes")
        return attributes if isinstance(attributes, list) else []

    @property
    def sublabels(self) -> list[Any]:
        """A skeleton's sublabels, whatever they are; empty on other labels."""
        inner = self.data.get("sublabels") if self.data.get("type") == "skeleton" else None
        return inner if isinstance(inner, list) else []

    def fault(self, message: str, *path: str | int, **options: Any) -> Fault:
        """A fault at a place in the label."""
        return self.labels.fault(message, *self.path, *path, **options)


class Labels:
    """The parsed annotation. `error` is set when it is no JSON; `data` is None then, and when it is absent.

    `generation` is that of CVAT's server (G1, G2, G3).
    """

    def __init__(self, function: FunctionYaml, generation: str) -> None:
        self.function = function
        self.generation = generation
        self.file = function.file
        self.text = function.annotations.get("spec", "")
        self.error: json.JSONDecodeError | None = None
        self.data: Any = None
        try:
            self.data = json.loads(self.text) if self.text else None
        except json.JSONDecodeError as error:
            self.error = error
        except RecursionError:
            self.error = json.JSONDecodeError("nested too deeply", self.text, 0)

    def all(self) -> Iterator[Label]:
        """Every label that is an object, sublabels of skeletons included."""
        if isinstance(self.data, list):
            yield from self._labels(self.data, ())

    def _labels(self, items: list[Any], path: JsonPath) -> Iterator[Label]:
        for i, item in enumerate(items):
            if isinstance(item, dict):
                label = Label(self, item, (*path, i))
                yield label
                yield from self._labels(label.sublabels, (*label.path, "sublabels"))

    def fault(self, message: str, *path: str | int, **options: Any) -> Fault:
        """A fault at a value in the JSON, or at its nearest parent."""
        while path and path not in self._positions:
            path = path[:-1]
        return Fault(message, self.at(self._positions.get(path, 0)), **options)

    def at(self, offset: int) -> Place:
        """Line and column, in the file, of a character of the JSON text."""
        if not self._offsets:
            return self.function.places.value(*_SPEC)
        return place_in(self.function.text, self._offsets[min(offset, len(self._offsets) - 1)])

    @functools.cached_property
    def _offsets(self) -> list[int]:
        entry = self.function.places.written(*_SPEC)
        return offsets(self.function.text, entry.value.written, self.text) if entry else []

    @functools.cached_property
    def _positions(self) -> dict[JsonPath, int]:
        return {} if self.error else positions(self.text)


def positions(text: str) -> dict[JsonPath, int]:
    """The offset of every value of a JSON text, by its path of keys and indices."""
    found: dict[JsonPath, int] = {}
    path: list[str | int] = []
    for token in _TOKEN.finditer(text):
        word = token[0]
        if token["key"]:
            path[-1] = json.loads(word)
        elif word in ("]", "}"):
            path.pop()
        elif word == ",":
            path[-1] = path[-1] + 1 if isinstance(path[-1], int) else path[-1]
        else:
            found[tuple(path)] = token.start()
            if word in ("[", "{"):
                path.append(0 if word == "[" else "")
    return found


def offsets(text: str, node: yaml.Node | None, value: str) -> list[int]:
    """For each character of a YAML string's value its offset in the file; empty when it is not written there.

    The written form differs from the value by indentation, line breaks and escapes. Characters that are not blank
    are matched one after the other.
    """
    if not isinstance(node, yaml.ScalarNode):
        return []
    at, end = node.start_mark.index, node.end_mark.index
    if node.style in ("|", ">"):
        at = text.find("\n", at) + 1
    found: list[int] = []
    for character in value:
        here = -1 if character.isspace() else text.find(character, at, end)
        found.append(at if here < 0 else here)
        at = at if here < 0 else here + 1
    return found
