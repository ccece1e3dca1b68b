"""Which nuctl deployed last: another version rebuilds every layer, since its label is a build argument before them."""

from .. import atomic
from ..private_files import open_private, private_folder


def differs_from_last_time(version: str) -> str | None:
    """The version that deployed last from this machine if it is another than `version`; remembers `version`.

    Raises UserError.
    """
    file = private_folder("deploy") / "nuctl-version"
    last = ""
    if file.exists():
        with open_private(file, "r") as stream:
            last = stream.read(100).strip()
    if version and version != last:
        atomic.write(file, f"{version}\n".encode())
    return last if last and version and last != version else None
