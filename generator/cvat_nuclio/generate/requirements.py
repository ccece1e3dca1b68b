"""What `pip install -r` puts into the image: the function's own requirements and the runtime's."""

import importlib.metadata
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import attrs
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from ..errors import UserError
from .probe import Distribution, Probe

#: What aa_runtime imports, and Nuclio's wrapper: Nuclio itself brings wheels for one version of Python only.
RUNTIME = ("attrs", "cvat-sdk", "msgpack", "numpy", "nuclio-sdk", "opencv-python-headless", "pillow")
RUNTIME_OF_KIND = {"reid": ("scipy",)}
RUNTIME_OF_ANY = (*RUNTIME, *(name for names in RUNTIME_OF_KIND.values() for name in names))

#: OpenCV's builds for desktops need libGL and an X server's libraries, which no slim image has.
HEADLESS = {
    "opencv-python": "opencv-python-headless",
    "opencv-contrib-python": "opencv-contrib-python-headless",
}
#: Any of these is `cv2`; two of them in one image overwrite each other.
OPENCV = {*HEADLESS, *HEADLESS.values()}


@attrs.frozen(kw_only=True)
class Line:
    """One line of a requirements file."""

    text: str
    name: str = ""
    """The distribution, in the index's spelling; empty for options, comments and blank lines."""
    comment: str = ""
    """Why it differs from what was asked for."""

    @property
    def version(self) -> str:
        """The version it is pinned to, or an empty text."""
        found = re.search(r"===?\s*([^\s;,#*]+)\s*(?:[;#]|$)", self.text)
        return public(found[1]) if found and self.name else ""


@attrs.frozen(kw_only=True)
class Requirements:
    """One requirements file."""

    own: tuple[Line, ...]
    """The function's."""
    origin: str
    """Where those come from, for the file's comment."""
    runtime: tuple[Line, ...]

    @property
    def lines(self) -> tuple[Line, ...]:
        """All of them, the function's first."""
        return (*self.own, *self.runtime)

    def version(self, name: str) -> str:
        """The version that a distribution is pinned to, or an empty text."""
        return next((line.version for line in self.lines if line.name == name and line.version), "")

    def names(self) -> set[str]:
        """The distributions that the lines name."""
        return {line.name for line in self.lines if line.name}


def collect(probe: Probe, given: Path | None, shown: str, pinned: Mapping[str, str]) -> Requirements:
    """The CPU image's requirements.

    `given` is the user's file, called `shown` in comments; without it they are what the function imports. `pinned`
    overrides versions found, by name. Raises UserError.
    """
    runtime = {*RUNTIME, *RUNTIME_OF_KIND.get(probe.kind, ())}
    origin = f"from {shown}" if given else "what the function imports, as loaded"
    own = tuple(map(_headless, parse(given) if given else _imported(probe, runtime, pinned)))
    return Requirements(own=own, origin=origin, runtime=tuple(_runtime(probe, own, runtime, pinned)))


def _imported(probe: Probe, runtime: set[str], pinned: Mapping[str, str]) -> Iterable[Line]:
    """A pin for each distribution that the function needs, less what the runtime pins anyway."""
    for item in probe.distributions:
        if item.name not in runtime | {"cvat-nuclio", "cvat-cli"}:
            yield line_of(item, pinned.get(item.name, item.version))


def line_of(item: Distribution, version: str, comment: str = "") -> Line:
    """What installs a distribution as it was loaded: its pin, or where it came from. Raises UserError for a folder."""
    if item.url.startswith("file:"):
        raise UserError(
            f"{item.name} {item.version} was installed from {item.url}",
            why="the image's build cannot reach that folder",
            remedy="install it from an index or a repository, or name a file: --requirements FILE",
        )
    if item.url:
        return Line(text=f"{item.name} @ {item.url}", name=item.name, comment=comment)
    return pin(item.name, version, comment)


def pin(name: str, version: str, comment: str = "") -> Line:
    """`name==version`. A local part (`+cpu`) is dropped: an index that has such builds offers them for the bare
    version, and no other index knows it."""
    return Line(text=f"{name}=={public(version)}", name=name, comment=comment)


def public(version: str) -> str:
    """`2.9.1+cpu` → `2.9.1`."""
    try:
        return Version(version).public
    except InvalidVersion:
        return version


def _headless(line: Line) -> Line:
    """OpenCV for desktops becomes OpenCV without windows."""
    name = HEADLESS.get(line.name)
    if name is None:
        return line
    comment = f"In place of {line.name}, which needs libGL: no image here has it."
    return Line(text=re.sub(r"^[A-Za-z0-9._-]+", name, line.text), name=name, comment=comment)


def _runtime(probe: Probe, own: Sequence[Line], runtime: set[str], pinned: Mapping[str, str]) -> Iterable[Line]:
    names = {line.name for line in own}
    for name in sorted(runtime - names):
        if name not in OPENCV or not names & OPENCV:
            # Versions that were loaded together: the function's interpreter first, then the tool's.
            item = probe.installed.get(name) or importlib.metadata.distribution(name)
            yield pin(name, pinned.get(name, item.version))


def least_of_runtime(requirements: Requirements) -> list[str]:
    """The versions that the runtime works with, as requirements: the tool's own, of which the runtime is a part."""
    wanted = {*RUNTIME_OF_ANY} & requirements.names()
    found = map(Requirement, importlib.metadata.requires("cvat-nuclio") or ())
    return [str(item) for item in found if item.marker is None and canonicalize_name(item.name) in wanted]


def parse(path: Path, seen: tuple[Path, ...] = ()) -> Iterable[Line]:
    """The lines of a requirements file; files that it includes are put in its place. Raises UserError."""
    if path in seen:
        raise UserError(f"{path} includes itself")
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read the requirements in {path}", why=str(error)) from error
    for number, line in enumerate(re.sub(r"\\\r?\n", " ", text).splitlines(), 1):
        yield from _parse_line(line.rstrip(), path, number, (*seen, path))


def _parse_line(line: str, path: Path, number: int, seen: tuple[Path, ...]) -> Iterable[Line]:
    bare = re.sub(r"(^|\s)#.*", "", line).strip()
    where = f"{path.name}, line {number}: {bare}"
    if not bare:
        yield Line(text=line)
    elif included := re.fullmatch(r"(?:-r|--requirement)[ =]*(\S+)", bare):
        yield from parse(path.parent / included[1], seen)
    elif re.match(r"-c|--constraint", bare):
        raise UserError(where, why="a constraints file does not reach the image", remedy="put its pins here")
    elif "--hash" in bare:
        raise UserError(
            where, why="with hashes pip wants them for the runtime's requirements too", remedy="leave the hashes out"
        )
    elif re.match(r"-e|--editable|\.|/|~", bare) or bare.startswith("file:") or " @ file:" in bare:
        raise UserError(
            where,
            why="the image's build has no such folder",
            remedy="bring the code with --add, or install it from an index",
        )
    elif bare.startswith("-"):
        yield Line(text=line)
    else:
        yield Line(text=line, name=_name(bare, where))


def _name(bare: str, where: str) -> str:
    if re.match(r"[a-z+]+://", bare):
        return ""
    try:
        return canonicalize_name(Requirement(re.split(r"\s--", bare)[0]).name)
    except InvalidRequirement as error:
        raise UserError(where, why=str(error).splitlines()[0], remedy="mend the requirements file") from error


def pins_in(text: str) -> dict[str, str]:
    """The pins in a file that was generated earlier."""
    return dict(re.findall(r"^ *([a-z0-9-]+)==(\S+) *$", text, re.MULTILINE))
