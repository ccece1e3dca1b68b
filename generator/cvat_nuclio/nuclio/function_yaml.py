"""A function.yaml, typed: what nuctl deploys of it, where each thing stands, what Nuclio drops or refuses."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from ..errors import UserError
from .duration import BadDuration, nanoseconds
from .http_trigger import BadAttribute, HTTPTrigger, http_trigger
from .model import Path as KeyPath
from .model import Refusal
from .structs import NEWEST, Version, version_of
from .yaml_places import Places
from .yaml_readers import event_timeout_refused, read

CONFIG = "function.yaml"


@dataclass(frozen=True, slots=True)
class Directive:
    """One step of the image's build. `phase` is `preCopy`, `postCopy` or `commands`; `kind` is in upper case."""

    phase: str
    index: int
    kind: str
    value: str

    @property
    def path(self) -> KeyPath:
        """Where its value stands."""
        if self.phase == "commands":
            return ("spec", "build", "commands", self.index)
        return ("spec", "build", "directives", self.phase, self.index, "value")


class FunctionYaml:
    """One file as nuctl reads it: numbers and booleans in string fields have become strings.

    `reading.config` has the form of Nuclio's own log and listing (`metadata`, `spec`), and is empty where nuctl refuses
    the file; `reading.dropped` are the keys that it forgets. `places` tells where each thing stands.
    """

    def __init__(self, file: Path, data: bytes | None = None, nuclio: Version = NEWEST) -> None:
        self.file = file
        self.folder = file.parent
        self.nuclio = nuclio
        self.data = file.read_bytes() if data is None else data
        self.reading = read(self.data, "builder", nuclio)
        self.places = Places(self.reading.root)

    @classmethod
    def open(cls, path: Path | str, config: str = CONFIG, nuclio: str | None = None) -> Self:
        """Opens a bundle's folder, a folder with `nuclio/` inside, or a configuration file.

        Raises:
            UserError: nothing there, not readable, or refused by nuctl or by the function processor.
        """
        file = _config_file(Path(path), config)
        try:
            opened = cls(file, nuclio=version_of(nuclio) if nuclio else NEWEST)
        except OSError as error:
            raise UserError(f"cannot read {file}", why=error.strerror or str(error)) from None
        if refused := opened.refused:
            place = f":{refused.line}:{refused.column}" if refused.line else ""
            raise UserError(
                f"Nuclio refuses {file}{place}",
                why=refused.message,
                remedy=f"cvat-nuclio check {file} says what to write",
            )
        return opened

    @property
    def refused(self) -> Refusal | None:
        """Why nuctl does not take the file, or the processor what nuctl makes of it."""
        return self.reading.refused or event_timeout_refused(self.config, self.reading.root)

    @functools.cached_property
    def text(self) -> str:
        """The file's text; bytes that are no UTF-8 are shown as they can be."""
        return self.data.decode("utf-8-sig", "replace")

    # --- metadata

    @property
    def config(self) -> dict[str, Any]:
        """`metadata` and `spec`, or nothing."""
        return self.reading.config

    @property
    def metadata(self) -> dict[str, Any]:
        """`config["metadata"]`."""
        metadata: dict[str, Any] = self.config.get("metadata", {})
        return metadata

    @property
    def name(self) -> str:
        """`metadata.name`, or an empty string."""
        return str(self.metadata.get("name", ""))

    @property
    def annotations(self) -> dict[str, str]:
        """`metadata.annotations`."""
        return self.metadata.get("annotations") or {}

    @property
    def kind(self) -> str:
        """CVAT's kind of function: detector, interactor, tracker, reid, or whatever stands in the annotation `type`."""
        return self.annotations.get("type", "")

    # --- spec

    @property
    def spec(self) -> dict[str, Any]:
        """`config["spec"]`."""
        spec: dict[str, Any] = self.config.get("spec", {})
        return spec

    @property
    def handler(self) -> tuple[str, str]:
        """Module and function."""
        module, _, function = str(self.spec.get("handler", "")).rpartition(":")
        return module, function

    @property
    def runtime(self) -> tuple[str, str]:
        """The language and its version, which may be empty: `("python", "3.11")`."""
        language, _, version = str(self.spec.get("runtime", "")).partition(":")
        return language, version

    @property
    def env(self) -> dict[str, str]:
        """`spec.env` without references to secrets; the last of a name wins, as in a container."""
        variables = self.spec.get("env") or []
        return {item.get("name", ""): item.get("value", "") for item in variables if "valueFrom" not in item}

    @property
    def limits(self) -> dict[str, str]:
        """`spec.resources.limits`."""
        return (self.spec.get("resources") or {}).get("limits") or {}

    @property
    def is_gpu(self) -> bool:
        """Whether the limits ask for a GPU."""
        return self.limits.get("nvidia.com/gpu", "0") != "0"

    @property
    def platform(self) -> dict[str, Any]:
        """`spec.platform.attributes`."""
        return (self.spec.get("platform") or {}).get("attributes") or {}

    @property
    def mounts(self) -> list[str]:
        """Where volumes lie in the container: `spec.volumes[].volumeMount.mountPath`."""
        found = [(volume.get("volumeMount") or {}).get("mountPath") for volume in self.spec.get("volumes") or []]
        return [path for path in found if path]

    @property
    def event_timeout(self) -> float | None:
        """Seconds; None for no limit, and for a text that is no duration."""
        text = self.spec.get("eventTimeout")
        try:
            return nanoseconds(text) / 1e9 if text else None
        except BadDuration:
            return None

    @property
    def readiness_timeout(self) -> int:
        """Seconds that nuctl waits for `init_context` of all workers."""
        return self.spec.get("readinessTimeoutSeconds") or 120

    # --- triggers

    @property
    def triggers(self) -> dict[str, dict[str, Any]]:
        """The http triggers by their keys."""
        triggers: dict[str, dict[str, Any]] = self.spec.get("triggers") or {}
        return {name: trigger for name, trigger in triggers.items() if trigger["kind"] == "http"}

    @property
    def trigger(self) -> HTTPTrigger:
        """The http trigger in force; nuctl adds one with one worker when the file has none.

        Raises:
            UserError: settings that the processor refuses at its start.
        """
        name, trigger = next(iter(self.triggers.items()), ("default-http", {"kind": "http"}))
        # nuctl takes the old name where it stands alone.
        workers = trigger.get("numWorkers") or trigger.get("maxWorkers") or 1
        try:
            return http_trigger(name, {**trigger, "numWorkers": workers})
        except (BadAttribute, BadDuration) as error:
            raise UserError(f"the processor refuses trigger {name} in {self.file}", why=str(error)) from None

    # --- the build

    @property
    def build(self) -> dict[str, Any]:
        """`spec.build`."""
        return self.spec.get("build") or {}

    @property
    def builds(self) -> bool:
        """Whether nuctl makes an image: a file with `spec.image` and no `build.image` runs that one."""
        return not (self.spec.get("image") and not self.build.get("image"))

    @functools.cached_property
    def directives(self) -> list[Directive]:
        """What runs in the image's build, in its order; `commands` replace all other steps."""
        if commands := self.build.get("commands"):
            return [Directive("commands", i, "RUN", command) for i, command in enumerate(commands)]
        phases = self.build.get("directives") or {}
        return [
            Directive(phase, i, item.get("kind", "").upper(), item.get("value", ""))
            for phase in ("preCopy", "postCopy")
            for i, item in enumerate(phases.get(phase) or [])
        ]


def _config_file(path: Path, config: str) -> Path:
    if path.is_file():
        return path
    for folder in (path, path / "nuclio"):
        if (folder / config).is_file():
            return folder / config
    if not path.exists():
        raise UserError(f"no such file or folder: {path}")
    raise UserError(
        f"no {config} in {path}", why=f"neither {path / config} nor {path / 'nuclio' / config} is there",
        remedy="name a bundle's folder or its function.yaml",
    )  # fmt: skip


def refuse_twins(names: Sequence[str], paths: Sequence[Path]) -> None:
    """Raises UserError where two of the bundles in `paths` are named alike."""
    if twin := next((name for name in names if names.count(name) > 1), None):
        alike = [str(path) for path, name in zip(paths, names, strict=True) if name == twin]
        raise UserError(
            f"two functions are named {twin}",
            why=f"{', '.join(alike)}: Nuclio keeps one function under a name",
            remedy="generate one of them with another --name",
        )
