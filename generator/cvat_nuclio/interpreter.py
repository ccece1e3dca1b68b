"""Which Python runs a bundle here: the one named, the one that `generate` was given, or the tool's own."""

import os
import sys
from pathlib import Path

from .errors import UserError


def interpreter(given: str | None, *bundles: str | os.PathLike[str]) -> str:
    """The interpreter's path, absolute where it is one: workers start in another folder.

    Raises UserError where the bundles were generated with different ones and none is named.
    """
    if given:
        return _absolute(given, Path.cwd())
    stored = {found for bundle in bundles if (found := _stored(Path(bundle)))}
    if len(stored) > 1:
        raise UserError(
            "the bundles were generated with different interpreters",
            why=", ".join(sorted(stored)),
            remedy="name the one that holds the packages of them all: --python EXE",
        )
    return stored.pop() if stored else sys.executable


def _stored(bundle: Path) -> str | None:
    """From the options that `generate` keeps beside the bundle; `bundle` may name its folder or its function.yaml."""
    from .generate import option_file

    for folder in (bundle, bundle.parent, bundle.parent.parent):
        if (folder / option_file.NAME).is_file():
            python = option_file.read(folder).get("python")
            return _absolute(python, folder) if isinstance(python, str) else None
    return None


def _absolute(python: str, folder: Path) -> str:
    """A name without a folder is looked up in PATH; links are kept, for a virtual environment's Python is one."""
    return os.path.abspath(folder / Path(python).expanduser()) if os.sep in python else python  # noqa: PTH100
