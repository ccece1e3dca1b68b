"""Files that `--add` and parameters bring into a bundle."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from ..errors import UserError
from . import texts
from .bundle_options import ImageOptions
from .parameters import Carried

#: Written by the generator or by Nuclio; nothing else may lie there.
TAKEN = {
    "main.py", "model_handler.py", "bake.py", "test_function.py", "README.md", "requirements.txt",
    "requirements-gpu.txt", "constraints.txt", "constraints-gpu.txt", "function.yaml", "function-gpu.yaml",
    "function-prebuilt.yaml", "function-prebuilt-gpu.yaml", "Dockerfile", "Dockerfile-gpu", "_nuclio_wrapper.py",
    "wrapper_common.py",
}  # fmt: skip
TAKEN_FOLDERS = {"aa_runtime", "msgpack", "nuclio_sdk", "whl"}


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
        for path, file in _expand(source, place):
            if files.setdefault(path, file) != file:
                raise UserError(f"{text}: {path} is there already, from {files[path]}", remedy="--add PATH=PLACE")
    for path in files:
        check_place(path)
    if function_file and files.get("func.py", function_file) != function_file:
        raise _taken("func.py", "the function itself lies there")
    return files, notes


def check_place(path: str) -> None:
    """Raises UserError where a file would hide a generated one or one of Nuclio's."""
    texts.place(path)
    top = path.partition("/")[0]
    if path in TAKEN or top in TAKEN_FOLDERS or top.split(".")[0] in TAKEN_FOLDERS:
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


def _expand(source: Path, place: str) -> Iterator[tuple[str, Path]]:
    if not source.is_dir():
        yield place, source
        return
    for path in sorted(source.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield f"{place}/{path.relative_to(source).as_posix()}", path
