"""What the engine needs to know of a function: the parts of `function.yaml` that Nuclio's processor goes by."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ..errors import UserError

DEFAULT_BODY = 4 * 1024 * 1024
DEFAULT_HEAD = 16 * 1024
DEFAULT_AVAILABILITY = 10.0
DEFAULT_TERMINATION = 10.0
DURATION_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}


@dataclass(frozen=True)
class Cors:
    """The trigger's `cors`: which browsers' origins, methods and headers are let in."""

    origins: tuple[str, ...] = ("*",)
    methods: tuple[str, ...] = ("HEAD", "GET", "POST", "PUT", "DELETE", "OPTIONS")
    headers: tuple[str, ...] = ("Accept", "Content-Length", "Content-Type", "X-nuclio-log-level")
    exposed: tuple[str, ...] = ()
    credentials: bool = False
    preflight_method: str = "OPTIONS"
    max_age: int = -1


@dataclass(frozen=True)
class Trigger:
    """The http trigger. Times are in seconds, sizes in bytes."""

    name: str
    workers: int = 1
    availability_timeout: float = DEFAULT_AVAILABILITY
    termination_timeout: float = DEFAULT_TERMINATION
    max_body: int = DEFAULT_BODY
    max_head: int = DEFAULT_HEAD
    port: int = 0
    cors: Cors | None = None


@dataclass(frozen=True)
class Settings:
    """One function. `config` is the whole file as Nuclio keeps it."""

    folder: Path
    name: str
    namespace: str
    handler: str
    trigger: Trigger | None
    event_timeout: float | None = None
    env: dict[str, str] = field(default_factory=dict)
    description: str = ""
    version: int = 0
    config: dict[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """CVAT's kind: detector, interactor, tracker or reid; empty when the file has none."""
        annotations = (self.config.get("metadata") or {}).get("annotations") or {}
        return str(annotations.get("type") or "")


def read_settings(path: Path, config_file: str = "function.yaml") -> Settings:
    """The settings of the bundle in `path` (its folder, or the folder that holds `nuclio/`). Raises UserError."""
    folder = bundle_folder(path, config_file)
    config = yaml.safe_load((folder / config_file).read_text("utf-8")) or {}
    return settings_from(folder, config)


def bundle_folder(path: Path, config_file: str) -> Path:
    """The folder that holds the configuration file. Raises UserError."""
    for folder in (path, path / "nuclio"):
        if (folder / config_file).is_file():
            return folder.resolve()
    raise UserError(
        f"{path} is no bundle",
        why=f"it holds neither {config_file} nor nuclio/{config_file}",
        remedy="name the folder that `cvat-nuclio generate` wrote",
    )


def settings_from(folder: Path, config: dict[str, Any]) -> Settings:
    """The settings in a configuration as Nuclio keeps it."""
    metadata, spec = config.get("metadata") or {}, config.get("spec") or {}
    timeout = spec.get("eventTimeout")
    return Settings(
        folder=folder,
        name=str(metadata.get("name") or folder.name),
        namespace=str(metadata.get("namespace") or "nuclio"),
        handler=str(spec.get("handler") or "main:handler"),
        trigger=_http_trigger(spec.get("triggers") or {}),
        event_timeout=parse_duration(timeout) if timeout else None,
        env={str(item["name"]): str(item.get("value") or "") for item in spec.get("env") or []},
        description=str(spec.get("description") or ""),
        version=int(spec.get("version") or 0),
        config=config,
    )


def _http_trigger(triggers: dict[str, Any]) -> Trigger | None:
    for name, fields in triggers.items():
        if fields.get("kind") == "http":
            return _trigger(str(fields.get("name") or name), fields)
    return None


def _trigger(name: str, fields: dict[str, Any]) -> Trigger:
    attributes = {str(key).lower(): value for key, value in (fields.get("attributes") or {}).items()}
    availability = fields.get("workerAvailabilityTimeoutMilliseconds")
    termination = fields.get("workerTerminationTimeout")
    return Trigger(
        name=name,
        workers=int(fields.get("numWorkers") or 1),
        availability_timeout=DEFAULT_AVAILABILITY if availability is None or availability < 0 else availability / 1000,
        termination_timeout=parse_duration(termination) if termination else DEFAULT_TERMINATION,
        max_body=_size(attributes.get("maxrequestbodysize"), DEFAULT_BODY),
        max_head=_size(attributes.get("readbuffersize"), DEFAULT_HEAD),
        port=int(attributes.get("port") or 0),
        cors=_cors(attributes.get("cors") or {}),
    )


def _size(value: float | None, default: int) -> int:
    return int(value) if value and value > 0 else default


def _cors(fields: dict[str, Any]) -> Cors | None:
    keys = {str(key).lower(): value for key, value in fields.items()}
    if not keys.get("enabled"):
        return None
    standard = Cors()
    return Cors(
        origins=tuple(keys.get("alloworigins") or standard.origins),
        methods=tuple(keys.get("allowmethods") or standard.methods),
        headers=tuple(keys.get("allowheaders") or standard.headers),
        exposed=tuple(keys.get("exposeheaders") or ()),
        credentials=bool(keys.get("allowcredentials")),
        preflight_method=str(keys.get("preflightrequestmethod") or standard.preflight_method),
        max_age=int(keys.get("preflightmaxageseconds") or standard.max_age),
    )


def parse_duration(text: str) -> float:
    """Go's duration (`1m30s`, `500ms`) in seconds. Raises ValueError."""
    parts = re.findall(r"(\d+(?:\.\d*)?|\.\d+)(h|ms|us|µs|ns|m|s)", text)
    if not parts or "".join(number + unit for number, unit in parts) != text.lstrip("+"):
        raise ValueError(f"time: invalid duration {text!r}")
    return sum(float(number) * DURATION_UNITS[unit] for number, unit in parts)
