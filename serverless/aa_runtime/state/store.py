"""Where tracking states live between two frames: in tokens that the client carries."""

import struct
import time
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import attrs

from aa_runtime.state.budget import Cost
from aa_runtime.state.codec import Codec, Encoded
from aa_runtime.state.faults import DecodeError, EncodeError, StateError, TooLargeError
from aa_runtime.state.token import Head, Sealer
from aa_runtime.state.wire import cost_of

#: Clocks of replicas differ a little.
CLOCK_SKEW: Final = 300
#: How many points follow, as float64.
_POINTS: Final = struct.Struct("<I")


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


class OpenTrack(NamedTuple):
    """A token that was found to be good, but for its state, which is not decoded yet."""

    shape_type: str
    image_size: tuple[int, int]
    cost: Cost
    """What `load` takes."""
    load: Callable[[], tuple[Track, Any]]
    """The track and the state. StateError when the state makes no sense."""


class TokenStore:
    """States travel with the client: any worker of any replica can go on, and nothing stays behind here."""

    def __init__(self, codec: Codec, sealer: Sealer, max_age: float, clock: Callable[[], float] = time.time) -> None:
        self._codec = codec
        self._sealer = sealer
        self._max_age = max_age
        self._clock = clock

    def issue(self, track: Track, state: Any) -> str:
        """EncodeError names the part of the state that has no encoding, or the limit that it exceeds."""
        head = Head(track.shape_type, track.image_size, track.typed, int(self._clock()))
        try:
            encoded = self._codec.encode(state)
            return self._sealer.seal(head, write_points(track.points) + encoded.rows, encoded.bulk)
        except TooLargeError as fault:
            raise EncodeError(f"{fault.reason}; most of it is {self._codec.heaviest(state)}") from None

    def open(self, token: str) -> OpenTrack:
        """The track in a token, not decoded yet. StateError where it is damaged, forged, expired or another's."""
        sealed = self._sealer.open(token)
        head = sealed.head
        age = self._clock() - head.issued
        if not -CLOCK_SKEW <= age <= self._max_age:
            raise StateError(f"expired: more than {self._max_age / 3600:g} hours old; start the track anew")
        points, rows = _read_points(sealed.body)

        def load() -> tuple[Track, Any]:
            track = Track(shape_type=head.shape_type, image_size=head.image_size, typed=head.typed, points=points)
            return track, self._codec.decode(Encoded(rows, sealed.bulk))

        return OpenTrack(head.shape_type, head.image_size, cost_of(rows), load)

    def renew(self, token: str, track: Track, state: Any) -> str:
        """A new token: the old one says what was."""
        return self.issue(track, state)


def write_points(points: list[float]) -> bytes:
    """What comes before a state."""
    return _POINTS.pack(len(points)) + struct.pack(f"<{len(points)}d", *points)


def _read_points(body: bytes) -> tuple[list[float], bytes]:
    """The points, and what comes after them."""
    if len(body) < _POINTS.size:
        raise DecodeError("damaged")
    (count,) = _POINTS.unpack_from(body)
    end = _POINTS.size + 8 * count
    if end > len(body):
        raise DecodeError("damaged")
    return list(struct.unpack_from(f"<{count}d", body, _POINTS.size)), body[end:]
