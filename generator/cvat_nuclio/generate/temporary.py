"""A bundle of a lone function file, for as long as it is needed."""

import shlex
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import UserError
from . import stored
from .bundle_options import from_mapping
from .make_bundle import prepare, write

LOAD_TIMEOUT = 600.0


@contextmanager
def bundle_of(file: Path, python: str | None = None, parameters: Sequence[str] = ()) -> Iterator[Path]:
    """The bundle's folder, made as `generate --function-file FILE -p PARAMETER` makes one without other options.

    Raises UserError as generate does.
    """
    with tempfile.TemporaryDirectory(prefix="cvat-nuclio-") as parent:
        folder = Path(parent).resolve() / file.stem
        given: dict[str, Any] = {"function_file": str(file)}
        if python:
            given["python"] = python
        if parameters:
            given["function_parameters"] = list(parameters)
        options = stored.merge(folder, given, new=True, force=False)
        write(prepare(from_mapping(folder, options), timeout=LOAD_TIMEOUT), options, force=False)
        yield folder


def refuse_parameters(parameters: Sequence[str]) -> None:
    """Raises UserError where there are any, for what is no single function's file."""
    if parameters:
        raise UserError(
            f"-p {parameters[0]} has no function to go to",
            why="parameters go with one function's file; a bundle holds its own",
            remedy=f"cvat-nuclio generate DIR -p {shlex.quote(parameters[0])}",
        )
