"""Bytes ↔ one ASCII token: bound to the function, authenticated.

    base64 of (prefix, head, body, bulk, tag); the prefix reads "aa4k" or "aa4c" in the text

`k`: the tag is HMAC-SHA256 under a key of the deployment. `c`: there is no key, and the tag is a checksum: it
tells damage and tokens of other functions, not forgery. The tag covers all bytes before it, so that nothing of a
changed token but its base64 is decoded. Standard base64: JSON escapes none of its characters, and it is both
faster than base85 in Python (30 times) and smaller than what JSON makes of raw bytes. The number in the prefix
goes up with every change of the format, here or in the codec: no worker reads another version's tokens.
"""

import binascii
import hmac
import re
import struct
import zlib
from collections.abc import Sequence
from typing import Final, NamedTuple

from aa_runtime.state.faults import StateError, TooLargeError

_KEYED: Final = "aa4k"
_CHECKED: Final = "aa4c"
_OTHER_VERSION: Final = re.compile(r"aa[0-9][kc]")
_KEYED_TAG: Final = 15
_CHECKED_TAG: Final = 4
#: Prefix, function, whether shapes are typed, shape type, time of issue in seconds, image width and height, bytes of
#: the body.
_HEAD: Final = struct.Struct("<3s8sBBIIII")
#: In the order of their numbers in a token: append only.
_SHAPE_TYPES: Final = (
    "rectangle",
    "polygon",
    "polyline",
    "points",
    "ellipse",
    "cuboid",
    "mask",
    "skeleton",
)
_DAMAGED: Final = "damaged, or not made by this function"


class Head(NamedTuple):
    """What can be known of a token without decoding its payload."""

    shape_type: str
    image_size: tuple[int, int]
    typed: bool
    issued: int
    """Seconds since 1970."""


class Sealed(NamedTuple):
    """A token whose tag is right."""

    head: Head
    body: bytes
    bulk: bytes


class Sealer:
    """Makes and opens the tokens of one function.

    `identity`: 8 bytes that differ between functions. `keys`: the first one seals, all of them open, so that
    a key can be replaced while tokens under the old one are still about. `max_chars`: of a token.
    """

    def __init__(self, identity: bytes, keys: Sequence[bytes], max_chars: int) -> None:
        self._identity = identity
        # Copies of prepared ones: `hmac.digest` has OpenSSL look its algorithm up for each token.
        self._macs = [hmac.new(key, digestmod="sha256") for key in keys]
        self._prefix = _KEYED if keys else _CHECKED
        self._magic = binascii.a2b_base64(self._prefix)
        self._tag_size = _KEYED_TAG if keys else _CHECKED_TAG
        self._max_chars = max_chars

    def seal(self, head: Head, body: bytes, bulk: bytes) -> str:
        """The token. TooLargeError when it gets too long."""
        shape = _SHAPE_TYPES.index(head.shape_type)
        sizes = (*head.image_size, len(body))
        fixed = _HEAD.pack(self._magic, self._identity, head.typed, shape, head.issued, *sizes)
        chars = -(-(len(fixed) + len(body) + len(bulk) + self._tag_size) // 3) * 4
        if chars > self._max_chars:
            raise TooLargeError(f"{chars} characters as a token; at most {self._max_chars} are accepted")
        signed = b"".join((fixed, body, bulk))
        tag = _keyed_tag(self._macs[0], signed) if self._macs else _checksum(signed)
        return binascii.b2a_base64(signed + tag, newline=False).decode("ascii")

    def open(self, token: str) -> Sealed:
        """StateError when the token is damaged, forged, too large or another function's."""
        if len(token) > self._max_chars:
            raise StateError(f"{len(token)} characters; at most {self._max_chars} are accepted")
        data = self._authentic(token)
        end = len(data) - self._tag_size
        if end < _HEAD.size:
            raise StateError(_DAMAGED)
        _, identity, typed, shape, issued, width, height, length = _HEAD.unpack_from(data)
        if identity != self._identity:
            raise StateError("made by another function, or by another version of this one")
        start = _HEAD.size + length
        if typed > 1 or shape >= len(_SHAPE_TYPES) or start > end:
            raise StateError(_DAMAGED)
        head = Head(_SHAPE_TYPES[shape], (width, height), bool(typed), issued)
        return Sealed(head, data[_HEAD.size : start], data[start:end])

    def _authentic(self, token: str) -> bytes:
        """The bytes of a token whose tag is right."""
        if not token.startswith(self._prefix):
            raise StateError(_prefix_fault(token))
        try:
            data = binascii.a2b_base64(token, strict_mode=True)
        except ValueError:
            raise StateError(_DAMAGED) from None
        signed, tag = data[: -self._tag_size], data[-self._tag_size :]
        if not self._is_right(signed, tag) or not _is_canonical(token, data):
            raise StateError(_DAMAGED)
        return data

    def _is_right(self, signed: bytes, tag: bytes) -> bool:
        if self._macs:
            return any(hmac.compare_digest(_keyed_tag(mac, signed), tag) for mac in self._macs)
        return _checksum(signed) == tag


def _keyed_tag(mac: hmac.HMAC, signed: bytes) -> bytes:
    mac = mac.copy()
    mac.update(signed)
    return mac.digest()[:_KEYED_TAG]


def _checksum(signed: bytes) -> bytes:
    return zlib.crc32(signed).to_bytes(_CHECKED_TAG, "little")


def _is_canonical(token: str, data: bytes) -> bool:
    # Where base64 ends in "=", bits of the character before it are in no byte, so that no tag covers them.
    return token[-1] != "=" or token.endswith(binascii.b2a_base64(data[-(len(data) % 3) :], newline=False).decode())


def _prefix_fault(token: str) -> str:
    if token.startswith(_CHECKED):
        return "made where no key was set; this worker has one"
    if token.startswith(_KEYED):
        return "made where a key was set; this worker has none"
    if _OTHER_VERSION.match(token):
        return "made by another version of the runtime; start the track anew"
    return _DAMAGED
