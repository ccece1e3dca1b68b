"""How Nuclio reads function.yaml: two readers, known keys, durations, trigger settings, what it drops or refuses."""

from .model import Dropped, Reading, Refusal
from .reader import read

__all__ = ["Dropped", "Reading", "Refusal", "read"]
