"""The bytes of arrays and pictures in a token: compressed where that pays, and never to very little.

zlib at level 1. Measured on states of trackers: float32 features and textured templates lose 2 to 8 % at
15 microseconds a KB, as much again as all the rest of a token costs; masks lose 97 % and padded arrays 90 %,
almost for free; higher levels gain 2 % more at twice the time.
"""

import zlib
from typing import Final

#: Bytes after decompression for each byte of a token, at the most: what is shorter is filled up with zeros. Masks
#: shrink as much. Without it a kilobyte of a stranger's could ask a worker for a megabyte.
MOST_SHRUNK: Final = 32
_LEVEL: Final = 1
_RAW_DEFLATE: Final = -15
#: Less than this is features and templates, which do not shrink, more often than masks.
_LEAST: Final = 2**14
#: Compressed where a few samples lose at least a quarter.
_PAYS: Final = 0.75
_SAMPLE: Final = 2**11
_SAMPLES: Final = 4


def compress(data: bytes) -> bytes | None:
    """The compressed bytes, or None where the data had better stay as they are."""
    if len(data) < _LEAST:
        return None
    sample = _sample(data)
    if len(_deflate(sample)) > _PAYS * len(sample):
        return None
    return _deflate(data).ljust(-(-len(data) // MOST_SHRUNK), b"\0")


def decompress(data: bytes, size: int) -> bytes | None:
    """The `size` bytes that were compressed, or None when it is not exactly those: never more memory than that,
    whatever the data claim."""
    if size > MOST_SHRUNK * len(data):
        return None
    inflate = zlib.decompressobj(_RAW_DEFLATE)
    try:
        made = inflate.decompress(data, size + 1)
    except zlib.error:
        return None
    filling = inflate.unused_data.strip(b"\0")
    return made if inflate.eof and not filling and len(made) == size else None


def _deflate(data: bytes) -> bytes:
    return zlib.compress(data, _LEVEL, _RAW_DEFLATE)


def _sample(data: bytes) -> bytes:
    step = len(data) // _SAMPLES
    return b"".join(data[start : start + _SAMPLE] for start in range(0, step * _SAMPLES, step))
