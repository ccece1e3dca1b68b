"""What loads here and may not load in the image, and what CVAT's page makes of a function."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from . import names, option_file
from .description import Description
from .steps import CACHES

#: What frameworks write weights to. Most are read by native code, which nobody sees opening a file.
WEIGHTS = frozenset(
    {
        ".bin", ".caffemodel", ".ckpt", ".data", ".engine", ".gguf", ".h5", ".keras", ".npy", ".npz", ".onnx",
        ".param", ".pb", ".pdiparams", ".plan", ".pt", ".pth", ".safetensors", ".tflite", ".trt", ".weights",
    }
)  # fmt: skip


def notes_on(bundle: Description) -> list[str]:
    """One sentence for each thing that the image will lack, or that CVAT's page will do otherwise."""
    return [*_names(bundle), *_imports(bundle), *_files(bundle), *_parameters(bundle), *_clicks(bundle)]


def _names(bundle: Description) -> Iterator[str]:
    """An id that was made up, and one that another bundle in the same folder has."""
    name, folder = bundle.options.name, bundle.options.folder
    if names.loses_letters(folder.name) and name == names.suggest(folder.name):
        yield f"the id is {name}: letters of {folder.name!r} cannot stand in one; another: --name ID"
    for file in sorted(folder.parent.glob(f"*/{option_file.NAME}")):
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


def _imports(bundle: Description) -> Iterator[str]:
    for file, module in dict.fromkeys(bundle.probe.missing):
        yield f"{file.name} imports {module}, which is not installed here: add it to a requirements file"
    for file in bundle.probe.binary:
        yield f"{file.name} is compiled code of your own and was left out: bring it with --add"


def _files(bundle: Description) -> Iterator[str]:
    """What the function read while it was loaded and the bundle does not hold."""
    options = bundle.options
    source = options.file.parent if options.file else options.path(options.working_directory)
    held = {path.resolve() for path in bundle.added.values()}
    held |= {options.path(value) for value in options.parameters.values() if isinstance(value, str)}
    groups: dict[Path, str] = {}
    for path, variable in bundle.probe.read.items():
        if path not in held and path.resolve() not in held and not _is_elsewhere(path, options.nuclio, source):
            groups.setdefault(_model(path, source, bundle.probe.read), variable)
    for path, variable in groups.items():
        if not any(path.is_relative_to(other) for other in groups if other != path):
            yield _note(path, variable, source)


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


def _note(path: Path, variable: str, source: Path) -> str:
    what = f"the folder {path.name}" if path.is_dir() else path.name
    inside = path.is_relative_to(source)
    place = path.relative_to(source).as_posix() if inside else path.name
    add = f"--add {path}" + (f"={place}" if "/" in place else "")
    if variable:
        return f"the function reads {what}, which is not in the bundle, by {variable}: {add} --env {variable}={place}"
    if inside:
        return f"the function reads {what}, which is not in the bundle: {add}"
    return (
        f"the function reads {what} in {path.parent}, which is not in the bundle: {add}, and let the function look for "
        f"{place} beside its own file, or take the path as a parameter"
    )


def _parameters(bundle: Description) -> Iterator[str]:
    """Paths among the parameters: in the image they start in the bundle's folder."""
    options = bundle.options
    directory = options.path(options.working_directory)
    for name, value in options.parameters.items():
        if not isinstance(value, str) or not value or not os.path.isfile(directory / value):  # noqa: PTH113 - see below
            continue
        # Unlike a Path's, os.path's questions take any text: this one is nothing but a text yet.
        inside = Path(value).as_posix() in bundle.added or (options.nuclio / value).is_file()
        if Path(value).is_absolute() or not inside:
            place = Path(value).name
            yield (
                f"-p {name}=str:{value} names a file here; in the image it has to lie in the bundle: "
                f"--add {directory / value} -p {name}=str:{place}"
            )
