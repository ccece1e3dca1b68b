"""The tokens that cost a worker most for their length: `python -m tools.worst_states` searches for them.

Without `AA_STATE_KEY` anybody can write tokens, and does not have to keep to what our own writer would write. The
search makes rows of every tag, alone and within others, first those that a reader of the code would think of, then
at random, keeps the slowest, and changes them. Each is repeated until the token is `SIZE` characters long. Time is
processor time of `open` and `load`, the least of three; the honest token is of the same length.
"""

import argparse
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

import attrs
import numpy as np

with suppress(ImportError):
    import torch  # noqa: F401 - states of tensors are tried where it is installed

from aa_runtime.state import BudgetError, ClassTable, Codec, DecodeError, Sealer, StateError, TokenStore, Track, tags
from aa_runtime.state.store import write_points
from aa_runtime.state.token import Head
from aa_runtime.state.wire import pack

SIZE = 2**16
FLAT = tags.FLAT
HEAD = Head("rectangle", (100, 100), True, 1_700_000_000)


@attrs.define
class Box:
    """An object of the function's, as an honest state has them."""

    corners: Any
    score: Any = 0.5
    note: Any = None


@attrs.frozen
class Cell:
    """One that can be a key."""

    at: Any


TABLE = ClassTable([Box, Cell])
STORE = TokenStore(Codec(TABLE), Sealer(b"function", [], 2**30), 1e9, lambda: HEAD.issued)


@attrs.frozen
class Part:
    """A piece of a token: tags, scalars, bytes of the bulk."""

    tags: tuple[int, ...] = ()
    scalars: tuple[Any, ...] = ()
    bulk: bytes = b""

    def __add__(self, other: "Part") -> "Part":
        return Part(self.tags + other.tags, self.scalars + other.scalars, self.bulk + other.bulk)

    def times(self, count: int) -> "Part":
        """That many of it."""
        return Part(self.tags * count, self.scalars * count, self.bulk * count)


def flat(tag: int, *scalars: Any, bulk: bytes = b"") -> Part:
    """A node whose parts are scalars."""
    return Part((tag | FLAT,), (len(scalars), *scalars), bulk)


def node(tag: int, *parts: Part) -> Part:
    """A node of other nodes, or of scalars with tags of their own."""
    whole = Part((tag,), (len(parts),))
    for part in parts:
        whole += part
    return whole


def scalar(value: Any) -> Part:
    return Part((tags.SCALAR,), (value,))


def token(parts: Part, classes: Sequence[Any] = ()) -> str:
    """A token of these parts; `classes` are its table."""
    rows = pack(bytes(parts.tags), [*(classes or _classes()), *parts.scalars])
    return STORE._sealer.seal(HEAD, write_points([1.0, 2.0, 3.0, 4.0]) + rows, parts.bulk)


def repeated(unit: Part, size: int = SIZE) -> str:
    """The unit again and again in one list, to a token of about `size` characters."""
    empty, hundred = len(token(_row(unit, 0))), len(token(_row(unit, 100)))
    return token(_row(unit, max(1, int((size - empty) / max(1, hundred - empty) * 100))))


def crafted() -> Iterator[tuple[str, Part]]:
    """What a reader of the code would think of."""
    for tag in (tags.LIST, tags.TUPLE, tags.SET, tags.DICT, tags.ORDERED_DICT):
        yield f"an empty {_name(tag)}", flat(tag)
    yield "an empty deque", flat(tags.DEQUE, None)
    yield "a list and a reference to it", flat(tags.LIST) + flat(tags.REFERENCE, 0)
    yield "null with a tag", scalar(None)
    yield "a list of 100 nulls", flat(tags.LIST, *[None] * 100)
    yield "a set of four integers of one hash", flat(tags.SET, *[index * (2**61 - 1) for index in range(4)])
    yield "a dict of 100 integers", flat(tags.DICT, *range(100), *range(100))
    yield "a dict of objects with a hash", node(tags.DICT, flat(tags.VALUE, 1, 1), flat(tags.VALUE, 1, 2))
    yield "an object", flat(tags.OBJECT, 0, None, None, None)
    yield "an object with a hash", flat(tags.VALUE, 1, None)
    yield "an array of nothing", flat(tags.ARRAY, "|u1", "C", 0)
    yield "an array of a byte", flat(tags.ARRAY, "|u1", "C", 1, bulk=b"1")
    yield "an array of a byte in 16 dimensions", flat(tags.ARRAY, "|u1", "F", *[1] * 16, bulk=b"1")
    yield "a numpy scalar", flat(tags.NUMBER, "|u1", bulk=b"1")
    yield "zeros in one array", flat(tags.ARRAY, "|u1", "C", 2**16, bulk=bytes(2**16))
    if "torch" in sys.modules:
        yield "a tensor of nothing", flat(tags.TENSOR, "bool", "cpu", 0)
        yield "a tensor of a byte", flat(tags.TENSOR, "bool", "cpu", 1, bulk=b"1")
    deep = flat(tags.LIST)
    for _ in range(98):
        deep = node(tags.LIST, deep)
    yield "98 lists in each other", deep


def any_part(generator: random.Random, leaves: Sequence[Part], depth: int = 3) -> Part:
    """A part at random: what others found, scalars, and nodes of those."""
    choice = generator.randrange(4) if depth else generator.randrange(2)
    if choice == 0:
        return generator.choice(leaves)
    if choice == 1:
        return scalar(generator.choice([None, 0, -1, 1.5, "", "a", b"", 2**60]))
    tag = generator.choice([tags.LIST, tags.TUPLE, tags.SET, tags.DICT, tags.ORDERED_DICT, tags.NAMED_TUPLE])
    parts = [any_part(generator, leaves, depth - 1) for _ in range(generator.randrange(5))]
    if tag == tags.NAMED_TUPLE:  # an object instead, whose first part is its class
        return node(tags.VALUE, scalar(1), *parts[:1]) if parts else flat(tags.VALUE, 1, None)
    return node(tag, *parts)


@attrs.frozen
class Found:
    """A token, and what it took."""

    name: str
    chars: int
    values: int
    nodes: int
    seconds: float
    refused: str = ""

    @property
    def per_char(self) -> float:
        return self.seconds / self.chars


def tried(name: str, text: str) -> Found:
    """Opens and decodes a token three times."""
    seconds, refused = [], ""
    for _ in range(3):
        begun = time.process_time()
        try:
            opened = STORE.open(text)
            opened.load()
        except StateError as fault:
            refused = str(fault)
        seconds.append(time.process_time() - begun)
    cost = STORE.open(text).cost
    return Found(name, len(text), cost.values, cost.nodes, min(seconds), refused)


def honest() -> Iterator[Found]:
    """Tokens of our own writer, of about `SIZE` characters, whose parts are as small as trackers' parts are."""
    generator = np.random.default_rng(1)
    states: dict[str, Callable[[int], Any]] = {
        "objects with a box of four floats": lambda n: [Box((1.5, 2.5, 3.5, i + 0.5), 0.5, "seen") for i in range(n)],
        "dicts of a few numbers": lambda n: [{"x": i + 0.5, "y": 2.5, "frame": i} for i in range(n)],
        "arrays of 8 float32": lambda n: [generator.random(8, np.float32) for _ in range(n)],
        "one array of float32": lambda n: generator.random(20 * n, np.float32),
    }
    track = Track(shape_type="rectangle", image_size=(100, 100), typed=True, points=[1.0, 2.0, 3.0, 4.0])
    for name, make in states.items():
        count = int(100 * SIZE / len(STORE.issue(track, make(100))))
        yield tried(name, STORE.issue(track, make(count)))


def search(rounds: int, seed: int) -> list[Found]:
    """The worst first."""
    generator = random.Random(seed)  # noqa: S311
    units = dict(crafted())
    found = [tried(name, repeated(unit)) for name, unit in units.items()]
    leaves = list(units.values())
    for number in range(rounds):
        unit = any_part(generator, leaves)
        try:
            result = tried(f"random {number}: {describe(unit)}", repeated(unit))
        except (DecodeError, BudgetError):
            continue
        if result.per_char > sorted(one.per_char for one in found)[-5] and len(unit.tags) < 200:
            leaves.append(unit)
        found.append(result)
    return sorted(found, key=lambda one: -one.per_char)


def describe(unit: Part) -> str:
    """The tags of a part, by name."""
    return " ".join(map(_name, unit.tags[:8]))


def main() -> None:
    """Prints the table of the docs."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=300, help="units at random (300)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rows", type=int, default=10)
    options = parser.parse_args()
    ours = list(honest())
    slowest = max(ours, key=lambda one: one.per_char)
    print(f"| token of {SIZE} characters | values | nodes | ms | × the slowest honest |\n|---|---|---|---|---|")
    for kind, rows in (("honest", ours), ("hostile", search(options.rounds, options.seed)[: options.rows])):
        for one in rows:
            ratio = one.per_char / slowest.per_char
            what = f"{kind}: {one.name}{' (refused)' if one.refused else ''}"
            print(f"| {what} | {one.values} | {one.nodes} | {one.seconds * 1000:.1f} | {ratio:.1f} |")


def _name(tag: int) -> str:
    return next(name.lower() for name, value in vars(tags).items() if name.isupper() and value == tag & ~FLAT)


def _row(unit: Part, count: int) -> Part:
    return Part((tags.LIST,), (count,)) + unit.times(count)


def _classes() -> list[Any]:
    known = [TABLE.find(Box), TABLE.find(Cell)]
    row: list[Any] = [len(known)]
    for one in known:
        assert one is not None  # noqa: S101
        row += [one.name, len(one.fields), *one.fields]
    return row


if __name__ == "__main__":
    main()
