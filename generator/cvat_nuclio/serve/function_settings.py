"""What an engine needs to know of a function: the parts of `function.yaml` that Nuclio's processor goes by."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import UserError
from ..limits import NAMESPACE
from ..nuclio.function_yaml import FunctionYaml
from ..nuclio.http_trigger import DEFAULT_AVAILABILITY_MS, DEFAULT_READ_BUFFER, HTTPTrigger, is_number
from ..nuclio.starting import obstacles

HANDLER_FOLDER = "/opt/nuclio"


@dataclass(frozen=True)
class RestartPolicy:
    """Docker's restart policy: `no`, `always`, `unless-stopped` or `on-failure`; `retries` 0 sets no limit."""

    name: str = "no"
    retries: int = 0

    def restarts(self, status: int, done: int) -> bool:
        """Whether a container that ended with `status` is started again, after `done` restarts."""
        if self.name == "on-failure":
            return status != 0 and (not self.retries or done < self.retries)
        return self.name in ("always", "unless-stopped")

    def __str__(self) -> str:
        return f"{self.name}:{self.retries}" if self.retries and self.name == "on-failure" else self.name


@dataclass(frozen=True)
class Trigger:
    """The http trigger. Times are in seconds, sizes in bytes; a `port` of 0 leaves the choice to the engine."""

    name: str
    workers: int
    availability_timeout: float
    termination_timeout: float
    max_body: int
    max_head: int
    port: int = 0


@dataclass(frozen=True)
class Settings:
    """One function. `config` is the whole file as Nuclio keeps it, `notes` what Nuclio drops of it, `workdir` the last
    WORKDIR of its image's build."""

    folder: Path
    config_file: Path
    name: str
    namespace: str
    handler: str
    trigger: Trigger
    event_timeout: float | None = None
    env: dict[str, str] = field(default_factory=dict)
    kind: str = ""
    restart: RestartPolicy = RestartPolicy()
    workdir: str = ""
    config: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def working_folder(self, scratch: Path) -> Path:
        """The workers' current folder: the bundle's where it is the image's, else `scratch`, with none of its files."""
        return self.folder if self.workdir == HANDLER_FOLDER else scratch

    @property
    def description(self) -> str:
        """`spec.description`."""
        return str(self.config["spec"].get("description", ""))

    @property
    def version(self) -> int:
        """`spec.version`."""
        return int(self.config["spec"].get("version", 0))


def read_settings(
    path: Path | str, config_file: str = "function.yaml", nuclio: str = "1.14", *, builtin: bool = True
) -> Settings:
    """The settings of the bundle in `path`.

    Raises:
        UserError: no bundle there, or Nuclio refuses the file, or its processor would end at its start; for the
            `builtin` engine, also what that leaves to Nuclio's own processor.
    """
    bundle = FunctionYaml.open(path, config_file, nuclio)
    _check(bundle)
    if builtin:
        _check_for_builtin(bundle)
    return Settings(
        folder=bundle.folder.resolve(),
        config_file=bundle.file.resolve(),
        name=bundle.name or bundle.folder.resolve().name,
        namespace=str(bundle.metadata.get("namespace") or NAMESPACE),
        handler=str(bundle.spec.get("handler", "")).removesuffix("\n"),
        trigger=_trigger(bundle.trigger),
        event_timeout=bundle.event_timeout,
        env=bundle.env,
        kind=bundle.kind,
        restart=_restart(bundle),
        workdir=next((step.value for step in reversed(bundle.directives) if step.kind == "WORKDIR"), ""),
        config=bundle.config,
        notes=tuple(f"line {d.line}: Nuclio drops {d.path}: {d.why}" for d in bundle.reading.dropped),
    )


def _check(bundle: FunctionYaml) -> None:
    for obstacle in obstacles(bundle.config, bundle.nuclio):
        raise UserError(
            f"Nuclio's processor cannot start with {bundle.file}",
            why=obstacle.message,
            remedy=f"change {'.'.join(map(str, obstacle.path))}",
        )
    if bundle.spec.get("disableDefaultHTTPTrigger") and not bundle.triggers:
        raise UserError(
            f"{bundle.file} has no http trigger",
            why="disableDefaultHTTPTrigger keeps nuctl from adding one, so nobody can call the function",
            remedy="remove disableDefaultHTTPTrigger or add a trigger",
        )


def _check_for_builtin(bundle: FunctionYaml) -> None:
    for name, trigger in (bundle.spec.get("triggers") or {}).items():
        if (trigger.get("batch") or {}).get("mode") == "enable":
            raise UserError(
                f"trigger {name} in {bundle.file} collects events in batches",
                why="CVAT's calls are not made for that, and this engine does not do it",
                remedy="remove `batch`",
            )
    if bundle.trigger.cors_enabled:
        raise UserError(
            f"trigger {bundle.trigger.name} in {bundle.file} has `cors` enabled",
            why="Nuclio then answers requests without an Origin, which CVAT's are, with nothing",
            remedy="remove `cors`: CVAT's server calls the function, no browser",
        )


def _trigger(trigger: HTTPTrigger) -> Trigger:
    waits = trigger.availability_ms if trigger.availability_ms >= 0 else DEFAULT_AVAILABILITY_MS
    return Trigger(
        name=trigger.name,
        workers=trigger.num_workers,
        availability_timeout=waits / 1000,
        termination_timeout=trigger.termination,
        max_body=trigger.body_limit,
        max_head=trigger.read_buffer if trigger.read_buffer > 0 else DEFAULT_READ_BUFFER,
        port=trigger.port,
    )


def _restart(bundle: FunctionYaml) -> RestartPolicy:
    policy = next((value for key, value in bundle.platform.items() if key.lower() == "restartpolicy"), None) or {}
    fields = {key.lower(): value for key, value in policy.items()} if isinstance(policy, dict) else {}
    retries = fields.get("maximumretrycount", 0)
    return RestartPolicy(str(fields.get("name") or "no"), int(retries) if is_number(retries) else 0)
