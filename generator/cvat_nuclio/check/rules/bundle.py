"""CN335, CN336 and CN341 to CN343: the files of the bundle and what the build does with them."""

import re
from collections.abc import Iterator
from pathlib import Path

from ..config import Config
from ..finding import Finding
from ..images import BaseImage
from ..rule import ERROR, NOTE, WARNING
from ..source import at_top, imported_modules, is_standard, module_file
from .image import ImageRule, value_place

_RESERVED = re.compile(r"_nuclio_wrapper\.py|_nuclio_async_wrapper\.py|wrapper_common\.py|msgpack.*|nuclio_sdk.*|whl")


# In all images of Nuclio's Python functions.
_PROVIDED = {"nuclio_sdk", "msgpack"}


class Requirements(ImageRule):
    """There is a requirements.txt, and no directive installs it: Nuclio never does by itself."""

    id, name, severity = "CN335", "requirements", WARNING
    source = "Nuclio: no code for it (build/runtime/python)"
    remedy = "add `COPY handler/requirements.txt /tmp/` and `RUN pip install -r /tmp/requirements.txt` to preCopy"

    def look(self, config: Config, image: BaseImage) -> Iterator[Finding]:
        for name in ("requirements.txt", "requirements-gpu.txt"):
            file = config.folder / name
            if (name == "requirements-gpu.txt") != ("gpu" in config.file.stem) and name != "requirements.txt":
                continue
            if not file.is_file() or name in config.build_text or "requirements" in config.build_text:
                continue
            if "handler" in config.build_text or "/opt/nuclio" in _postcopy(config):
                continue
            if file.read_text("utf-8", "replace").strip():
                # An image of one's own may have it all.
                own = bool(image.name) and image.family is None
                message = f"no directive in {config.file.name} installs this file"
                yield self.found(file, message, severity=NOTE if own else None)


def _postcopy(config: Config) -> str:
    return "\n".join(value for phase, _, kind, value in config.directives if phase == "postCopy" and kind == "RUN")


class NothingInstalls(ImageRule):
    """The handler imports a package, and nothing installs it: the worker dies at its start."""

    id, name, severity = "CN336", "nothing-installs", ERROR
    source = "Nuclio: recording import-error"
    remedy = "add a RUN directive that installs it"

    def look(self, config: Config, image: BaseImage) -> Iterator[Finding]:
        plain = image.family == "python" or not image.name
        acts = [kind for _, _, kind, _ in config.directives if kind in ("RUN", "ADD", "COPY", "FROM")]
        if not plain or acts or config.build.get("onbuildImage"):
            return
        for module in config.modules.values():
            for node in at_top(module.tree):
                for name in imported_modules(node):
                    first = name.split(".")[0]
                    if is_standard(first) or first in _PROVIDED or first == "__future__":
                        continue
                    if module_file(config.folder, first) or (config.folder / first).is_dir():
                        continue
                    place = (node.body[0].lineno, node.body[0].col_offset + 1)
                    yield self.found(module.file, f"nothing installs {first}", place, length=len("import " + name))
                    break


class ReservedFile(ImageRule):
    """A file of the bundle replaces one of Nuclio's own: both lie in /opt/nuclio."""

    id, name, severity = "CN341", "reserved-file", ERROR
    source = "Nuclio: build/builder.go copies the handler over the wrapper"
    remedy = "rename it"

    def look(self, config: Config, image: BaseImage) -> Iterator[Finding]:
        for file in sorted(config.folder.iterdir()):
            if _RESERVED.fullmatch(file.name):
                yield self.found(file, f"{file.name} replaces Nuclio's own in /opt/nuclio")


class Symlink(ImageRule):
    """A link to a folder, or to nothing: nuctl's copy of the bundle fails.

    Links to files are followed.
    """

    id, name, severity = "CN342", "symlink", ERROR
    source = "Nuclio: recordings symlink-directory, symlink-dangling, symlink-file"
    remedy = "put the files themselves into the bundle"

    def look(self, config: Config, image: BaseImage) -> Iterator[Finding]:
        for file in _links(config.folder):
            if file.is_dir():
                yield self.found(file, f"{file.name} is a link to a folder: nuctl cannot copy it")
            elif not file.exists():
                yield self.found(file, f"{file.name} is a link to nothing: nuctl cannot copy it")


def _links(folder: Path) -> Iterator[Path]:
    import os

    for parent, folders, files in os.walk(folder):
        for name in sorted([*folders, *files]):
            path = Path(parent, name)
            if path.is_symlink():
                yield path


class PipInPostCopy(ImageRule):
    """pip in postCopy: every change of the bundle installs everything again.

    What is installed in preCopy stays in Docker's cache, because the bundle is copied after it.
    """

    id, name, severity = "CN343", "pip-in-postcopy", NOTE
    source = (
        "Nuclio: recordings precopy-one-line-0, postcopy-one-line-0 (7.4 to 8 s against 11 to 14 s for a tiny package)"
    )
    remedy = "move it to preCopy; `COPY handler/requirements.txt /tmp/` works there"

    def look(self, config: Config, image: BaseImage) -> Iterator[Finding]:
        for phase, i, kind, value in config.directives:
            if phase == "postCopy" and kind == "RUN" and re.search(r"pip3? install", value):
                yield self.found(
                    config.file, "pip runs again after every change of the bundle", value_place(config, phase, i)
                )
