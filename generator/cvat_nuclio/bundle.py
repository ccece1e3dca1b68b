"""A bundle: the folder that nuctl deploys, and its function.yaml as Nuclio reads it."""

import json
from pathlib import Path
from typing import Any

import attrs

from .errors import UserError
from .nuclio import Reading, Refusal, read
from .nuclio.duration import BadDuration, nanoseconds
from .nuclio.trigger import BadAttribute, HTTPTrigger, http_trigger

CONFIG = "function.yaml"


@attrs.frozen
class Bundle:
    """What a deployed bundle is to Nuclio and CVAT.

    `config` has the form of Nuclio's own log and listing (`metadata`, `spec`). It is what nuctl hands to the function
    processor: numbers and booleans in string fields have become strings. `strict` is what the processor says when it
    is given the file itself (None: it takes it). `reading` also lists the dropped keys.
    """

    folder: Path
    config_file: Path
    reading: Reading
    strict: Refusal | None

    @classmethod
    def open(cls, path: Path | str, config: str = CONFIG, nuclio: str | None = None) -> "Bundle":
        """Opens a bundle's folder, a folder with `nuclio/` inside, or a configuration file.

        Raises:
            UserError: nothing there, not readable, or refused by Nuclio.
        """
        file = _config_file(Path(path), config)
        try:
            text = file.read_bytes()
        except OSError as error:
            raise UserError(f"cannot read {file}", why=error.strerror or str(error)) from None
        reading = read(text, "builder", nuclio)
        strict = read(text, "processor", nuclio).refused
        refused = reading.refused or _event_timeout(reading.config)
        if refused:
            place = f":{refused.line}:{refused.column}" if refused.line else ""
            raise UserError(
                f"Nuclio refuses {file}{place}",
                why=refused.message,
                remedy=f"cvat-nuclio check {file} says what to write",
            )
        return cls(file.parent, file, reading, strict)

    @property
    def config(self) -> dict[str, Any]:
        """Nuclio's view: `metadata` and `spec`."""
        return self.reading.config

    @property
    def spec(self) -> dict[str, Any]:
        """`config["spec"]`."""
        return self.config["spec"]  # type: ignore[no-any-return]

    @property
    def name(self) -> str:
        """The function's name, empty when the file gives none."""
        return str(self.config["metadata"].get("name", ""))

    @property
    def annotations(self) -> dict[str, str]:
        """`metadata.annotations`."""
        return dict(self.config["metadata"].get("annotations", {}))

    @property
    def kind(self) -> str:
        """CVAT's kind of function: detector, interactor, tracker, reid, or whatever stands in the annotation `type`."""
        return self.annotations.get("type", "")

    @property
    def labels(self) -> list[dict[str, Any]]:
        """The parsed annotation `spec`, empty when it is absent.

        Raises:
            UserError: not a JSON list of objects.
        """
        text = self.annotations.get("spec") or "[]"
        try:
            labels = json.loads(text)
        except ValueError as error:
            raise UserError(f"the annotation spec in {self.config_file} is not JSON", why=str(error)) from None
        if not isinstance(labels, list) or not all(isinstance(label, dict) for label in labels):
            raise UserError(f"the annotation spec in {self.config_file} is not a list of labels", why=text[:80])
        return labels

    @property
    def env(self) -> dict[str, str]:
        """`spec.env` without references to secrets; the last of a name wins, as in a container."""
        return {item["name"]: item.get("value", "") for item in self.spec.get("env", []) if "valueFrom" not in item}

    @property
    def handler(self) -> tuple[str, str]:
        """Module and function."""
        module, _, function = self.spec.get("handler", "").rpartition(":")
        return module, function

    @property
    def trigger(self) -> HTTPTrigger:
        """The http trigger in force; nuctl adds one with one worker when the file has none.

        Raises:
            UserError: settings that the processor refuses at its start.
        """
        triggers = self.spec.get("triggers", {})
        found = {name: trigger for name, trigger in triggers.items() if trigger["kind"] == "http"}
        name, trigger = next(iter(found.items()), ("default-http", {"kind": "http"}))
        try:
            return http_trigger(name, trigger)
        except (BadAttribute, BadDuration) as error:
            raise UserError(f"the processor refuses trigger {name} in {self.config_file}", why=str(error)) from None

    @property
    def num_workers(self) -> int:
        """Worker processes of the http trigger; nuctl takes the old `maxWorkers` for it where that alone is given."""
        triggers = [t for t in self.spec.get("triggers", {}).values() if t["kind"] == "http"]
        trigger = triggers[0] if triggers else {}
        return trigger.get("numWorkers") or trigger.get("maxWorkers") or 1

    @property
    def max_request_body_size(self) -> int:
        """Bytes."""
        return self.trigger.body_limit

    @property
    def worker_availability_ms(self) -> int:
        """How long a request waits for a free worker; 0 does not wait, a negative number waits too."""
        return self.trigger.availability_ms

    @property
    def event_timeout(self) -> float | None:
        """Seconds, or None for no limit."""
        text = self.spec.get("eventTimeout")
        return nanoseconds(text) / 1e9 if text else None

    @property
    def readiness_timeout(self) -> int:
        """Seconds that nuctl waits for `init_context` of all workers."""
        return self.spec.get("readinessTimeoutSeconds") or 120


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


def _event_timeout(config: dict[str, Any]) -> Refusal | None:
    text = config.get("spec", {}).get("eventTimeout")
    try:
        positive = not text or nanoseconds(text) > 0
    except BadDuration as error:
        return Refusal(str(error), "spec.eventTimeout")
    return None if positive else Refusal(f"eventTimeout <= 0 ({text})", "spec.eventTimeout")
