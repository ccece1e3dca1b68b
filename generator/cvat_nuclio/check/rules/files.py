"""CN335, CN336 and CN341 to CN343: the files of the bundle and what the build does with them."""

import ast
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from ..bundle import Build, Module
from ..pip import listed
from ..rule import ERROR, NOTE, WARNING, Fault, rule
from ..source import imported_modules, module_file

_RESERVED = re.compile(r"_nuclio_wrapper\.py|_nuclio_async_wrapper\.py|wrapper_common\.py|msgpack.*|nuclio_sdk.*|whl")
# In all images of Nuclio's Python functions.
_PROVIDED = {"nuclio_sdk", "msgpack", "__future__"}
# What may bring Python's packages into an image.
_INSTALLERS = re.compile(
    r"\bpip|\buv\b|conda|mamba|poetry|pipenv|\bpdm\b|easy_install|setup\.py|python3?-\w|\bapk\b|\byum\b|\bdnf\b|"
    r"\bmake\b|\.sh\b|curl|wget|git |\bsh -c|/opt/nuclio|handler/"
)


@rule(
    "CN335", "requirements", WARNING,
    source="Nuclio: no code for it (build/runtime/python)",
    remedy="add `COPY handler/requirements.txt /tmp/` and `RUN pip install -r /tmp/requirements.txt` to preCopy",
)  # fmt: skip
def requirements(build: Build) -> Iterator[Fault]:
    """There is a requirements.txt, and no directive installs it: Nuclio never does by itself."""
    bundle, steps = build.bundle, build.steps
    names = ["requirements.txt", *(["requirements-gpu.txt"] if "gpu" in bundle.file.stem else [])]
    after = "\n".join(step.value for step in build.directives if step.phase == "postCopy" and step.kind == "RUN")
    if "requirements" in steps or "handler" in steps or "/opt/nuclio" in after:
        return
    by_name = {one.name for _, one in build.wanted}
    for name in names:
        text = build.lists.get(name, "")
        if text.strip() and not _all_of(text, by_name):
            remedy = f"add `COPY handler/{name} /tmp/` and `RUN pip install -r /tmp/{name}` to preCopy"
            message = f"no directive in {bundle.file.name} installs this file"
            yield Fault(
                message, severity=NOTE if build.image.is_own else None, remedy=remedy, file=bundle.folder / name
            )


def _all_of(text: str, names: set[str]) -> bool:
    """Whether a file of requirements lists nothing but what is installed by name."""
    lines = [line for line in text.splitlines() if line.partition("#")[0].strip()]
    wanted = [one.name for one in listed(text)]
    return bool(wanted) and len(wanted) == len(lines) and set(wanted) <= names


@rule(
    "CN336", "nothing-installs", ERROR,
    source="Nuclio: recording import-error", remedy="add a RUN directive that installs it",
)  # fmt: skip
def nothing_installs(build: Build) -> Iterator[Fault]:
    """The handler imports a package, and nothing installs it: the worker dies at its start."""
    run = (step for step in build.directives if step.kind == "RUN")
    acts = any(_INSTALLERS.search(step.value) for step in run)
    acts = acts or any(step.kind in ("ADD", "COPY", "FROM") for step in build.directives)
    if not (build.image.is_plain or not build.image.name) or acts or build.bundle.build.get("onbuildImage"):
        return
    for module in build.bundle.modules.values():
        for node, name in _at_top(module):
            first = name.split(".")[0]
            if first in sys.stdlib_module_names or first in _PROVIDED or _is_in(build.bundle.folder, first):
                continue
            place = (node.lineno, node.col_offset + 1)
            yield Fault(f"nothing installs {first}", place, len("import " + name), file=module.file)


def _at_top(module: Module) -> Iterator[tuple[ast.stmt, str]]:
    """The unguarded imports of a module; those in `try` and `if` may fail."""
    for node in module.tree.body:
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node, name) for name in list(imported_modules([node]))[:1])


def _is_in(folder: Path, name: str) -> bool:
    return module_file(folder, name) is not None or (folder / name).is_dir()


@rule(
    "CN341", "reserved-file", ERROR,
    source="Nuclio: build/builder.go copies the handler over the wrapper", remedy="rename it",
)  # fmt: skip
def reserved_file(build: Build) -> Iterator[Fault]:
    """A file of the bundle replaces one of Nuclio's own: both lie in /opt/nuclio."""
    for file in sorted(build.bundle.folder.iterdir()):
        if _RESERVED.fullmatch(file.name):
            yield Fault(f"{file.name} replaces Nuclio's own in /opt/nuclio", file=file)


@rule(
    "CN342", "symlink", ERROR,
    source="Nuclio: recordings symlink-directory, symlink-dangling, symlink-file",
    remedy="put the files themselves into the bundle",
)  # fmt: skip
def symlink(build: Build) -> Iterator[Fault]:
    """A link to a folder, or to nothing: nuctl's copy of the bundle fails.

    Links to files are followed.
    """
    for parent, folders, files in os.walk(build.bundle.folder):
        for file in (Path(parent, name) for name in sorted([*folders, *files])):
            if file.is_symlink() and (file.is_dir() or not file.exists()):
                what = "a folder" if file.is_dir() else "nothing"
                yield Fault(f"{file.name} is a link to {what}: nuctl cannot copy it", file=file)


@rule(
    "CN343", "pip-in-postcopy", NOTE,
    source="Nuclio: recordings precopy-one-line-0, postcopy-one-line-0 "
    "(7.4 to 8 s against 11 to 14 s for a tiny package)",
    remedy="move it to preCopy; `COPY handler/requirements.txt /tmp/` works there",
)  # fmt: skip
def pip_in_postcopy(build: Build) -> Iterator[Fault]:
    """pip in postCopy: every change of the bundle installs everything again.

    What is installed in preCopy stays in Docker's cache, because the bundle is copied after it.
    """
    for step in {install.step: None for install in build.installs}:
        if step.phase == "postCopy":
            place = build.at(step)
            yield Fault("pip runs again after every change of the bundle", place)
