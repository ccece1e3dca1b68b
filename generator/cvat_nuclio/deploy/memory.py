"""Which nuctl deployed last: another version rebuilds every layer, since its label is a build argument before them."""

import os
from pathlib import Path

from .. import atomic


def _file() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "cvat-nuclio" / "nuctl-version"


def differs_from_last_time(version: str) -> str | None:
    """The version that deployed last from this machine if it is another than `version`; remembers `version`."""
    file = _file()
    last = file.read_text("utf-8").strip() if file.is_file() else ""
    if version and version != last:
        atomic.write(file, f"{version}\n".encode())
    return last if last and version and last != version else None
