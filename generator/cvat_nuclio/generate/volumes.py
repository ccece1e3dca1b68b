"""`--volume`: a folder of the host, or a claim on Kubernetes, in place of files in the image."""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

import attrs

from ..errors import UserError
from .steps import HOME

CLAIM = "pvc"
# Nuclio puts both halves into Docker's `--mount`, and that into a line of the shell.
_PATH = re.compile(r"/[\w./@+-]*")
_CLAIM = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")


@attrs.frozen(kw_only=True)
class Volume:
    """What is mounted, and where in the container."""

    source: str
    """A path of the host, or a claim's name."""
    path: str
    is_claim: bool

    def holds(self, path: str) -> bool:
        """Whether the container finds a path of this machine in the volume, at this place or at the volume's own."""
        folders = [self.path] if self.is_claim else [self.path, self.source]
        return any(PurePosixPath(path).is_relative_to(folder) for folder in folders)

    def config(self, name: str) -> dict[str, Any]:
        """Nuclio's form. On one machine Nuclio honours a hostPath alone."""
        kind = (
            {"persistentVolumeClaim": {"claimName": self.source}}
            if self.is_claim
            else {"hostPath": {"path": self.source}}
        )
        return {"volume": {"name": name, **kind}, "volumeMount": {"name": name, "mountPath": self.path}}


def volumes(texts: Sequence[str]) -> list[Volume]:
    """The volumes that options name. Raises UserError."""
    found = [_volume(text) for text in texts]
    paths = [volume.path for volume in found]
    if twice := next((path for path in paths if paths.count(path) > 1), None):
        raise UserError(f"--volume: two are mounted at {twice}", remedy="another PATH for one of them")
    return found


def _volume(text: str) -> Volume:
    first, _, rest = text.partition(":")
    is_claim = first == CLAIM
    source, colon, path = rest.partition(":") if is_claim else (first, ":" if rest else "", rest)
    path = str(PurePosixPath(path)) if path else ""
    form = _CLAIM if is_claim else _PATH
    if not (colon and form.fullmatch(source) and _PATH.fullmatch(path)) or ".." in PurePosixPath(path).parts:
        raise UserError(
            f"--volume {text!a} is no volume",
            why="Nuclio puts both paths into a command of the shell: absolute, of letters, digits and . _ - + @ /",
            remedy="--volume /models:/models, or on Kubernetes --volume pvc:CLAIM:/models",
        )
    if PurePosixPath(HOME).is_relative_to(path):
        raise UserError(f"--volume {text} would hide the bundle", why=f"it lies in {HOME}", remedy=f"{HOME}/models")
    return Volume(source=source, path=path, is_claim=is_claim)
