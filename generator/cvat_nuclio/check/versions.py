"""Against which versions a check is made."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ..nuclio.structs import NEWEST, Version

DEFAULT_CVAT = "G3"
DEFAULT_NUCLIO = "1.16"
GENERATIONS = ("G1", "G2", "G3")


Index: TypeAlias = Callable[[Sequence[str], str], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Settings:
    """`cvat` is a server generation (G1, G2, G3), `nuclio` a version of nuctl and the dashboard.

    `index` says which of a list of requirements an index of packages has no version for, under a Python (`3.11`); None:
    nothing is asked.
    """

    cvat: str = DEFAULT_CVAT
    nuclio: Version = NEWEST
    index: Index | None = None

    @property
    def nuclio_text(self) -> str:
        """As users write it."""
        return f"{self.nuclio[0]}.{self.nuclio[1]}"
