"""A function.yaml as the rules see it: both readings, and the place of everything in it."""

import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..nuclio.convert import convert
from ..nuclio.document import Entry, Node, parse
from ..nuclio.model import Dropped, Reading, RefusedText
from ..nuclio.reader import locate, read_node
from .settings import Settings

if TYPE_CHECKING:
    import ast

    from .labels import Labels
    from .source import PythonFile

Place = tuple[int, int]


class Config:
    """One configuration file and the folder that nuctl would send with it.

    `config` is what nuctl deploys, empty when it refuses the file. `named` means that the user named this very bundle.
    Paths are keys and indices from the root, matched whatever their case.
    """

    def __init__(self, file: Path, settings: Settings, data: bytes | None = None, *, named: bool = True) -> None:
        self.file = file
        self.folder = file.parent
        self.settings = settings
        self.named = named
        self.data = file.read_bytes() if data is None else data
        self.node, self.replaced, self.built = self._read()

    def _read(self) -> tuple[Node, list[Dropped], Reading]:
        try:
            node, replaced = parse(self.data)
        except RefusedText as error:
            return Node(None, 1, 1), [], Reading({}, [], error.refusal)
        return node, replaced, read_node(node, replaced, "builder", self.settings.nuclio)

    @functools.cached_property
    def text(self) -> str:
        """The file's text; bytes that are no UTF-8 are shown as they can be."""
        return self.data.decode("utf-8-sig", "replace")

    @property
    def config(self) -> dict[str, Any]:
        """`metadata` and `spec`, or nothing."""
        return self.built.config

    @property
    def metadata(self) -> dict[str, Any]:
        """`config["metadata"]`."""
        metadata: dict[str, Any] = self.config.get("metadata", {})
        return metadata

    @property
    def spec(self) -> dict[str, Any]:
        """`config["spec"]`."""
        spec: dict[str, Any] = self.config.get("spec", {})
        return spec

    @property
    def name(self) -> str:
        """`metadata.name`."""
        return str(self.metadata.get("name", ""))

    @property
    def annotations(self) -> dict[str, str]:
        """`metadata.annotations`."""
        return self.metadata.get("annotations") or {}

    @property
    def kind(self) -> str:
        """The annotation `type`."""
        return self.annotations.get("type", "")

    @property
    def build(self) -> dict[str, Any]:
        """`spec.build`."""
        return self.spec.get("build") or {}

    @property
    def triggers(self) -> dict[str, dict[str, Any]]:
        """The http triggers by their keys."""
        triggers: dict[str, dict[str, Any]] = self.spec.get("triggers") or {}
        return {name: trigger for name, trigger in triggers.items() if trigger["kind"] == "http"}

    @property
    def directives(self) -> list[tuple[str, int, str, str]]:
        """What runs in the image's build: phase, index, kind in upper case, value. `commands` replace the rest."""
        if self.build.get("commands"):
            return [("commands", i, "RUN", command) for i, command in enumerate(self.build["commands"])]
        found = []
        for phase in ("preCopy", "postCopy"):
            for i, directive in enumerate((self.build.get("directives") or {}).get(phase, [])):
                found.append((phase, i, directive.get("kind", "").upper(), directive.get("value", "")))
        return found

    @property
    def build_text(self) -> str:
        """All values of the directives, one a line."""
        return "\n".join(value for *_, value in self.directives)

    @property
    def builds(self) -> bool:
        """Whether nuctl makes an image: a file with `spec.image` and no `build.image` runs that one."""
        return not (self.spec.get("image") and not self.build.get("image"))

    @property
    def is_gpu(self) -> bool:
        """Whether the file asks for a GPU, by its limits or by its name."""
        limits = (self.spec.get("resources") or {}).get("limits") or {}
        return limits.get("nvidia.com/gpu", "0") != "0" or "gpu" in self.file.stem.lower().split("-")

    @functools.cached_property
    def for_cvat(self) -> bool:
        """Whether CVAT is to call the function: the user named it, or it speaks of CVAT's annotations or images.

        Trees hold Nuclio functions of other kinds, too.
        """
        if self.named or any(key in self.annotations for key in ("type", "spec", "framework", "min_pos_points")):
            return True
        return any(re.search(rb"[\"']image[\"']", module.file.read_bytes()) for module in self.modules.values())

    @functools.cached_property
    def labels(self) -> "Labels":
        """The annotation `spec`."""
        from .labels import Labels

        return Labels(self)

    @functools.cached_property
    def modules(self) -> "dict[str, PythonFile]":
        """The handler's module and the bundle's own modules that it imports, by name."""
        from .source import modules_of

        return modules_of(self)

    @functools.cached_property
    def started(self) -> "set[ast.Call]":
        """The calls in the bundle's modules that run when the function starts."""
        from .reach import start_calls

        roots = [(m, m.init_context) for m in self.modules.values() if m.init_context]
        return start_calls(self.modules, roots)

    def key(self, *path: str | int) -> Place:
        """Where the last key of the path stands; where its nearest parent stands when it is absent."""
        entry = self._entry(path)
        if entry:
            return entry.line, entry.column
        return self.key(*path[:-1]) if len(path) > 1 else (1, 1)

    def value(self, *path: str | int) -> Place:
        """Where the value at the path begins; its key's place for a map or list that begins on a later line."""
        node = locate(self.node, *path)
        entry = self._entry(path)
        if entry and (isinstance(node.data, (dict, list)) or node.line < entry.line):
            return entry.line, entry.column
        return node.line, node.column

    def has(self, *path: str | int) -> bool:
        """Whether the file itself says something there."""
        *parents, last = path
        node = locate(self.node, *parents)
        if isinstance(last, int):
            return isinstance(node.data, list) and last < len(node.data)
        return isinstance(node.data, dict) and self._entry(path) is not None

    def _entry(self, path: tuple[str | int, ...]) -> Entry | None:
        node = self.node
        entry = None
        for step in path:
            entry = None
            if isinstance(step, int):
                if not isinstance(node.data, list) or step >= len(node.data):
                    return None
                node = node.data[step]
                entry = Entry(node.line, node.column, node)
                continue
            if not isinstance(node.data, dict):
                return None
            names = sorted(name for name in node.data if name.lower() == step.lower())
            if not names:
                return None
            entry = node.data[step if step in node.data else names[-1]]
            node = entry.value
        return entry

    def conversions(self) -> Iterator[tuple[tuple[str | int, ...], Node, str]]:
        """The scalars that nuctl turns into strings and the processor would refuse: path, value, the string."""
        yield from _differences((), self.node, convert(self.node, "functionconfig.Config"))


def _differences(
    path: tuple[str | int, ...], before: Node, after: Node
) -> Iterator[tuple[tuple[str | int, ...], Node, str]]:
    if isinstance(before.data, dict) and isinstance(after.data, dict):
        for key, entry in before.data.items():
            yield from _differences((*path, key), entry.value, after.data[key].value)
    elif isinstance(before.data, list) and isinstance(after.data, list):
        for i, item in enumerate(before.data):
            yield from _differences((*path, i), item, after.data[i])
    elif before.data is not after.data and isinstance(after.data, str):
        yield path, before, after.data
