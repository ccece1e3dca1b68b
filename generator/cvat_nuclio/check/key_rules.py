"""Rules that look at one key: a row names the key, what is wrong with its value, why, and what to do."""

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import yaml

from ..nuclio.model import Path
from .bundle import Bundle
from .finding import Edit, Severity
from .rule import Fault, Rule, register

Said: TypeAlias = "str | Fault | None"


@dataclass(frozen=True, slots=True)
class At:
    """A key of a bundle's file and its value in what nuctl deploys (None when it is not there)."""

    bundle: Bundle
    path: Path
    value: Any

    @property
    def key(self) -> str:
        """The last key's name."""
        return str(self.path[-1])

    @property
    def owner(self) -> str:
        """The name of what the key belongs to, such as a trigger's."""
        return str(self.path[2] if self.path[:2] == ("spec", "triggers") else self.path[-2])

    @property
    def present(self) -> bool:
        """Whether the file itself says something there."""
        return self.bundle.places.has(*self.path)

    @property
    def is_overruled(self) -> bool:
        """Whether it is `maxWorkers` beside a `numWorkers` that wins."""
        return self.key == "maxWorkers" and bool(self.bundle.spec["triggers"][self.owner].get("numWorkers"))

    def line_removed(self) -> Edit | None:
        """The removal of the one-line entry of a block map, with its comment; None where it is written otherwise."""
        text, places = self.bundle.text, self.bundle.places
        entry, parent = places.written(*self.path), places.written(*self.path[:-1])
        if not entry or not parent or not isinstance(entry.value.written, yaml.ScalarNode):
            return None
        map_node, key, value = parent.value.written, entry.key.start_mark, entry.value.written.end_mark
        if not isinstance(map_node, yaml.MappingNode) or map_node.flow_style or len(map_node.value) < 2:
            return None
        start = text.rfind("\n", 0, key.index) + 1
        end = text.find("\n", value.index) + 1
        alone = not text[start : key.index].strip() and value.line == key.line
        return Edit(start, end, "") if alone and end else None

    def key_renamed(self, name: str) -> Edit | None:
        """The key written otherwise."""
        entry = self.bundle.places.written(*self.path)
        return Edit.of(entry.key, name) if entry else None


Finds: TypeAlias = Callable[[At], "Said | list[Said]"]


def row(
    id: str, name: str, severity: Severity, at: str | tuple[str, ...], finds: Finds, doc: str, *,
    source: str, remedy: str, mark: str = "value", absent: bool = False, fixes: bool = False, cvat: bool = False,
) -> None:  # fmt: skip
    """Makes a rule of a row.

    `at` is a dotted path, or several; `*` stands for every key or index, `<http>` for every http trigger, and a last
    key with dots follows a space. `finds` says what is wrong with a value, or None. `mark` is what a finding points at:
    the `key`, or the `value`. With `absent` a key that is not there is looked at too, where the file has a `spec`.
    """
    patterns = [_steps(pattern) for pattern in ((at,) if isinstance(at, str) else at)]

    def look(bundle: Bundle) -> Iterator[Fault]:
        for pattern in patterns:
            for found in _matches(bundle, (), bundle.config, pattern):
                if found.value is not None or (absent and bundle.config and bundle.places.has("spec")):
                    for said in _listed(finds(found)):
                        yield _placed(said, found, mark)

    register(Rule(id, name, severity, look, Bundle, doc, source, remedy, fixes, cvat))


def key_rule(
    id: str, name: str, severity: Severity, at: str | tuple[str, ...], **options: Any
) -> Callable[[Finds], Finds]:
    """`row` for what takes more than a line: the function's docstring is the rule's, `options` are those of `row`."""

    def decorate(finds: Finds) -> Finds:
        row(id, name, severity, at, finds, finds.__doc__ or "", **options)
        return finds

    return decorate


def _steps(pattern: str) -> list[str]:
    dotted, _, last = pattern.partition(" ")
    return [*dotted.split("."), *([last] if last else [])]


def _matches(bundle: Bundle, path: Path, value: Any, steps: list[str]) -> Iterator[At]:
    for i, step in enumerate(steps):
        if step in ("*", "<http>"):
            keys = bundle.triggers if step == "<http>" else _keys(value)
            for key in keys:
                yield from _matches(bundle, (*path, key), _get(value, key), steps[i + 1 :])
            return
        path, value = (*path, step), _get(value, step)
    yield At(bundle, path, value)


def _keys(value: Any) -> list[Any]:
    return list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []


def _get(value: Any, key: Any) -> Any:
    if isinstance(value, dict):
        return value.get(key)
    return value[key] if isinstance(value, list) and isinstance(key, int) else None


def _listed(said: "Said | list[Said]") -> Iterator[Fault]:
    for one in said if isinstance(said, list) else [said]:
        if one is not None:
            yield Fault(one) if isinstance(one, str) else one


def _placed(fault: Fault, at: At, mark: str) -> Fault:
    if fault.place != (0, 0):
        return fault
    places = at.bundle.places
    if mark == "key" or not at.present:
        length = len(at.key) if at.present else 1
        return dataclasses.replace(fault, place=places.key(*at.path), length=length)
    scalar = isinstance(at.value, (str, int, float))
    return dataclasses.replace(fault, place=places.value(*at.path), length=len(str(at.value)) or 1 if scalar else 1)
