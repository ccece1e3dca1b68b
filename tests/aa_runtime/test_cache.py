from types import SimpleNamespace
from typing import Any

import attrs
import numpy as np
import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aa_runtime.cache import Cache, size_of


@given(
    st.integers(0, 4),
    st.integers(0, 5000),
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 4000), st.booleans()), max_size=40),
)
def test_stays_within_its_bounds(entries: int, size: int, steps: list[tuple[int, int, bool]]) -> None:
    cache: Cache[Any] = Cache(entries, size)
    put: dict[bytes, np.ndarray] = {}
    for number, length, read in steps:
        key = bytes([number])
        if read:
            value = cache.get(key)
            assert value is None or value is put[key]
        else:
            put[key] = np.zeros(length, np.uint8)
            cache.put(key, put[key])
            assert cache.get(key) is (put[key] if entries and length <= size else None)
        assert len(cache) <= entries
        assert cache.used <= size
    cache.clear()
    assert (len(cache), cache.used) == (0, 0)


def test_the_longest_unused_goes_first() -> None:
    cache: Cache[str] = Cache(2, 10**6)
    cache.put(b"a", "A")
    cache.put(b"b", "B")
    assert cache.get(b"a") == "A"
    cache.put(b"c", "C")
    assert (cache.get(b"a"), cache.get(b"b"), cache.get(b"c")) == ("A", None, "C")


def test_a_large_one_displaces_several() -> None:
    cache: Cache[np.ndarray] = Cache(10, 1000)
    for key in (b"a", b"b", b"c"):
        cache.put(key, np.zeros(300, np.uint8))
    cache.put(b"d", np.zeros(500, np.uint8))
    assert [key for key in (b"a", b"b", b"c", b"d") if cache.get(key) is not None] == [b"c", b"d"]


class Tensor:
    """As torch's, on any device."""

    def element_size(self) -> int:
        return 2

    def numel(self) -> int:
        return 500_000


@attrs.define
class Slotted:
    features: np.ndarray


class Module:
    def __init__(self) -> None:
        self.weights = np.zeros(10**6)

    def named_parameters(self) -> list[Any]:
        return []


BIG = np.zeros(1_000_000, np.uint8)


@pytest.mark.parametrize(
    "value",
    [
        BIG,
        BIG.reshape(1000, 1000)[:, :],
        [BIG],
        (1, {"a": [BIG]}),
        {"a": BIG, "b": BIG},
        SimpleNamespace(x=BIG),
        Slotted(BIG),
        Tensor(),
        PIL.Image.new("L", (1000, 1000)),
        PIL.Image.new("RGB", (500, 500)),
        PIL.Image.new("I;16", (1000, 500)),
        b"x" * 1_000_000,
        np.array([BIG, None], object),
        (SimpleNamespace(model=Module()), BIG, np, Tensor, len),
    ],
)
def test_measures_what_holds_a_megabyte(value: Any) -> None:
    assert 1_000_000 <= size_of(value) <= 1_010_000


def test_survives_cycles_and_odd_objects() -> None:
    loop: list[Any] = []
    loop.append(loop)

    class Odd:
        element_size = 5

        @property
        def numel(self) -> int:
            raise ValueError

    assert size_of(loop) < 1000
    assert size_of([Odd] * 3) < 1000
    assert size_of(list(range(100_000))) > 100_000
