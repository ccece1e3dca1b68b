"""Files written beside their place, then renamed: a run that fails leaves the old ones whole."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

Content = bytes | Path
"""A file's bytes, or the file to copy them from."""


def write(path: Path, content: Content) -> None:
    """Writes one file, and the folders above it. Raises OSError."""
    write_all({path: content})


def write_all(files: Mapping[Path, Content]) -> None:
    """Writes all files beside their places, and renames them only when the last is written. Raises OSError."""
    beside: dict[Path, Path] = {}
    try:
        for path, content in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            beside[path] = path.with_name(f".{path.name}.{os.getpid()}.new")
            _write(beside[path], content)
        for path, new in beside.items():
            new.replace(path)
    finally:
        for new in beside.values():
            new.unlink(missing_ok=True)


def replace_folder(folder: Path, new: Path) -> None:
    """Puts the folder `new`, which lies on the same file system, in the place of `folder`. Raises OSError."""
    old = folder.with_name(f".{folder.name}.{os.getpid()}.old")
    if folder.is_symlink():
        folder.unlink()  # what it leads to is somebody else's
    elif folder.exists():
        folder.rename(old)
    try:
        new.rename(folder)
    except OSError:
        if old.exists():
            old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _write(path: Path, content: Content) -> None:
    if isinstance(content, Path):
        shutil.copyfile(content, path)
    else:
        path.write_bytes(content)
