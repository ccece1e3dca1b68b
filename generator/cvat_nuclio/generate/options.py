"""The options of one bundle: what `cvat-nuclio.yaml` holds, and the command line's options of the same names."""

import math
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from ..errors import UserError
from ..limits import CVAT_TIMEOUT
from ..nuclio.duration import BadDuration, seconds
from . import names, texts
from .values import as_list, as_map, parse_size

MIB = 2**20
#: Nuclio keeps numbers in 32 bits.
LARGEST = 2**31 - 1

_QUANTITY = re.compile(r"[0-9]{1,18}(\.[0-9]{1,9})?(m|k|M|G|T|Ki|Mi|Gi|Ti)?")
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


@attrs.frozen(kw_only=True)
class GenerateOptions:
    """One bundle's options, as the user wrote them; paths are relative to `folder`, the bundle's own."""

    folder: Path
    function_module: str | None = None
    function_file: str | None = None
    function_parameters: Mapping[str, str] = attrs.field(factory=dict, converter=as_map)
    """`TYPE:VALUE` by name."""
    gpu_parameters: Mapping[str, str] = attrs.field(factory=dict, converter=as_map)
    """The same for the GPU form, where it differs."""
    working_directory: str = "."
    """Where the function is loaded; its modules and relative paths are looked for there."""
    python: str | None = None
    name: str = ""
    display_name: str = ""
    description: str = ""
    help_message: str = ""
    requirements: str | None = None
    add: Sequence[str] = attrs.field(factory=tuple, converter=as_list)
    """`PATH` or `PATH=PLACE`."""
    apt: Sequence[str] = attrs.field(factory=tuple, converter=as_list)
    base_image: str | None = None
    gpu_base_image: str | None = None
    cpu_index: bool = True
    cpu_index_url: str | None = None
    cuda: str | None = attrs.field(default=None, converter=attrs.converters.optional(str))
    bake: bool | None = None
    prebuilt: str | None = None
    interactor_answer: str = "shapes"
    lost_shape: str = "last"
    state: str = "token"
    skeleton_edge: Sequence[str] = attrs.field(factory=tuple, converter=as_list)
    """`LABEL:POINT,POINT`."""
    workers: int | None = None
    event_timeout: str = "60s"
    readiness_timeout: int = 300
    max_body: str | None = attrs.field(default=None, converter=attrs.converters.optional(str))
    env: Mapping[str, str] = attrs.field(factory=dict, converter=as_map)
    memory: str | None = attrs.field(default=None, converter=attrs.converters.optional(str))
    cpu: str | None = attrs.field(default=None, converter=attrs.converters.optional(str))
    gpus: int = 1
    replicas: int | None = None
    min_replicas: int | None = None
    max_replicas: int | None = None
    node_selector: Mapping[str, str] = attrs.field(factory=dict, converter=as_map)
    toleration: Sequence[str] = attrs.field(factory=tuple, converter=as_list)
    """`KEY[=VALUE][:EFFECT]`."""
    shm: str | None = attrs.field(default=None, converter=attrs.converters.optional(str))
    volume: Sequence[str] = attrs.field(factory=tuple, converter=as_list)
    """`HOST:PATH` or `pvc:CLAIM:PATH`."""
    image_pull_secret: str | None = None

    @property
    def nuclio(self) -> Path:
        """The folder that nuctl deploys."""
        return self.folder / "nuclio"

    @property
    def file(self) -> Path | None:
        """The function's file, absolute."""
        return self.path(self.function_file) if self.function_file else None

    @property
    def in_place(self) -> bool:
        """Whether the function's file already lies where the bundle wants it."""
        return self.file == self.nuclio / "func.py"

    @property
    def edges(self) -> dict[str, list[tuple[str, str]]]:
        """A skeleton's lines, by label. Raises UserError."""
        edges: dict[str, list[tuple[str, str]]] = {}
        for text in self.skeleton_edge:
            label, colon, points = text.rpartition(":")
            one, comma, other = points.partition(",")
            if not (colon and comma and label and one and other):
                raise UserError(f"{text!r} is no edge", remedy="--skeleton-edge LABEL:POINT,POINT")
            edges.setdefault(label, []).append((one.strip(), other.strip()))
        return edges

    def path(self, text: str) -> Path:
        """A path of the options, absolute; links are kept, for a virtual environment's `python` is one."""
        # os.path's, not Path's: resolve() follows links, and expanduser() fails for `~` of nobody.
        return Path(os.path.abspath(self.folder / os.path.expanduser(text)))  # noqa: PTH100, PTH111

    def body_bytes(self, kind: str) -> int:
        """The largest request in bytes. A frame grows by a third on its way; CVAT's own functions set the defaults."""
        if self.max_body is not None:
            return parse_size("--max-body", self.max_body)
        return {"tracker": 256, "reid": 64}.get(kind, 32) * MIB

    def worker_count(self, kind: str) -> int:
        """Processes, each with a copy of the model."""
        return 1 if self.workers is None or self.in_memory(kind) else self.workers

    def in_memory(self, kind: str) -> bool:
        """Whether a tracker's states stay in one process."""
        return kind == "tracker" and self.state == "in-memory"


def check(options: GenerateOptions) -> None:
    """Raises UserError for values that Nuclio, Kubernetes or CVAT would refuse, drop or break on."""
    if (options.function_module is None) == (options.function_file is None):
        raise UserError("name the function once", remedy="--function-module MODULE or --function-file PATH")
    names.check_name(options.name)
    _check_texts(options)
    _choice("--interactor-answer", options.interactor_answer, ("shapes", "mask"))
    _choice("--lost-shape", options.lost_shape, ("last", "null"))
    _choice("--state", options.state, ("token", "in-memory"))
    if options.cuda is not None:
        _choice("--cuda", options.cuda, ("12", "13"))
    _check_numbers(options)
    _check_timeout(options.event_timeout)
    _check_env(options.env)
    for flag, value in (("--memory", options.memory), ("--cpu", options.cpu), ("--shm", options.shm)):
        if value is not None and not _QUANTITY.fullmatch(value):
            raise UserError(f"{flag} {value} is no quantity", remedy="Kubernetes' form: 2, 500m, 4Gi, 512Mi")


def _check_texts(options: GenerateOptions) -> None:
    for field, check_text in texts.CHECKS.items():
        value = getattr(options, field)
        given = [value] if isinstance(value, str) else value or ()
        words = [*given, *given.values()] if isinstance(given, Mapping) else given
        for text in words:
            if text:
                check_text(flag_of(field), text)


def _choice(flag: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise UserError(f"{flag} {value} is not known", remedy=f"{flag} {' or '.join(allowed)}")


def _check_numbers(options: GenerateOptions) -> None:
    least = {"workers": 1, "readiness_timeout": 1, "gpus": 1, "replicas": 0, "min_replicas": 0, "max_replicas": 1}
    for field, minimum in least.items():
        value = getattr(options, field)
        if value is not None and (type(value) is not int or not minimum <= value <= LARGEST):
            raise UserError(f"{flag_of(field)} {str(value)[:40]} is not a whole number from {minimum} on")
    low, high = options.min_replicas, options.max_replicas
    if low is not None and high is not None and low > high:
        raise UserError(f"--min-replicas {low} is more than --max-replicas {high}", why="Nuclio refuses that")
    if low == 0 and high is None:
        raise UserError("--min-replicas 0 needs --max-replicas", why="Nuclio refuses one without the other")
    if options.state == "in-memory":
        _check_in_memory(options)


def _check_in_memory(options: GenerateOptions) -> None:
    for field in ("workers", "replicas", "min_replicas", "max_replicas"):
        if (getattr(options, field) or 1) != 1:
            raise UserError(
                f"{flag_of(field)} {getattr(options, field)} cannot go with --state in-memory",
                why="the states live in one process; Nuclio sends each request to any worker of any replica",
                remedy="leave it out, or use --state token",
            )


def _check_timeout(text: str) -> None:
    try:
        length = seconds(text)
    except BadDuration as error:
        raise UserError(
            f"--event-timeout {text} is no duration", why=str(error), remedy="Go's form: 45s, 1m30s"
        ) from error
    if not 0 < length < CVAT_TIMEOUT:
        raise UserError(
            f"--event-timeout {text} is not between 0 and {CVAT_TIMEOUT} s",
            why=f"CVAT gives a request up after {CVAT_TIMEOUT} s; the worker would go on for nobody",
        )


def _check_env(env: Mapping[str, str]) -> None:
    for name, value in env.items():
        if not _ENV_NAME.fullmatch(name):
            raise UserError(f"--env {name}= is no name for a variable", remedy="letters, digits and underscores")
        if "'" in value:
            raise UserError(
                f"--env {name} holds a single quote",
                why="nuctl puts the value into a shell word in single quotes as it is",
                remedy="encode the value, or read it from a file that --add brings",
            )


def flag_of(field: str) -> str:
    """`event_timeout` → `--event-timeout`."""
    return "--" + field.replace("_", "-")


def from_mapping(folder: Path, stored: Mapping[str, Any]) -> GenerateOptions:
    """Options by their names with dashes. Raises UserError for an unknown one, or one of the wrong type."""
    import difflib

    known = {
        field.name.replace("_", "-"): field.name for field in attrs.fields(GenerateOptions) if field.name != "folder"
    }
    values: dict[str, Any] = {}
    for key, value in stored.items():
        if key not in known:
            near = difflib.get_close_matches(str(key), known, n=1)
            raise UserError(f"there is no option {key!r}", remedy=f"did you mean {near[0]!r}?" if near else "")
        values[known[key]] = value
    try:
        options = GenerateOptions(folder=folder, **values)
    except (TypeError, ValueError) as error:
        raise UserError("an option has a value of the wrong kind", why=str(error)) from error
    return _with_types(options)


def _with_types(options: GenerateOptions) -> GenerateOptions:
    text = ("function_module", "function_file", "working_directory", "python", "name", "display_name", "description",
            "help_message", "requirements", "base_image", "gpu_base_image", "cpu_index_url", "prebuilt",
            "event_timeout", "image_pull_secret")  # fmt: skip
    for field in text:
        value = getattr(options, field)
        if value is not None and not isinstance(value, str):
            raise UserError(f"{field.replace('_', '-')}: {value!r} is not text", remedy="put it in quotes")
    for field in ("bake", "cpu_index"):
        value = getattr(options, field)
        if value is not None and not isinstance(value, bool):
            raise UserError(f"{field.replace('_', '-')}: {value!r} is neither true nor false")
    return options


def is_finite(value: object) -> bool:
    """Whether a parameter can be written in Python source by its repr."""
    return not isinstance(value, float) or math.isfinite(value)
