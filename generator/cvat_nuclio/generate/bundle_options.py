"""The options of one bundle: what `cvat-nuclio.yaml` holds, and the command line's options of the same names.

A new option is one field here, whose kind says how it is checked, and one line of `commands.generate`.
"""

import difflib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from ..errors import UserError
from ..limits import CVAT_TIMEOUT
from ..nuclio.duration import BadDuration, seconds
from . import names, texts
from . import option_kinds as kinds
from .weights import weights_in

MIB = 2**20

_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


def check_timeout(text: str) -> None:
    """Raises UserError for a duration that Nuclio cannot read, or that CVAT does not wait for."""
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


def check_names(variables: Mapping[str, str]) -> None:
    """Raises UserError for what cannot be a variable's name."""
    for name in variables:
        if not _ENV_NAME.fullmatch(name):
            raise UserError(f"--env {name}= is no name for a variable", remedy="letters, digits and underscores")


def check_env(env: Mapping[str, str]) -> None:
    """Raises UserError for variables that nuctl cannot pass on."""
    check_names(env)
    for name, value in env.items():
        if "'" in value:
            raise UserError(
                f"--env {name} holds a single quote",
                why="nuctl puts the value into a shell word in single quotes as it is",
                remedy="encode the value, or read it from a file that --add brings",
            )


@attrs.frozen(kw_only=True)
class Part:
    """Some of a bundle's options, as the user wrote them."""

    folder: Path
    """The bundle's own; paths are relative to it."""

    @property
    def nuclio(self) -> Path:
        """The folder that nuctl deploys."""
        return self.folder / "nuclio"

    def path(self, text: str) -> Path:
        """A path of the options, absolute; links are kept, for a virtual environment's `python` is one."""
        # os.path's, not Path's: resolve() follows links, and expanduser() fails for `~` of nobody.
        return Path(os.path.abspath(self.folder / os.path.expanduser(text)))  # noqa: PTH100, PTH111


@attrs.frozen(kw_only=True)
class FunctionOptions(Part):
    """The AA function: where it is, how it is loaded, and what CVAT calls it."""

    function_module: str | None = kinds.text(texts.module)
    function_file: str | None = kinds.text(texts.path, move=texts.move_path)
    function_parameters: Mapping[str, str] = kinds.mapping(texts.lines, move=texts.move_parameter)
    """`TYPE:VALUE` by name."""
    gpu_parameters: Mapping[str, str] = kinds.mapping(texts.lines, move=texts.move_parameter)
    """The same for the GPU form, where it differs."""
    working_directory: str = kinds.text(texts.path, default=".")
    """Where the function is loaded; its modules and relative paths are looked for there."""
    python: str | None = kinds.text(texts.path, move=texts.move_program)
    name: str = kinds.text(default="", also=names.check_name)
    display_name: str = kinds.text(texts.one_line, default="")
    description: str = kinds.text(texts.lines, default="")
    help_message: str = kinds.text(texts.lines, default="")
    skeleton_edge: Sequence[str] = kinds.texts(texts.one_line)
    """`LABEL:POINT,POINT`."""

    def __attrs_post_init__(self) -> None:
        if (self.function_module is None) == (self.function_file is None):
            raise UserError("name the function once", remedy="--function-module MODULE or --function-file PATH")

    @property
    def file(self) -> Path | None:
        """The function's file, absolute."""
        return self.path(self.function_file) if self.function_file else None

    @property
    def in_place(self) -> bool:
        """Whether the function's file already lies where the bundle wants it."""
        return self.file == self.nuclio / "func.py"

    @property
    def directory(self) -> Path:
        """The working directory, absolute."""
        return self.path(self.working_directory)

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


@attrs.frozen(kw_only=True)
class ImageOptions(Part):
    """What the image is built of."""

    requirements: str | None = kinds.text(texts.path, move=texts.move_path)
    add: Sequence[str] = kinds.texts(texts.path, move=texts.move_added)
    """`PATH` or `PATH=PLACE`."""
    apt: Sequence[str] = kinds.texts(texts.package)
    base_image: str | None = kinds.text(texts.image)
    gpu_base_image: str | None = kinds.text(texts.image)
    cpu_index: bool = kinds.switch(default=True)
    cpu_index_url: str | None = kinds.text(texts.url)
    cuda: str | None = kinds.choice("12", "13")
    bake: bool | None = kinds.switch()
    build_secret: Sequence[str] = kinds.texts(texts.variable)
    """Names of variables that only the bake sees."""
    weights: Mapping[str, str] = kinds.mapping(texts.one_line, also=weights_in)
    """`NAME@REVISION[ sha256:HEX]` by file of the bundle."""
    pin_digests: bool = kinds.switch(default=False)
    digests: Mapping[str, str] = kinds.mapping(texts.image)
    """What `pin_digests` found, by the image's name."""
    sbom: bool = kinds.switch(default=False)
    prebuilt: str | None = kinds.text(texts.image)
    nuclio_version: str | None = kinds.text(texts.version)
    """Of the processor in an image that is built beforehand."""


@attrs.frozen(kw_only=True)
class AnswerOptions(Part):
    """What the function answers, where CVAT leaves a choice."""

    interactor_answer: str = kinds.choice("shapes", "mask", default="shapes")
    lost_shape: str = kinds.choice("last", "null", default="last")
    state: str | None = kinds.choice("token", "in-memory")
    """None: token, unless a state is seen to be none."""


@attrs.frozen(kw_only=True)
class ServiceOptions(Part):
    """How Nuclio runs the function: its limits, its workers, its place."""

    workers: int | None = kinds.number(1)
    event_timeout: str = kinds.text(texts.one_line, default="60s", also=check_timeout)
    readiness_timeout: int = kinds.number(1, default=300)
    max_body: str | None = kinds.size()
    env: Mapping[str, str] = kinds.mapping(texts.one_line, also=check_env)
    secret_env: Mapping[str, str] = kinds.mapping(texts.one_line, also=check_names)
    """`SECRET[:KEY]` by the variable's name."""
    memory: str | None = kinds.quantity()
    cpu: str | None = kinds.quantity()
    memory_request: str | None = kinds.quantity()
    cpu_request: str | None = kinds.quantity()
    port: int | None = kinds.number(1, most=65535)
    service_type: str | None = kinds.choice("ClusterIP", "NodePort")
    ingress_host: str | None = kinds.text(texts.host)
    gpus: int | None = kinds.number(1)
    replicas: int | None = kinds.number(0)
    min_replicas: int | None = kinds.number(0)
    max_replicas: int | None = kinds.number(1)
    target_cpu: int | None = kinds.number(1)
    """Percent of the CPU that is requested."""
    affinity: str | None = kinds.text(texts.path, move=texts.move_path)
    """A file."""
    node_selector: Mapping[str, str] = kinds.mapping(texts.label)
    toleration: Sequence[str] = kinds.texts(texts.one_line)
    """`KEY[=VALUE][:EFFECT]`."""
    shm: str | None = kinds.quantity()
    volume: Sequence[str] = kinds.texts(texts.one_line, move=texts.move_mount)
    """`HOST:PATH` or `pvc:CLAIM:PATH`."""
    image_pull_secret: str | None = kinds.text(texts.one_line)

    def __attrs_post_init__(self) -> None:
        low, high = self.min_replicas, self.max_replicas
        if low is not None and high is not None and low > high:
            raise UserError(f"--min-replicas {low} is more than --max-replicas {high}", why="Nuclio refuses that")
        if twice := next((name for name in self.secret_env if name in self.env), None):
            raise UserError(f"--env and --secret-env both set {twice}", remedy="leave one of them out")
        if low == 0 and high is None:
            raise UserError("--min-replicas 0 needs --max-replicas", why="Nuclio refuses one without the other")

    @property
    def copies(self) -> dict[str, int | None]:
        """The options of how many processes there are."""
        return {name: getattr(self, name) for name in ("workers", "replicas", "min_replicas", "max_replicas")}

    def body_bytes(self, kind: str) -> int:
        """The largest request in bytes. A frame grows by a third on its way; CVAT's own functions set the defaults."""
        if self.max_body is not None:
            return kinds.parse_size("--max-body", self.max_body)
        return {"tracker": 256, "reid": 64}.get(kind, 32) * MIB


@attrs.frozen(kw_only=True)
class BundleOptions:
    """One bundle's options."""

    folder: Path
    function: FunctionOptions
    image: ImageOptions
    answers: AnswerOptions
    service: ServiceOptions

    def __attrs_post_init__(self) -> None:
        for field, value in self.service.copies.items() if self.answers.state == "in-memory" else ():
            if (value or 1) != 1:
                raise UserError(
                    f"{kinds.flag_of(field)} {value} cannot go with --state in-memory",
                    why="the states live in one process; Nuclio sends each request to any worker of any replica",
                    remedy="leave it out, or use --state token",
                )


PARTS: Mapping[str, type[Part]] = {
    "function": FunctionOptions,
    "image": ImageOptions,
    "answers": AnswerOptions,
    "service": ServiceOptions,
}


def option_fields() -> "Iterator[tuple[str, attrs.Attribute[Any]]]":
    """Each option with the name of its part."""
    for part, made in PARTS.items():
        yield from ((part, field) for field in attrs.fields(made) if field.name != "folder")


def key_of(field: str) -> str:
    """`event_timeout` → `event-timeout`, as the file has it."""
    return field.replace("_", "-")


def from_mapping(folder: Path, stored: Mapping[str, Any]) -> BundleOptions:
    """Options by their names in the file. Raises UserError for one that is not known, or that Nuclio, Kubernetes or
    CVAT would refuse, drop or break on."""
    known = {key_of(field.name): (part, field.name) for part, field in option_fields()}
    values: dict[str, dict[str, Any]] = {part: {} for part in PARTS}
    for key, value in stored.items():
        if key not in known:
            near = difflib.get_close_matches(str(key), known, n=1)
            raise UserError(f"there is no option {key!r}", remedy=f"did you mean {near[0]!r}?" if near else "")
        part, name = known[key]
        values[part][name] = value
    try:
        parts: dict[str, Any] = {part: made(folder=folder, **values[part]) for part, made in PARTS.items()}
    except (TypeError, ValueError) as error:
        raise UserError("an option has a value of the wrong kind", why=str(error)) from error
    return BundleOptions(folder=folder, **parts)
