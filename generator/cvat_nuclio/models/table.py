"""The table of families and of networks that people know by name."""

from collections.abc import Mapping
from typing import Any

import attrs

from ..data import tables


@attrs.frozen(kw_only=True)
class Network:
    """One row."""

    source: str
    """Its place on the Hugging Face hub."""
    family: str
    architecture: str
    licence: str
    parameters: float | None = None
    """Millions."""
    gated: bool = False
    ran: bool = False
    """Whether it was run with its real weights."""
    cpu_ms: int | None = None
    """Of one picture of 1280 x 720, or None where nobody measured."""

    @property
    def kind(self) -> str:
        """CVAT's: detector, interactor, tracker or reid."""
        return str(family(self.family)["kind"])

    @property
    def megabytes(self) -> int | None:
        """Of the weights, four bytes a parameter."""
        return None if self.parameters is None else round(self.parameters * 4)


def family(module: str) -> Mapping[str, Any]:
    """A family's `kind`, `task` and `what`."""
    found: Mapping[str, Any] = tables.read("checkpoints")["families"][module]
    return found


def families() -> Mapping[str, Mapping[str, Any]]:
    """All of them, by module."""
    found: Mapping[str, Mapping[str, Any]] = tables.read("checkpoints")["families"]
    return found


def networks() -> list[Network]:
    """All rows, in the table's order."""
    return [Network(**row) for row in tables.read("checkpoints")["networks"]]


def named(text: str, kind: str | None = None) -> Network | None:
    """The row that somebody means by `sam2.1_hiera_small` or `facebook/sam2.1-hiera-small`: the first of the kind."""
    wanted = _plain(text)
    rows = [row for row in networks() if wanted in (_plain(row.source), _plain(row.source.rpartition("/")[2]))]
    return next((row for row in rows if kind in (None, row.kind)), None)


def _plain(text: str) -> str:
    return text.lower().replace("_", "-")
