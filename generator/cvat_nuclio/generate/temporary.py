"""A bundle of a lone function file, for as long as it is needed."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import stored
from .bundle_options import from_mapping
from .make_bundle import prepare, write

LOAD_TIMEOUT = 600.0


@contextmanager
def bundle_of(file: Path, python: str | None = None) -> Iterator[Path]:
    """The bundle's folder, made as `generate --function-file FILE` makes one without other options.

    Raises UserError as generate does.
    """
    with tempfile.TemporaryDirectory(prefix="cvat-nuclio-") as parent:
        folder = Path(parent).resolve() / file.stem
        given = {"function_file": str(file)}
        if python:
            given["python"] = python
        options = stored.merge(folder, given, new=True, force=False)
        write(prepare(from_mapping(folder, options), timeout=LOAD_TIMEOUT), options, force=False)
        yield folder
