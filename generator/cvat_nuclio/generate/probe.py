"""Loads the function in a subprocess, under the interpreter that the user names."""

import importlib.util
import json
import os
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from .. import generate
from ..errors import UserError
from ..waiting import waiting
from . import probe_errors
from .probe_modules import READY
from .runtime_copy import SOURCE

#: What the function's interpreter may lack, and the probe needs.
LENT = ("msgpack", READY)


@attrs.frozen(kw_only=True)
class Distribution:
    """Something to install: a name as the index knows it, the version that was loaded."""

    name: str
    version: str
    requires_python: str = ""
    url: str = ""
    """Where it was installed from, if not from an index."""


@attrs.frozen(kw_only=True)
class LocalModule:
    """A source file of the user's own that the function imports, and its place in the bundle."""

    name: str
    file: Path
    path: str


@attrs.frozen(kw_only=True)
class States:
    """How large a tracker's states got on a made-up film of 1920 x 1080 pixels."""

    frames: int = 0
    characters: int = 0
    """Of the longest token."""
    refused: str = ""
    """Why a state cannot be a token."""
    failed: str = ""
    """Why it is not known."""


@attrs.frozen(kw_only=True)
class Probe:
    """What loading the function showed."""

    kind: str
    """CVAT's kind: detector, interactor, tracker or reid."""
    spec: Mapping[str, Any]
    """The fields of its spec."""
    faults: Sequence[tuple[str, str]]
    """The methods that cannot be called as the runtime calls them, each with what is wrong, in words."""
    create: Mapping[str, str | None] | None
    """The parameters of `create`, each with its default where that is a text; None where there is no `create`."""
    doc: str
    """The function module's docstring."""
    distributions: Sequence[Distribution]
    """What the function needs, less what comes with another of them."""
    loaded: frozenset[str]
    """Every distribution that loading it imported."""
    environment: Mapping[str, str]
    """The version of each distribution that the interpreter has."""
    requires: Mapping[str, Sequence[str]]
    """What each of those that it uses requires, by name."""
    frameworks: Mapping[str, str]
    """Those of `torch`, `onnxruntime`, `onnxruntime-gpu` and `openvino` that it uses, with their versions."""
    installed: Mapping[str, Distribution]
    """What the runtime needs and the interpreter has."""
    local: Sequence[LocalModule]
    missing: Sequence[tuple[Path, str]]
    """Imports of modules that are not there: the file, the module."""
    binary: Sequence[Path]
    """Compiled modules of the user's own."""
    drags_opencv: Sequence[str]
    """Those of `distributions` that bring OpenCV's build for desktops along."""
    read: Mapping[Path, str]
    """The files and folders that it reads, each with the environment variable that leads there, or an empty text."""
    states: States | None = None
    """Of a tracker, where they were asked for and the first one was made in time."""

    def takes(self, parameter: str) -> bool:
        """Whether `create` may be given a parameter of that name."""
        return self.create is not None and (parameter in self.create or "**" in self.create)

    def brought_by(self, names: Iterable[str]) -> set[str]:
        """`names` and what they bring along, as the interpreter's own metadata says."""
        found: set[str] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += self.requires.get(name, ())
        return found


@attrs.frozen(kw_only=True)
class ProbeRequest:
    """Which function to load, and how. Paths are absolute."""

    python: str
    module: str | None
    file: Path | None
    parameters: Mapping[str, object]
    directory: Path
    """The working directory; modules are looked for in it last."""
    timeout: float
    """Seconds."""
    measure: bool = False
    """Whether to try how large a tracker's states get."""
    runtime_distributions: tuple[str, ...] = ()
    variables: Mapping[str, str] = attrs.field(factory=dict)
    """The worker's variables, which the function may read; beside this process's own."""

    @property
    def what(self) -> str:
        """The function, in the user's own words."""
        return str(self.module or self.file)


def probe(request: ProbeRequest) -> Probe:
    """Loads the function. Raises UserError, with cvat-sdk's own words where the spec breaks its rules."""
    with tempfile.TemporaryDirectory(prefix="cvat-nuclio-") as folder:
        question, answer, states = (Path(folder, f"{name}.json") for name in ("request", "answer", "states"))
        question.write_text(json.dumps(_question(request)), "utf-8")
        with waiting(f"loading {request.what}"):
            run = _run(request, question, answer, states)
        text = answer.read_text("utf-8") if answer.is_file() else ""
        tried = States(**json.loads(states.read_text("utf-8"))) if states.is_file() else None
    if not text:
        raise probe_errors.died(request.what, run.returncode, run.stdout)
    found = json.loads(text)
    if "failure" in found:
        raise probe_errors.failed(request.what, request.python, found["failure"])
    return attrs.evolve(_probe(found), states=tried)


def _run(request: ProbeRequest, *files: Path) -> "subprocess.CompletedProcess[str]":
    script = Path(generate.__file__).with_name("probe_script.py")
    command = [request.python, "-B", str(script), *map(str, files)]
    try:
        return subprocess.run(
            command, cwd=request.directory, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors="replace", timeout=request.timeout, check=False, env={**os.environ, **request.variables},
        )  # fmt: skip
    except OSError as error:
        raise UserError(
            f"cannot run {request.python}",
            why=str(error.strerror or error),
            remedy="name a Python interpreter that has the function's packages: --python PATH",
        ) from error
    except subprocess.TimeoutExpired as error:
        if files[1].is_file():  # loaded, and still at its states
            return subprocess.CompletedProcess(command, 0, "")
        output = (error.stdout or b"").decode("utf-8", "replace")  # bytes, whatever `text` says
        raise probe_errors.too_slow(request.what, request.timeout, output) from error


def _question(request: ProbeRequest) -> dict[str, Any]:
    beside = [str(request.file.parent)] if request.file else []
    return {
        "module": request.module,
        "file": str(request.file) if request.file else None,
        "parameters": dict(request.parameters),
        "path": [*beside, str(request.directory)],
        "runtime": str(SOURCE),
        "measure": request.measure,
        "lent": {name: _file_of(name) for name in LENT},
        "runtime_distributions": list(request.runtime_distributions),
    }


def _file_of(package: str) -> str:
    spec = importlib.util.find_spec(package)
    assert spec is not None  # noqa: S101 - it is required, or in the same wheel
    return str(spec.origin)


def _probe(found: Mapping[str, Any]) -> Probe:
    spec = dict(found["spec"])
    own = [LocalModule(name=item["name"], file=Path(item["file"]), path=item["path"]) for item in found["local"]]
    typed = {
        "kind": spec.pop("kind"),
        "spec": spec,
        "faults": [(method, text) for method, text in found["faults"]],
        "distributions": [Distribution(**item) for item in found["distributions"]],
        "loaded": frozenset(found["loaded"]),
        "installed": {name: Distribution(name=name, **facts) for name, facts in found["installed"].items()},
        "local": own,
        "missing": [(Path(file), module) for file, module in found["missing"]],
        "binary": [Path(file) for file in found["binary"]],
        "read": {Path(item["path"]): item["variable"] for item in found["read"]},
    }
    return Probe(**{**found, **typed})
