"""Against which versions a check is made."""

from dataclasses import dataclass

from ..nuclio.structs import NEWEST, Version

DEFAULT_CVAT = "G3"
DEFAULT_NUCLIO = "1.16"
GENERATIONS = ("G1", "G2", "G3")


@dataclass(frozen=True, slots=True)
class Settings:
    """`cvat` is a server generation (G1, G2, G3), `nuclio` a version of nuctl and the dashboard."""

    cvat: str = DEFAULT_CVAT
    nuclio: Version = NEWEST

    @property
    def nuclio_text(self) -> str:
        """As users write it."""
        return f"{self.nuclio[0]}.{self.nuclio[1]}"
