"""The annotation `spec`: a JSON text inside YAML, and where each part of it stands in the file."""

import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..nuclio.function_yaml import FunctionYaml
from ..nuclio.jsonplace import positions
from ..nuclio.textplace import offsets_of, place_of
from ..nuclio.yaml_places import Place

JsonPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Label:
    """One label (or sublabel) as it is written; `path` leads to it in the JSON."""

    data: dict[str, Any]
    path: JsonPath
    depth: int = 0

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
            yield from self._labels(self.data, (), 0)

    def _labels(self, items: list[Any], path: JsonPath, depth: int) -> Iterator[Label]:
        for i, item in enumerate(items):
            if isinstance(item, dict):
                yield Label(item, (*path, i), depth)
                yield from self._labels(Label(item, ()).sublabels, (*path, i, "sublabels"), depth + 1)

    def place(self, *path: str | int) -> Place:
        """Line and column, in the file, of a value in the JSON, or of its nearest parent."""
        found = self._positions
        while path and path not in found:
            path = path[:-1]
        return self.at(found.get(path, 0))

    def at(self, offset: int) -> Place:
        """Line and column, in the file, of a character of the JSON text."""
        offsets = self._offsets
        if not offsets:
            return self.function.places.value("metadata", "annotations", "spec")
        return place_of(self.function.text, offsets[min(offset, len(offsets) - 1)])

    @functools.cached_property
    def _offsets(self) -> list[int]:
        return offsets_of(self.function.text, ("metadata", "annotations", "spec"), self.text)

    @functools.cached_property
    def _positions(self) -> dict[JsonPath, int]:
        return {} if self.error else positions(self.text)
