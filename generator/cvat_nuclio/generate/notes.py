"""What loads here and may not load in the image, and what CVAT's page makes of a function."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path

from ..errors import UserError
from . import names, option_file
from .description import Description
from .option_file import WEIGHTS, Lack
from .placement import Volume, volumes
from .steps import CACHES, HOME

#: Files of a folder that are looked at.
MANY = 2000
_IN_MEMORY = "one worker and one replica hold all tracks, and lose them when they restart"


def notes_on(bundle: Description) -> list[str]:
    """One sentence for each thing that the image will do otherwise, or CVAT's page."""
    return [*_names(bundle), *_imports(bundle), *_devices(bundle), *_clicks(bundle), *_states(bundle)]


def lacking(bundle: Description) -> list[Lack]:
    """What the image will lack."""
    mounted = volumes(bundle.service.volume)
    return [*_files(bundle, mounted), *_parameters(bundle, mounted)]


def _names(bundle: Description) -> Iterator[str]:
    """An id that was made up, and one that another bundle in the same folder has."""
    name, folder = bundle.function.name, bundle.function.folder
    around = names.around(folder)
    if around and name == names.suggest(around):
        yield f"the id is {name}, the name of the folder around {folder.name}; another: --name ID"
    elif names.loses_letters(folder.name) and name == names.suggest(folder.name):
        yield f"the id is {name}: letters of {folder.name!r} cannot stand in one; another: --name ID"
    for file in sorted(folder.parent.glob(f"*/{option_file.NAME}")):
        # A neighbour that cannot be read is no fault of this one.
        with suppress(UserError):
            if file.parent != folder and option_file.read(file.parent).get("name") == name:
                yield f"{file.parent} has the id {name} too: deploying one replaces the other; another: --name ID"


def _clicks(bundle: Description) -> Iterator[str]:
    """What CVAT's page (since 2.60) lets users of an interactor do, and what it never sends."""
    if bundle.probe.kind != "interactor":
        return
    spec = bundle.probe.spec
    if spec["min_neg_points"] is None:
        yield "CVAT's page lets users right-click negative points all the same; the function then answers 400"
    points = spec["min_pos_points"] + (spec["min_neg_points"] or 0)
    if points and spec["min_bounding_boxes"] is not None:
        yield "CVAT's page never sends a box alone: it waits for the least number of points too"


def _states(bundle: Description) -> Iterator[str]:
    """What was found out of a tracker's states."""
    states = bundle.probe.states
    if bundle.kind != "tracker" or (bundle.in_memory and not (states and states.refused)):
        return
    if states is None:
        yield "how large a state gets is not known: the first one took too long, or ended the process"
    elif states.failed:
        yield f"how large a state gets is not known: frame {states.frames} of a made-up film failed ({states.failed})"
    elif states.refused:
        way = f"tracking will fail there; --state in-memory, with which {_IN_MEMORY}"
        if bundle.in_memory:
            way = f"--state in-memory was chosen; {_IN_MEMORY}"
        yield f"frame {states.frames} of a made-up film has a state that is no token ({states.refused}): {way}"


def _imports(bundle: Description) -> Iterator[str]:
    for file, module in dict.fromkeys(bundle.probe.missing):
        yield f"{file.name} imports {module}, which is not installed here: add it to a requirements file"
    for file in bundle.probe.binary:
        yield f"{file.name} is compiled code of your own and was left out: bring it with --add"


def _files(bundle: Description, mounted: Sequence[Volume]) -> Iterator[Lack]:
    """What the function read while it was loaded and the bundle does not hold."""
    function = bundle.function
    held = {path.resolve() for path in bundle.added.values()}
    held |= {function.path(value) for value in bundle.parameters.here.values() if isinstance(value, str)}
    groups: dict[Path, str] = {}
    for path, variable in bundle.probe.read.items():
        if path in held or path.resolve() in held or any(volume.holds(str(path)) for volume in mounted):
            continue
        source = _root(path, bundle)
        if not _is_elsewhere(path, function.nuclio, source):
            groups.setdefault(_model(path, source, bundle.probe.read), variable)
    for path, variable in groups.items():
        if not any(path.is_relative_to(other) for other in groups if other != path):
            yield _note(path, variable, _root(path, bundle))


def _root(path: Path, bundle: Description) -> Path:
    """The folder that the bundle's own stands for: where the package begins that has the file, else the function's."""
    for module in bundle.probe.local:
        depth = module.path.count("/")
        if depth and path.is_relative_to(module.file.parent):
            return module.file.parents[depth]
    return bundle.function.file.parent if bundle.function.file else bundle.function.directory


def _is_elsewhere(path: Path, bundle: Path, source: Path) -> bool:
    """In the bundle, in a cache of downloads (baking puts those into the image), or among a library's settings."""
    caches = [Path(os.environ[name]).absolute() for name in CACHES if os.environ.get(name)]
    home, inside = Path.home(), path.is_relative_to(source)
    hidden = not inside and path.is_relative_to(home) and path.relative_to(home).parts[0].startswith(".")
    return hidden or any(map(path.is_relative_to, [bundle, *caches]))


def _model(path: Path, source: Path, read: Mapping[Path, str]) -> Path:
    """The file, or the folder of the model that it is part of: native code reads the largest part, unseen."""
    folder = path.parent
    if path.is_dir() or folder in (source, Path.home(), *source.parents):
        return path
    unread = [item for item in folder.iterdir() if item not in read and item.suffix in WEIGHTS]
    return folder if unread or folder in read else path


def _note(path: Path, variable: str, source: Path) -> Lack:
    what = f"the folder {path.name}" if path.is_dir() else path.name
    inside = path.is_relative_to(source)
    place = path.relative_to(source).as_posix() if inside else path.name
    add = f"--add {path}" + (f"={place}" if "/" in place else "")
    at = f"{HOME}/{place}" if inside else str(path)
    weights = path.suffix in WEIGHTS or any(item.suffix in WEIGHTS for item in _below(path))
    if variable:
        by, remedy = f", by {variable}", f"{add} --env {variable}={place}"
    elif inside:
        by, remedy = "", add
    else:
        what += f" in {path.parent}"
        by, remedy = "", (
            f"{add}, and let the function look for {place} beside its own file, "
            f"or take the path as a parameter and give -p NAME=file:{path}"
        )  # fmt: skip
    said = f"the function reads {what}, which is not in the bundle{by}"
    return Lack(place=place, what=said, remedy=remedy + _or_volume(path, at), needed=weights)


def _below(folder: Path) -> Iterator[Path]:
    """The first files of a folder: what somebody names by mistake may be large."""
    return islice((path for path in folder.rglob("*") if path.is_file()), MANY) if folder.is_dir() else iter(())


def _or_volume(path: Path, at: str) -> str:
    """The other remedy for what is too large to copy into an image, or nothing."""
    files = [path] if path.is_file() else _below(path)
    gigabytes = sum(file.stat().st_size for file in files) // 10**9
    return f"; or, for it is {gigabytes} GB, --volume {path}:{at}" if gigabytes else ""


def _parameters(bundle: Description, mounted: Sequence[Volume]) -> Iterator[Lack]:
    """Paths among the parameters: in the image they start in the bundle's folder."""
    function, directory = bundle.function, bundle.function.directory
    for flag, values in (("-p", bundle.parameters.cpu), ("--gpu-parameter", bundle.parameters.gpu)):
        for name, value in values.items():
            if not isinstance(value, str) or not _is_path(directory, value):
                continue
            inside = Path(value).as_posix() in bundle.added or (function.nuclio / value).exists()
            if (inside and not Path(value).is_absolute()) or any(volume.holds(value) for volume in mounted):
                continue
            path = directory / value
            yield Lack(
                place=path.name,
                what=f"{flag} {name}=str:{value} names what is here and not in the image",
                remedy=f"{flag} {name}=file:{path}, which takes it along{_or_volume(path, str(path))}",
                needed=True,
            )


def _is_path(directory: Path, value: str) -> bool:
    """Whether a text is a path of something that is there. One word may name a folder by chance."""
    # Unlike a Path's, os.path's questions take any text: this one is nothing but a text yet.
    path = os.path.join(directory, value)  # noqa: PTH118
    return bool(value) and (os.path.isfile(path) or (os.sep in value and os.path.isdir(path)))  # noqa: PTH112, PTH113


def _devices(bundle: Description) -> Iterator[str]:
    """A GPU form that computes on the CPU, or the other way about."""
    values, create = bundle.parameters, bundle.probe.create or {}
    if not bundle.forms.gpu or "device" not in create or "device" in values.gpu:
        return
    given = str(values.cpu.get("device", create["device"] or ""))
    if given.startswith("cpu"):
        yield f"the GPU form computes on the CPU: its device is {given}; for that form --gpu-parameter device=str:cuda"
    elif given.startswith("cuda") and "device" in values.cpu:
        yield f"the CPU form is asked for {given} too: -p device=str:cpu --gpu-parameter device=str:{given}"
