"""The copy of the shared runtime that each bundle carries: `nuclio/aa_runtime/`."""

import importlib.util
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from .. import atomic
from .tree import digest, read_sums, sums_text

PACKAGE = "aa_runtime"
SUMS = "SHA256SUMS"
"""In the copy: the sums of its files, so that an edited copy can be told from an old one."""


def _source() -> Path:
    spec = importlib.util.find_spec(PACKAGE)
    assert spec is not None  # noqa: S101 - it is in the same wheel
    assert spec.origin is not None  # noqa: S101
    return Path(spec.origin).parent


SOURCE = _source()
"""The installed runtime."""


def refresh(folder: Path) -> bool:
    """Makes the runtime copy in a bundle's folder equal to the installed runtime; whether it was not.

    What was edited in the copy is lost: `edited` names it. Raises OSError.
    """
    copy = folder / PACKAGE
    if is_fresh(folder) or copy.resolve() == SOURCE.resolve():
        return False
    new = copy.with_name(f".{PACKAGE}.{os.getpid()}.new")
    try:
        _write(new)
        atomic.replace_folder(copy, new)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return True


def is_fresh(folder: Path) -> bool:
    """Whether the copy holds the files of the installed runtime, and no others."""
    copy = folder / PACKAGE
    if not copy.is_dir():
        return False
    return _sums(copy) == _sums(SOURCE) and (copy / SUMS).is_file()


def edited(folder: Path) -> list[str]:
    """The files of the copy that somebody changed since it was made, as paths in the bundle's folder."""
    made = read_sums(folder / PACKAGE / SUMS)
    if not made or is_fresh(folder):
        return []
    now = _sums(folder / PACKAGE)
    return sorted(f"{PACKAGE}/{name}" for name in now if now[name] != made.get(name))


def _write(target: Path) -> None:
    for name in _files(SOURCE):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(SOURCE / name, target / name)
    (target / SUMS).write_text(sums_text(_sums(SOURCE)), "utf-8")


def _sums(folder: Path) -> dict[str, str]:
    return {name: digest(folder / name) for name in _files(folder)}


def _files(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc" and path.name != SUMS:
            yield path.relative_to(folder).as_posix()
