"""Bytes ↔ one ASCII token: compressed, bound to the function, authenticated.

    "aa1" | "k" or "c" | base64 of (head, payload) | tag

`k`: the tag is HMAC-SHA256 under a key of the deployment. `c`: there is no key, and the tag is a checksum: it
tells damage and tokens of other functions, not forgery. The tag covers the text, so that a changed token is
refused before anything in it is decoded. Standard base64: JSON escapes none of its characters, and it is both
faster than base85 in Python (30 times) and smaller than what JSON makes of raw bytes.
"""

import binascii
import hmac
import struct
import zlib
from collections.abc import Sequence
from typing import Final

import attrs

from aa_runtime.state.compression import Compressor, decompress
from aa_runtime.state.faults import StateError, TooLargeError

_KEYED: Final = "aa1k"
_CHECKED: Final = "aa1c"
_KEYED_TAG: Final = 20  # characters: 15 bytes
_CHECKED_TAG: Final = 8
#: Function, flags, shape type, time of issue in seconds, image width and height, bytes of the payload.
_HEAD: Final = struct.Struct("<8sBBIIII")
_COMPRESSED: Final = 1
_TYPED: Final = 2
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


@attrs.frozen(kw_only=True)
class Head:
    """What can be known of a token without decoding its payload."""

    shape_type: str
    image_size: tuple[int, int]
    typed: bool
    issued: int
    """Seconds since 1970."""


@attrs.frozen
class Sealed:
    """A token whose tag is right. `payload()` raises StateError when it does not unpack to `size` bytes."""

    head: Head
    size: int
    _packed: bytes
    _compressed: bool

    def payload(self) -> bytes:
        data = decompress(self._packed, self.size) if self._compressed else self._packed
        if data is None or len(data) != self.size:
            raise StateError(_DAMAGED)
        return data


class Sealer:
    """Makes and opens the tokens of one function.

    `identity`: 8 bytes that differ between functions. `keys`: the first one seals, all of them open, so that
    a key can be replaced while tokens under the old one are still about. `max_chars`, `max_bytes`: of a
    token, and of the payload in it.
    """

    def __init__(self, identity: bytes, keys: Sequence[bytes], max_chars: int, max_bytes: int) -> None:
        self._identity = identity
        self._keys = tuple(keys)
        self._max_chars = max_chars
        self._max_bytes = max_bytes
        self._compress = Compressor()

    def seal(self, head: Head, payload: bytes) -> str:
        """TooLargeError when the payload is too large even after compression."""
        packed = self._compress(payload)
        text = self._text(head, payload, packed)
        if len(text) > self._max_chars and packed is None:
            text = self._text(head, payload, self._compress(payload, force=True))
        if len(text) > self._max_chars or len(payload) > self._max_bytes:
            raise TooLargeError(
                f"{len(text)} characters as a token, {len(payload)} bytes before compression; "
                f"at most {self._max_chars} and {self._max_bytes} are accepted"
            )
        return text

    def open(self, token: str) -> Sealed:
        """StateError when the token is damaged, forged, too large or another function's."""
        if len(token) > self._max_chars:
            raise StateError(f"{len(token)} characters; at most {self._max_chars} are accepted")
        body = self._authentic(token)
        if len(body) < _HEAD.size:
            raise StateError(_DAMAGED)
        identity, flags, shape, issued, width, height, size = _HEAD.unpack_from(body)
        if identity != self._identity:
            raise StateError("made by another function, or by another version of this one")
        if flags & ~(_COMPRESSED | _TYPED) or shape >= len(_SHAPE_TYPES):
            raise StateError(_DAMAGED)
        if size > self._max_bytes:
            raise StateError(f"{size} bytes; at most {self._max_bytes} are accepted")
        head = Head(
            shape_type=_SHAPE_TYPES[shape],
            image_size=(width, height),
            typed=bool(flags & _TYPED),
            issued=issued,
        )
        return Sealed(head, size, body[_HEAD.size :], bool(flags & _COMPRESSED))

    def _text(self, head: Head, payload: bytes, packed: bytes | None) -> str:
        flags = (_COMPRESSED if packed is not None else 0) | (_TYPED if head.typed else 0)
        shape = _SHAPE_TYPES.index(head.shape_type)
        numbers = (flags, shape, head.issued, *head.image_size, len(payload))
        body = _HEAD.pack(self._identity, *numbers) + (payload if packed is None else packed)
        signed = (_KEYED if self._keys else _CHECKED).encode() + binascii.b2a_base64(body, newline=False)
        tag = _keyed_tag(self._keys[0], signed) if self._keys else _checksum(signed)
        return (signed + tag).decode("ascii")

    def _authentic(self, token: str) -> bytes:
        """The body of a token whose tag is right."""
        try:
            text = token.encode("ascii")
        except UnicodeEncodeError:
            raise StateError(_DAMAGED) from None
        prefix = _KEYED if self._keys else _CHECKED
        if not token.startswith(prefix):
            raise StateError(_prefix_fault(token))
        end = len(text) - (_KEYED_TAG if self._keys else _CHECKED_TAG)
        signed, tag = text[:end], text[end:]
        if self._keys:
            right = any(hmac.compare_digest(_keyed_tag(key, signed), tag) for key in self._keys)
        else:
            right = _checksum(signed) == tag
        if not right:
            raise StateError(_DAMAGED)
        try:
            return binascii.a2b_base64(signed[len(prefix) :], strict_mode=True)
        except ValueError:
            raise StateError(_DAMAGED) from None


def _keyed_tag(key: bytes, signed: bytes) -> bytes:
    return binascii.b2a_base64(hmac.digest(key, signed, "sha256")[:15], newline=False)


def _checksum(signed: bytes) -> bytes:
    return b"%08x" % zlib.crc32(signed)


def _prefix_fault(token: str) -> str:
    if token.startswith(_CHECKED):
        return "made where no key was set; this worker has one"
    if token.startswith(_KEYED):
        return "made where a key was set; this worker has none"
    return _DAMAGED
