"""Files that this user alone reads and writes, kept from run to run: locks, logs, keys, journals.

Another user of the machine may lay links and folders where a program is about to write. So nothing lies in the shared
temporary folder, no link is followed, and a folder that somebody else owns is refused.
"""

import contextlib
import hashlib
import json
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Literal

import platformdirs

from .errors import UserError

# Windows has none of these; there the user's own folder is closed to others by itself.
_SAFELY = sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_CLOEXEC", "O_NONBLOCK"))
MODES = {"r": os.O_RDONLY, "w": os.O_WRONLY | os.O_CREAT | os.O_TRUNC, "a": os.O_WRONLY | os.O_CREAT | os.O_APPEND}


def private_folder(*names: str) -> Path:
    """The folder for one purpose below the user's state folder (`~/.local/state/cvat-nuclio`), made where missing.

    It and those above it up to `cvat-nuclio` are the user's own, open to nobody else. Raises UserError.
    """
    folder = Path(platformdirs.user_state_path("cvat-nuclio"))
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _make(folder)
        for name in names:
            folder /= name
            _make(folder)
    except OSError as error:
        raise _unusable(folder, error.strerror or str(error)) from error
    return folder


def open_private(path: Path, mode: Literal["r", "w", "a"]) -> IO[str]:
    """Opens a text file that nobody else can read; follows no link. Raises UserError."""
    try:
        number = os.open(path, MODES[mode] | _SAFELY, 0o600)
        if not stat.S_ISREG(os.fstat(number).st_mode):
            os.close(number)
            raise UserError(f"{path} is no file", remedy="move it away")
        return os.fdopen(number, mode, encoding="utf-8", errors="replace")
    except OSError as error:
        why = "it is a link" if path.is_symlink() else error.strerror or str(error)
        raise UserError(f"cannot open {path}", why=why, remedy="move it away, or mend its permissions") from error


def locked_alone(file: IO[str]) -> bool:
    """Whether this process alone has the file, until it closes it. Raises OSError where that cannot be told.

    Windows has no such locks: there it is always True.
    """
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def journal_of(kind: str, about: Mapping[str, Any]) -> Iterator[Path]:
    """The file that keeps how far the run has come that `about` describes: whoever starts the same goes on from there.

    One process has it at a time; another one gets a UserError. Where it is gone at the end its lock is, too.
    """
    name = hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:32]
    path = private_folder(kind) / f"{name}.journal"
    lock = path.with_suffix(".lock")
    with open_private(lock, "a") as file:
        if not (locked_alone(file) and _lies_at(file, lock)):
            raise UserError("this run is under way already", why="another process does the same work")
        try:
            yield path
        finally:
            if not path.exists():
                with contextlib.suppress(OSError):  # Windows removes no open file
                    lock.unlink()


def cannot_keep(path: Path, error: OSError) -> UserError:
    """A journal that could not be written, most often for want of space."""
    return UserError(
        f"cannot keep in {path} how far the run is",
        why=error.strerror or str(error),
        remedy="free some space, or name another folder (XDG_STATE_HOME=DIR), and give the same command: it goes on",
    )


def _lies_at(file: IO[str], path: Path) -> bool:
    """False where the last process has removed it since it was opened here."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _make(folder: Path) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise _unusable(folder, "it is a link" if folder.is_symlink() else "it is no folder")
    if hasattr(os, "geteuid") and found.st_uid != os.geteuid():
        raise _unusable(folder, f"it belongs to another user (number {found.st_uid})")
    if stat.S_IMODE(found.st_mode) != 0o700:
        folder.chmod(0o700)


def _unusable(folder: Path, why: str) -> UserError:
    return UserError(
        f"cannot use the folder {folder}",
        why=why,
        remedy="move it away, mend its permissions, or name a folder of your own: XDG_STATE_HOME=DIR",
    )
