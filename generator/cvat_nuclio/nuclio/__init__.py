"""How Nuclio reads function.yaml: two readers, known keys, durations, trigger settings, what it drops or refuses."""

# Dataclasses, not attrs, here and in `check`: its import costs a third of the time that a lint run in an editor may
# take to start.

from .model import Dropped, Refusal
from .yaml_readers import Reading, read

__all__ = ["Dropped", "Reading", "Refusal", "read"]
