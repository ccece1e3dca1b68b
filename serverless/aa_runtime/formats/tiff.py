"""TIFF: tags are read in Python, tiles may be larger than the image, and strips may share what they unpack."""

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from aa_runtime.formats.jpeg import SCANS
from aa_runtime.formats.limits import TILE_PIXELS, TooCostly, at_most

#: In one directory. Cameras' raw files have some hundred.
TAGS: Final = 1000
#: Values of one tag: three for each of 65,536 colours are the most that a picture needs.
VALUES: Final = 3 * 2**16
#: Each is a fraction, made in Python in two microseconds.
RATIONALS: Final = 1000
#: Directories within each other: Pillow looks for that of interoperability in EXIF's.
DEPTH: Final = 2
#: Strips or tiles.
PIECES: Final = 2**16
#: None, CCITT (three), LZW (CVAT's own), JPEG, deflate (two), PackBits. Left out: JPEG of before 1995, whose reader
#: libtiff warns of; LZMA, whose files say how much memory they take; and what few programs write.
COMPRESSIONS: Final = frozenset({1, 2, 3, 4, 5, 7, 8, 32773, 32946})

_NONE, _JPEG = 1, 7
_WIDTH, _LENGTH, _COMPRESSION, _TILE_WIDTH, _TILE_LENGTH = 256, 257, 259, 322, 323
#: Offsets and byte counts of strips and of tiles.
_PIECES: Final = ((273, 279), (324, 325))
_DIRECTORIES: Final = frozenset({34665, 34853, 40965})
#: Bytes of each type of value, and the letter that `struct` has for the unsigned integers.
_TYPES: Final = {
    1: (1, "B"),
    2: (1, ""),
    3: (2, "H"),
    4: (4, "I"),
    5: (8, ""),
    6: (1, ""),
    7: (1, ""),
    8: (2, ""),
    9: (4, ""),
    10: (8, ""),
    11: (4, ""),
    12: (8, ""),
    13: (4, "I"),
    16: (8, "Q"),
    17: (8, ""),
    18: (8, "Q"),
}
_BYTES, _FRACTIONS = (1, 2, 6, 7), (5, 10)


class Tag(NamedTuple):
    """One entry of a directory."""

    number: int
    kind: int
    amount: int
    start: int
    """Where its values are."""


class Reader:
    """The directories of a file."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._order = "<" if data[:2] == b"II" else ">"
        self._big = data[2:4] == b"+\0"

    def first(self) -> dict[int, Tag]:
        """The directory of the first picture."""
        return self.directory(*self._unpack("Q", 8) if self._big else self._unpack("I", 4))

    def directory(self, start: int) -> dict[int, Tag]:
        """The tags of a directory. ValueError for a tag that comes twice, since readers do not agree which counts."""
        tags: dict[int, Tag] = {}
        for tag in self._entries(start):
            if tag.number in tags:
                raise ValueError(f"tag {tag.number} comes twice")
            tags[tag.number] = tag
        return tags

    def values(self, tag: Tag) -> tuple[int, ...]:
        """What a tag of whole numbers holds."""
        letter = _TYPES[tag.kind][1]
        if not letter:
            raise ValueError(f"tag {tag.number} is no whole number")
        return self._unpack(f"{tag.amount}{letter}", tag.start)

    def _entries(self, start: int) -> Iterator[Tag]:
        head, entry, room = ("Q", "HHQ", 8) if self._big else ("H", "HHI", 4)
        (count,) = self._unpack(head, start)
        at_most(count, TAGS, "tags of a TIFF")
        for index in range(count):
            at = start + struct.calcsize("=" + head) + index * (struct.calcsize("=" + entry) + room)
            number, kind, values = self._unpack(entry, at)
            inline = at + struct.calcsize("=" + entry)
            if kind not in _TYPES:
                continue
            outside = values * _TYPES[kind][0] > room
            place = self._unpack("Q" if self._big else "I", inline)[0] if outside else inline
            yield Tag(number, kind, values, place)

    def _unpack(self, form: str, start: int) -> tuple[int, ...]:
        return struct.unpack_from(self._order + form, self._data, start)


def check(data: bytes) -> None:
    """TooCostly for too many tags, values, strips or tiles, for a tile far larger than the image, for strips that share
    their bytes, and for compressions that are not read."""
    reader = Reader(data)
    tags = reader.first()
    _check_values(tags)
    _check_inner(reader, tags, DEPTH)
    one = {
        n: reader.values(tags[n])[0] for n in (_WIDTH, _LENGTH, _COMPRESSION, _TILE_WIDTH, _TILE_LENGTH) if n in tags
    }
    compression, pixels = one.get(_COMPRESSION, _NONE), one[_WIDTH] * one[_LENGTH]
    if compression not in COMPRESSIONS:
        raise TooCostly(f"a TIFF of compression {compression}, which is not read")
    at_most(one.get(_TILE_WIDTH, 0) * one.get(_TILE_LENGTH, 0), max(4 * pixels, TILE_PIXELS), "pixels of a TIFF's tile")
    pieces = _check_pieces(reader, tags, compression, len(data))
    if compression == _JPEG:
        at_most(data.count(b"\xff\xda"), SCANS + pieces, "scans of a TIFF")


def _check_inner(reader: Reader, tags: dict[int, Tag], depth: int) -> None:
    """The directories within, all of whose values are read."""
    for number in _DIRECTORIES & set(tags) if depth else ():
        inner = reader.directory(reader.values(tags[number])[0])
        _check_values(inner)
        at_most(
            sum(tag.amount for tag in inner.values() if tag.kind in _FRACTIONS), RATIONALS, "fractions of a TIFF's EXIF"
        )
        amount = sum(tag.amount for tag in inner.values() if tag.kind not in _BYTES)
        at_most(amount, VALUES, "values of a TIFF's EXIF")
        _check_inner(reader, inner, depth - 1)


def _check_values(tags: dict[int, Tag]) -> None:
    for tag in tags.values():
        if tag.kind not in _BYTES:
            at_most(tag.amount, RATIONALS if tag.kind in _FRACTIONS else VALUES, f"values of a TIFF's tag {tag.number}")


def _check_pieces(reader: Reader, tags: dict[int, Tag], compression: int, size: int) -> int:
    """How many strips or tiles there are."""
    pieces = 0
    for offsets, counts in _PIECES:
        if offsets not in tags:
            continue
        pieces += tags[offsets].amount
        at_most(tags[offsets].amount, PIECES, "strips or tiles of a TIFF")
        if compression == _NONE:
            continue
        if counts not in tags or tags[counts].amount != tags[offsets].amount:
            raise ValueError("strips without their sizes")
        at_most(sum(reader.values(tags[counts])), size, "bytes of a TIFF's strips together")
    return pieces
