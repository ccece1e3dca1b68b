"""Breaks bytes."""

import random
from collections.abc import Callable

_WORDS = [
    *rb'NaN -Infinity 1e308 1e999 null true [] {} "" "\ud800" "\u0000" -0 "image": "states":[null], \ ,'.split(),
    *(b"\x00", b"\xff\xfe", b"9" * 400, b"9" * 5000, b"[" * 300, b"[" * 100_000, b'{"a":' * 3000),
]


def mutated(data: bytes, chance: random.Random, words: bool = True) -> bytes:
    """A copy with a few changes; `words`: of JSON as well as of bytes."""
    changed = bytearray(data)
    for _ in range(chance.choice([1, 1, 1, 2, 4])):
        chance.choice(_CHANGES if words else _CHANGES[:-1])(changed, chance)
    return bytes(changed)


def _at(data: bytearray, chance: random.Random) -> int:
    # Half of the changes near the start: the rest of a request is mostly base64.
    return chance.randrange(min(len(data), 80) + 1) if chance.random() < 0.5 else chance.randrange(len(data) + 1)


def _flip(data: bytearray, chance: random.Random) -> None:
    if data:
        data[min(_at(data, chance), len(data) - 1)] ^= 1 << chance.randrange(8)


def _set(data: bytearray, chance: random.Random) -> None:
    if data:
        data[min(_at(data, chance), len(data) - 1)] = chance.choice(b'\x00\xff[]{}":,0-.eA=\\\n')


def _cut(data: bytearray, chance: random.Random) -> None:
    del data[_at(data, chance) :]


def _drop(data: bytearray, chance: random.Random) -> None:
    start = _at(data, chance)
    del data[start : start + chance.choice([1, 1, 4, 50])]


def _repeat(data: bytearray, chance: random.Random) -> None:
    start = _at(data, chance)
    data[start:start] = data[start : start + chance.choice([1, 8, 200])]


def _swap(data: bytearray, chance: random.Random) -> None:
    one, two = sorted((_at(data, chance), _at(data, chance)))
    data[one:two] = data[one:two][::-1]


def _alike(data: bytearray, chance: random.Random) -> None:
    """Keeps JSON whole: a digit or a character of base64 becomes another."""
    start = _at(data, chance)
    for at in range(start, min(start + 40, len(data))):
        if chr(data[at]).isalnum():
            data[at] = chance.choice(b"0123456789" if chr(data[at]).isdigit() else b"ABCDwxyz019+/")
            return


def _insert(data: bytearray, chance: random.Random) -> None:
    start = _at(data, chance)
    data[start:start] = chance.choice(_WORDS)


_CHANGES: list[Callable[[bytearray, random.Random], None]] = [
    *[_alike] * 6, _flip, _set, _cut, _drop, _repeat, _swap, _insert
]  # fmt: skip
