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
    """What its publisher names for the weights."""
    licence_source: str = ""
    """Where that was read; empty where nobody read it."""
    gated: bool = False
    """Whether the hub asks to accept conditions."""
    ran: bool = False
    """Whether it was run with its real weights."""
    parameters: float | None = None
    """Millions, of what the family's function loads."""
    cpu_ms: int | None = None
    """One core's milliseconds for a picture of 1280 x 720: `checkpoints.yaml` tells for what of it."""
    click_ms: int | None = None
    """An interactor's, for each further click."""

    @property
    def kind(self) -> str:
        """CVAT's: detector, interactor, tracker or reid."""
        return str(family(self.family)["kind"])

    @property
    def megabytes(self) -> int | None:
        """Of the weights, four bytes a parameter."""
        return None if self.parameters is None else round(self.parameters * 4)

    @property
    def stated_licence(self) -> str:
        """The licence for people, who are told where nobody read it."""
        return self.licence if self.licence_source else f"{self.licence} (not verified)"


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
    return [
        Network(family=module, **_licence(row["source"]), **row)
        for module, rows in tables.read("checkpoints")["networks"].items()
        for row in rows
    ]


def _licence(source: str) -> dict[str, Any]:
    licences: Mapping[str, Mapping[str, Any]] = tables.read("checkpoints")["licences"]
    found = licences[max((start for start in licences if source.startswith(start)), key=len)]
    return {
        "licence": found["licence"],
        "licence_source": found.get("source", ""),
        "gated": found.get("gated", False),
    }


def named(text: str, kind: str | None = None) -> Network | None:
    """The row that somebody means by `sam2.1_hiera_small` or `facebook/sam2.1-hiera-small`: the first of the kind."""
    wanted = _plain(text)
    rows = [row for row in networks() if wanted in (_plain(row.source), _plain(row.source.rpartition("/")[2]))]
    return next((row for row in rows if kind in (None, row.kind)), None)


def _plain(text: str) -> str:
    return text.lower().replace("_", "-")
