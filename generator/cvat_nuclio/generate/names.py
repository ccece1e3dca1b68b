"""Names that Nuclio, Kubernetes, Docker and CVAT all take."""

import re
from pathlib import Path

from ..errors import UserError
from ..limits import NAME, RESERVED_NAMES, SAM_NAME

#: Files and packages of the bundle, Nuclio's wrapper and what it imports: a module of that name would hide them.
TAKEN_MODULES = {
    "aa_runtime", "bake", "func", "main", "model_handler", "msgpack", "nuclio_sdk", "test_function", "whl",
    "wrapper_common", "_nuclio_wrapper", "test_wrapper",
}  # fmt: skip


def check_name(name: str) -> str:
    """The name, if every part of the chain takes it. Raises UserError."""
    if name == SAM_NAME:
        raise UserError(
            f"the name {name} is CVAT's own", why="its UI answers for a function of that name", remedy="--name"
        )
    if name in RESERVED_NAMES:
        raise UserError(f"the name {name} is Nuclio's own", remedy="choose another: --name")
    if not NAME.fullmatch(name):
        raise UserError(
            f"{name!r} cannot be a function's name",
            why="Kubernetes and Docker take a letter, then letters, digits and dashes: lower case, at most 55",
            remedy=f"--name {suggest(name)}",
        )
    return name


def suggest(text: str) -> str:
    """The nearest name that works."""
    slug = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:55].strip("-")
    if not slug:
        return "function"
    return slug if slug[0].isalpha() else f"fn-{slug}"[:55].strip("-")


def default_name(folder: Path, module: str | None) -> str:
    """From the bundle's folder, else from the module."""
    name = suggest(folder.name)
    return suggest(module or "function") if name in (*RESERVED_NAMES, SAM_NAME) else name
