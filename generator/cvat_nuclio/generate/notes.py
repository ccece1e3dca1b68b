"""What loads here and may not load in the image."""

import os
from collections.abc import Iterator
from pathlib import Path

from .description import Description
from .steps import CACHES


def notes_on(bundle: Description) -> list[str]:
    """One sentence for each thing that the image will lack."""
    return [*_imports(bundle), *_files(bundle), *_parameters(bundle)]


def _imports(bundle: Description) -> Iterator[str]:
    for file, module in dict.fromkeys(bundle.probe.missing):
        yield f"{file.name} imports {module}, which is not installed here: add it to a requirements file"
    for file in bundle.probe.binary:
        yield f"{file.name} is compiled code of your own and was left out: bring it with --add"


def _files(bundle: Description) -> Iterator[str]:
    """Files that the function read from its own folder while it was loaded."""
    options = bundle.options
    source = options.file.parent if options.file else options.path(options.working_directory)
    # Baking puts a library's downloads into the image.
    caches = [Path(os.environ[name]).absolute() for name in CACHES if os.environ.get(name)]
    elsewhere = [options.nuclio, *caches]
    brought = {path.resolve() for path in bundle.added.values()}
    for file in bundle.probe.opened:
        inside = file.is_relative_to(source) and not any(map(file.is_relative_to, elsewhere))
        if inside and file.is_file() and file.resolve() not in brought:
            place = file.relative_to(source).as_posix()
            place = f"={place}" if "/" in place else ""
            yield f"the function reads {file.name}, which is not in the bundle: --add {file}{place}"


def _parameters(bundle: Description) -> Iterator[str]:
    """Paths among the parameters: in the image they start in the bundle's folder."""
    options = bundle.options
    directory = options.path(options.working_directory)
    for name, value in options.parameters.items():
        if not isinstance(value, str) or not value or not (directory / value).is_file():
            continue
        inside = Path(value).as_posix() in bundle.added or (options.nuclio / value).is_file()
        if Path(value).is_absolute() or not inside:
            place = Path(value).name
            yield (
                f"-p {name}=str:{value} names a file here; in the image it has to lie in the bundle: "
                f"--add {directory / value} -p {name}=str:{place}"
            )
