"""Where tracking states live between two frames: in tokens that the client carries."""

import time
from collections.abc import Callable
from typing import Any, Final, Protocol

import attrs

from aa_runtime.state.codec import Codec
from aa_runtime.state.faults import DecodeError, EncodeError, StateError, TooLargeError
from aa_runtime.state.token import Head, Sealed, Sealer

_POINTS: Final = Codec()
#: Clocks of replicas differ a little.
_CLOCK_SKEW: Final = 300


@attrs.frozen(kw_only=True)
class Track:
    """What the runtime itself remembers of one tracked object."""

    shape_type: str
    image_size: tuple[int, int]
    """Width and height of the frame on which tracking began."""
    typed: bool
    """Whether CVAT writes shapes as `{type, points}`, and wants them so, or as flat arrays."""
    points: list[float]
    """Where the object was last seen."""


@attrs.frozen(kw_only=True)
class OpenTrack:
    """A token that was found to be good, but for its state, which is not decoded yet."""

    shape_type: str
    image_size: tuple[int, int]
    size: int
    """Bytes that `load` takes."""
    load: Callable[[], tuple[Track, Any]]
    """The track and the state. StateError when the state makes no sense."""


class StateStore(Protocol):
    """Gives tokens for states and takes them back. A token is one ASCII string in which JSON escapes
    nothing."""

    def issue(self, track: Track, state: Any) -> str:
        """A new token. EncodeError when the state cannot be kept."""
        ...

    def open(self, token: str) -> OpenTrack:
        """What a token stands for. StateError when it is none of this function's, or too old."""
        ...

    def renew(self, token: str, track: Track, state: Any) -> str:
        """The token after `token`: the function may have changed the state in place."""
        ...


class TokenStore:
    """States travel with the client: any worker of any replica can go on, and nothing stays behind here."""

    def __init__(self, codec: Codec, sealer: Sealer, max_age: float, clock: Callable[[], float] = time.time) -> None:
        self._codec = codec
        self._sealer = sealer
        self._max_age = max_age
        self._clock = clock

    def issue(self, track: Track, state: Any) -> str:
        """EncodeError names the part of the state that has no encoding, or the limit that it exceeds."""
        points = _POINTS.encode(track.points)
        head = Head(
            shape_type=track.shape_type,
            image_size=track.image_size,
            typed=track.typed,
            issued=int(self._clock()),
        )
        try:
            payload = len(points).to_bytes(4, "little") + points + self._codec.encode(state)
            return self._sealer.seal(head, payload)
        except TooLargeError as fault:
            raise EncodeError(f"{fault.reason}; most of it is {self._codec.heaviest(state)}") from None

    def open(self, token: str) -> OpenTrack:
        sealed = self._sealer.open(token)
        age = self._clock() - sealed.head.issued
        if not -_CLOCK_SKEW <= age <= self._max_age:
            raise StateError(f"expired: more than {self._max_age / 3600:g} hours old; start the track anew")
        return OpenTrack(
            shape_type=sealed.head.shape_type,
            image_size=sealed.head.image_size,
            size=sealed.size,
            load=lambda: self._load(sealed),
        )

    def renew(self, token: str, track: Track, state: Any) -> str:
        return self.issue(track, state)

    def _load(self, sealed: Sealed) -> tuple[Track, Any]:
        payload = sealed.payload()
        start = 4 + int.from_bytes(payload[:4], "little")
        track = Track(
            shape_type=sealed.head.shape_type,
            image_size=sealed.head.image_size,
            typed=sealed.head.typed,
            points=_points(payload[4:start]),
        )
        return track, self._codec.decode(payload[start:])


def _points(data: bytes) -> list[float]:
    points = _POINTS.decode(data)
    if type(points) is not list or not {float}.issuperset(map(type, points)):
        raise DecodeError("damaged")
    return points
