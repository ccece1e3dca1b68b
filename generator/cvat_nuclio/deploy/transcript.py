"""nuctl's output: kept in a file as it comes, shown line by line or as one line that is rewritten."""

import json
import re
import threading
import urllib.parse
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import attrs

from ..errors import UserError
from ..private_files import open_private, private_folder
from ..waiting import Wait, waiting
from .nuctl_causes import plain

# `26.11.29 12:00:00.000 (I)            nuctl Building docker image {"image": …}`: the time, the level, who says it.
_HEAD = re.compile(r"^.{0,40}?\([A-Z]\)\s+\S+\s+")


@attrs.define
class Transcript:
    """One nuctl run. `take` gets its lines, from several threads."""

    file: Path
    _stream: IO[str]
    _wait: Wait
    _show: Callable[[str], None] | None
    trouble: OSError | None = attrs.field(default=None, init=False)
    """Why the file ends early: a full disk stops the log, not the deploy."""
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False)

    def take(self, line: str) -> None:
        """One line of output, without its end."""
        text = plain(line)
        with self._lock:
            self._wait.detail = _HEAD.sub("", text.partition("\n")[0]).strip()
            if self._show:
                self._show(text)
            self.keep(text)

    def keep(self, text: str) -> None:
        """Into the file at once, so that others can follow it."""
        if self.trouble is None:
            try:
                self._stream.write(text + "\n")
                self._stream.flush()
            except OSError as error:
                self.trouble = error


@contextmanager
def transcript(
    name: str, argv: Sequence[str], folder: Path | None, show: Callable[[str], None] | None
) -> Iterator[Transcript]:
    """Follows the deploy of the function `name`. Raises UserError where no file can be opened.

    `folder` None: the user's own state folder. `show` gets each line as it comes; without it they are the detail of
    what is waited for.
    """
    file = log_folder(folder) / f"{file_name(name)}.log"
    stream = open_private(file, "w")
    try:
        with waiting(f"deploying {name}") as wait:
            log = Transcript(file, stream, wait, show)
            log.keep(f"$ {json.dumps(argv)}\n")
            yield log
    finally:
        with suppress(OSError):  # what could not be written is told as `trouble`
            stream.close()


def log_folder(folder: Path | None) -> Path:
    """Where the files go, made where missing. Raises UserError."""
    if folder is None:
        return private_folder("deploy", "logs")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"cannot make the folder {folder}", why=error.strerror or str(error), remedy="name another: --logs FOLDER"
        ) from error
    return folder


def file_name(name: str) -> str:
    """A function's name as a file's, whatever stands in function.yaml."""
    return urllib.parse.quote(name, safe="") or "_"
