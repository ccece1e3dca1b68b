"""Files that go into a bundle from elsewhere: the function with its modules, and what `--add` and parameters bring."""

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from ..errors import UserError
from . import texts
from .bundle_options import ImageOptions
from .description import Description
from .parameters import Carried

#: Of the bundle, Nuclio's wrapper and what that imports: another module of such a name would hide them.
MODULES = {
    "aa_runtime", "bake", "func", "main", "model_handler", "msgpack", "nuclio_sdk", "test_function", "whl",
    "wrapper_common", "_nuclio_wrapper", "test_wrapper",
}  # fmt: skip
FOLDERS = {"aa_runtime", "msgpack", "nuclio_sdk", "whl"}
#: Written by the generator or by Nuclio; nothing else may lie there.
TAKEN = {*(f"{name}.py" for name in MODULES - {"func"})} | {
    "README.md", "requirements.txt", "requirements-gpu.txt", "constraints.txt", "constraints-gpu.txt", "function.yaml",
    "function-gpu.yaml", "function-prebuilt.yaml", "function-prebuilt-gpu.yaml", "Dockerfile", "Dockerfile-gpu",
}  # fmt: skip

#: The first in no folder; what Git and a training leave beside a network, several times its size, and nothing reads.
UNREAD = (
    "__pycache__", ".git", ".cache", "checkpoint-*", "global_step*", "runs", "optimizer.pt", "scheduler.pt",
    "scaler.pt", "rng_state*.pth", "training_args.bin", "trainer_state.json",
)  # fmt: skip


def added_files(
    image: ImageOptions, function_file: Path | None, carried: Iterable[tuple[str, Carried]] = ()
) -> tuple[dict[str, Path], list[str]]:
    """The files by their place in the bundle, and a note for each that is not there. Raises UserError.

    `carried` are those of parameters, each with its option. A file that the options expect inside the bundle itself may
    come later: weights are laid there by hand.
    """
    files: dict[str, Path] = {}
    notes = []
    asked = [(f"--add {text}", *_parse(image, text)) for text in image.add]
    for text, source, place in [*asked, *((text, one.source, one.place) for text, one in carried)]:
        if not source.exists():
            if not source.is_relative_to(image.nuclio):
                raise UserError(f"{text}: there is no such file", why=f"looked for {source}")
            # Named all the same: what is written must not depend on whether the weights are there yet.
            files[place if source.suffix else f"{place}/"] = source
            notes.append(f"{source.relative_to(image.folder)} is not there yet; it has to be before the image is built")
            continue
        for path, file in expand(source, place):
            if files.setdefault(path, file) != file:
                raise UserError(f"{text}: {path} is there already, from {files[path]}", remedy="--add PATH=PLACE")
    for path in files:
        _check_place(path)
    if function_file and files.get("func.py", function_file) != function_file:
        raise _taken("func.py", "the function itself lies there")
    return files, notes


def brought(bundle: Description) -> dict[str, Path]:
    """The function, its own modules and added files, where they do not lie in the bundle already. Raises UserError."""
    function = bundle.function
    files = {module.path: module.file for module in bundle.probe.local}
    for path in files:
        if path.removesuffix(".py").partition("/")[0] in MODULES:
            raise UserError(
                f"the function's module {path} cannot go into the bundle",
                why="the bundle or Nuclio has a module of that name",
                remedy="rename it",
            )
        _check_place(path)
    for path, file in bundle.added.items():
        if files.setdefault(path, file).resolve() != file.resolve():
            raise UserError(
                f"{path} cannot be added to the bundle",
                why=f"the function's own module {files[path]} lies there",
                remedy="another place: --add PATH=PLACE",
            )
    if function.file:
        files["func.py"] = function.file
    return {path: file for path, file in files.items() if file != function.nuclio / path}


def _check_place(path: str) -> None:
    """Raises UserError where a file would hide a generated one or one of Nuclio's."""
    texts.place(path)
    top = path.partition("/")[0]
    if path in TAKEN or top.split(".")[0] in FOLDERS:
        raise _taken(path, "the bundle or Nuclio has something of that name")


def _taken(path: str, why: str) -> UserError:
    remedy = "rename it, or give it another place: --add PATH=PLACE"
    return UserError(f"{path} cannot be added to the bundle", why=why, remedy=remedy)


def _parse(image: ImageOptions, text: str) -> tuple[Path, str]:
    source, equals, place = text.partition("=")
    path = image.path(source)
    if not equals:
        place = path.relative_to(image.nuclio).as_posix() if path.is_relative_to(image.nuclio) else path.name
    if Path(place).is_absolute() or ".." in Path(place).parts or not place.strip("./"):
        raise UserError(f"--add {text}: {place!r} is no place in the bundle", remedy="a path below the bundle's folder")
    return path, Path(place).as_posix()


def expand(source: Path, place: str) -> Iterator[tuple[str, Path]]:
    """The files of a file or a folder, each with its place, but for those that nothing reads."""
    if not source.is_dir():
        yield place, source
        return
    unread = UNREAD if (source / "config.json").is_file() else UNREAD[:1]
    for path in sorted(source.rglob("*")):
        parts = path.relative_to(source).parts
        if path.is_file() and not any(fnmatchcase(part, name) for part in parts for name in unread):
            yield "/".join((place, *parts)), path
