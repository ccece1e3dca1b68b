import array
import io
import math
import sys
from collections import deque
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


class Storage:
    def nbytes(self) -> int:
        return 1_000_000

    def data_ptr(self) -> int:
        return 4096


class View(Tensor):
    """A tensor of one number that keeps a megabyte."""

    device = "cuda:0"

    def numel(self) -> int:
        return 1

    def untyped_storage(self) -> Storage:
        return Storage()


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
        BIG[:1],
        BIG.reshape(1000, 1000)[3:, 4:][:1],
        [BIG[:10], BIG[10:20], BIG],
        np.frombuffer(bytes(1_000_000), np.uint8)[5:9],
        np.frombuffer(bytearray(1_000_000), np.uint8)[5:9],
        np.broadcast_to(BIG, (1000, 1_000_000)),
        View(),
        [View(), View(), View()],
        memoryview(bytes(1_000_000))[:1],
        memoryview(BIG)[:1],  # type: ignore[arg-type]
        array.array("B", [0]) * 1_000_000,
        io.BytesIO(bytes(1_000_000)),
        deque([BIG]),
        np.asarray(PIL.Image.new("L", (1000, 1000)))[:1],
        SimpleNamespace(file=PIL.Image.new("L", (1, 1)), attached=PIL.Image.new("L", (1000, 1000))),
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


def test_what_has_too_many_objects_to_measure_is_not_kept() -> None:
    many = [[BIG]] + [object() for _ in range(20_000)]
    assert size_of(many) == math.inf
    assert size_of(np.array(many, object)) == math.inf
    cache: Cache[Any] = Cache(4, 10**9)
    cache.put(b"a", many)
    assert (len(cache), cache.used) == (0, 0)


def test_a_crop_is_an_image_of_its_own() -> None:
    assert size_of(PIL.Image.new("L", (5000, 5000)).crop((0, 0, 9, 9))) < 1000


def test_an_image_keeps_the_file_that_it_may_read_again() -> None:
    frames = [PIL.Image.fromarray(np.random.default_rng(i).integers(0, 255, (200, 200), np.uint8)) for i in (0, 1)]
    stream = io.BytesIO()
    frames[0].save(stream, "GIF", save_all=True, append_images=frames[1:])
    image = PIL.Image.open(io.BytesIO(stream.getvalue()))
    image.load()
    assert size_of(image) > 200 * 200 + len(stream.getvalue())


def test_measuring_a_file_copies_nothing_and_leaves_its_place() -> None:
    file = io.BytesIO(bytes(1000))
    file.seek(5)
    before = sys.getsizeof(file)
    assert 1000 <= size_of(file) < 2000
    assert (file.tell(), sys.getsizeof(file)) == (5, before)
    file.close()
    assert size_of(file) < 1000


def test_a_cache_holds_no_more_than_its_bytes_whatever_the_views() -> None:
    cache: Cache[Any] = Cache(100, 1_000_000)
    for number in range(100):
        cache.put(bytes([number]), np.zeros(4_000_000, np.uint8)[:10])
    assert len(cache) == 0
