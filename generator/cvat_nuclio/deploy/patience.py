"""How long a deploy is waited for: nuctl has no limit in several places, and waits minutes for what cannot come."""

import time

import attrs

from .nuctl_causes import Cause
from .places import Place, Serving

# nuctl's lines when the image is there and the waiting begins.
_WAITING = ("Skipping build", "Build complete")
SLACK = 120.0
"""Seconds beside the readiness timeout: an unschedulable pod takes 60 whatever the timeout, and nodes are slow."""
LOOK_EVERY = 5.0


@attrs.define
class Patience:
    """One nuctl deploy: `hear` gets its lines, `give_up` says when no more is to be hoped for."""

    name: str
    readiness_timeout: float
    place: Place
    before: Serving
    _since: float | None = attrs.field(default=None, init=False)
    _looked: float = attrs.field(default=0.0, init=False)

    def hear(self, line: str) -> None:
        """A line of nuctl's."""
        if self._since is None and any(words in line for words in _WAITING):
            self._since = time.monotonic()

    def give_up(self) -> Cause | None:
        """Why there is no use in waiting longer."""
        now = time.monotonic()
        if self._since is None or now - self._looked < LOOK_EVERY:
            return None
        self._looked = now
        if now - self._since > self.readiness_timeout + SLACK:
            return Cause(
                "no-controller",
                f"nothing has come of it {now - self._since:.0f} s after the image was there",
                "see that Nuclio's controller runs (`kubectl get pods -l nuclio.io/app=controller`) and watches this "
                "namespace",
            )
        return self.place.hopeless(self.name, self.before)
