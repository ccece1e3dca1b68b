"""Where tracking states live between two frames: in this process, as CVAT's own agent keeps them."""

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final

import attrs

from aa_runtime.state.budget import Cost
from aa_runtime.state.faults import StateError
from aa_runtime.state.store import OpenTrack, Track

_SHOWN: Final = 60


@attrs.define
class _Entry:
    track: Track
    state: Any
    used: float


class MemoryStore:
    """States under random names, for functions whose states cannot be encoded.

    Works with exactly one worker and one replica, and states end with the process. At most `entries` are
    kept; the one not used for longest goes first, and so does what was not used for `max_age` seconds.
    """

    def __init__(self, entries: int, max_age: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._most = entries
        self._max_age = max_age
        self._clock = clock

    def __len__(self) -> int:
        return len(self._entries)

    def issue(self, track: Track, state: Any) -> str:
        """Keeps the state itself, not a copy."""
        self._prune()
        while len(self._entries) >= self._most:
            self._entries.popitem(last=False)
        token = secrets.token_urlsafe(32)
        self._entries[token] = _Entry(track, state, self._clock())
        return token

    def open(self, token: str) -> OpenTrack:
        """The track of a token. StateError where it is not kept, or not any more."""
        self._prune()
        entry = self._entries.get(token)
        if entry is None:
            raise StateError(f"Tracking state {token[:_SHOWN]!r} not found - possibly expired")
        return OpenTrack(
            shape_type=entry.track.shape_type,
            image_size=entry.track.image_size,
            cost=Cost(),
            load=lambda: (entry.track, entry.state),
        )

    def renew(self, token: str, track: Track, state: Any) -> str:
        """The same token for what the track has become."""
        self._entries[token] = _Entry(track, state, self._clock())
        self._entries.move_to_end(token)
        return token

    def _prune(self) -> None:
        cutoff = self._clock() - self._max_age
        while self._entries and next(iter(self._entries.values())).used < cutoff:
            self._entries.popitem(last=False)
