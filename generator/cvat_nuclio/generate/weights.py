"""`--weights FILE=NAME@REVISION`: which weights a file of the bundle holds, and that it goes on holding them."""

import re
from collections.abc import Mapping
from pathlib import Path

import attrs

from ..errors import UserError
from .tree import digest

_FORM = re.compile(
    r"(?P<name>[A-Za-z0-9][\w./:+-]*)@(?P<revision>[A-Za-z0-9][\w./:+-]*)(?: sha256:(?P<sha256>[0-9a-f]{64}))?"
)


@attrs.frozen(kw_only=True)
class Weights:
    """One file: its path in the bundle, what it is called where it comes from, and which version of that."""

    file: str
    name: str
    revision: str
    sha256: str = ""
    """Of the file, in hexadecimal digits; empty where it was never seen."""

    @property
    def text(self) -> str:
        """As the options hold it."""
        return f"{self.name}@{self.revision}" + (f" sha256:{self.sha256}" if self.sha256 else "")


def weights_in(options: Mapping[str, str]) -> list[Weights]:
    """Those that the options name, by file. Raises UserError."""
    return [_read(file, text) for file, text in sorted(options.items())]


def seen(weights: Weights, file: Path) -> Weights:
    """With the sum of the file as it lies there, if it does. Raises UserError where that is another one."""
    if not file.is_file():
        return weights
    found = digest(file)
    if weights.sha256 not in ("", found):
        raise UserError(
            f"{file} holds other weights than {weights.name}@{weights.revision}",
            why=f"its sha256 is {found}, and was {weights.sha256}",
            remedy=f"put the right file there, or say what it is: --weights {weights.file}=NAME@REVISION",
        )
    return attrs.evolve(weights, sha256=found)


def _read(file: str, text: str) -> Weights:
    found = _FORM.fullmatch(text)
    if found is None or not file or file.startswith("/") or ".." in file.split("/"):
        raise UserError(
            f"--weights {file}={text!a} names no weights", remedy="--weights FILE=NAME@REVISION, FILE in the bundle"
        )
    return Weights(file=file, name=found["name"], revision=found["revision"], sha256=found["sha256"] or "")
