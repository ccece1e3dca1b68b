"""Bytes that nobody's encoder made: refused cleanly, quickly and without taking memory."""

import struct
import tracemalloc
from contextlib import suppress
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aa_runtime.state import Codec, DecodeError, tags
from aa_runtime.state.wire import pack

FAST = settings(max_examples=300, deadline=None)
MARKS = [tag.mark for tag in tags.BY_CODE.values()]


def row(*parts: Any, classes: tuple[str, ...] = ()) -> bytes:
    return pack([len(classes), *classes, *(part.mark if isinstance(part, tags.Tag) else part for part in parts)])


@FAST
@given(st.binary(max_size=200))
def test_random_bytes(codec: Codec, data: bytes) -> None:
    with suppress(DecodeError):
        codec.decode(data)


scalars = st.none() | st.booleans() | st.integers(-3, 9) | st.integers() | st.text() | st.binary() | st.floats()
dtypes = st.sampled_from(["<f4", ">i2", "|O", "|V8", "<U0", "<U3", "|S0", "<M8[ns]", "<M8[x]", "f4,f4", "<f3", "|b1"])
modes = st.sampled_from(["RGB", "1", "P", "L", "I;16", "nonsense", "BGR;15"])
tensors = st.sampled_from(["float32", "bfloat16", "Tensor", "load", "__class__", "quint8", "cpu", "cuda"])


@FAST
@given(
    st.lists(
        st.sampled_from(MARKS) | st.integers(0, 6) | scalars | dtypes | modes | tensors | st.sampled_from("BdfhiqCF"),
        max_size=40,
    ),
    st.integers(0, 9),
)
def test_random_rows_of_sensible_parts(codec: Codec, shelf: ModuleType, parts: list[Any], count: int) -> None:
    names = [known.name for known in codec._table._by_name.values()][:count]
    with suppress(DecodeError):
        codec.decode(pack([len(names), *names, *parts]))


@FAST
@given(st.data())
def test_flipped_cut_and_repeated_bytes(codec: Codec, shelf: ModuleType, data: st.DataObject) -> None:
    state = shelf.Plain(
        {"f": np.arange(4.0), "l": list(range(20)), "c": shelf.Corner(1), "m": shelf.Mode.ALL},
        [shelf.Attrs(shelf.Phase.SEEN), (1, {2}), np.float32(1)],
    )
    good = bytearray(codec.encode(state))
    at = data.draw(st.integers(0, len(good) - 1))
    change = data.draw(st.sampled_from(["flip", "cut", "repeat", "drop"]))
    if change == "flip":
        good[at] ^= data.draw(st.integers(1, 255))
    elif change == "cut":
        del good[at:]
    elif change == "repeat":
        good[at:at] = good[at : at + 9]
    else:
        del good[at]
    with suppress(DecodeError):
        codec.decode(bytes(good))


HUGE = [
    pytest.param(b"\xdd\xff\xff\xff\xff", id="array of 4 billion"),
    pytest.param(b"\xdd\x00\x00\x00\x01" * 5000, id="nested arrays"),
    pytest.param(b"\xdf\xff\xff\xff\xff", id="map of 4 billion"),
    pytest.param(b"\xc6\xff\xff\xff\xff", id="4 GB of bytes"),
    pytest.param(b"\xc9\xff\xff\xff\xff\x40", id="4 GB of an integer"),
    pytest.param(b"\x00\x90", id="empty array"),
    pytest.param(b"\x00\x80", id="empty map"),
    pytest.param(b"\x00\xd6\xff\x00\x00\x00\x00", id="timestamp"),
    pytest.param(row(tags.LIST, tags.ITEMS, 2**40), id="list of 2**40"),
    pytest.param(row(tags.LIST, tags.SCALAR_ITEMS, 2**70), id="list of 2**70"),
    pytest.param(row(tags.LIST, tags.ITEMS, -1), id="negative count"),
    pytest.param(row(tags.LIST, tags.ITEMS, True, 1), id="boolean count"),
    pytest.param(row(tags.LIST, tags.SCALAR_ITEMS, 1, tags.LIST), id="tag among scalars"),
    pytest.param(row(tags.LIST), id="no run"),
    pytest.param(row(tags.LIST, tags.PACKED_ITEMS, "O", b"12345678"), id="packed objects"),
    pytest.param(row(tags.LIST, tags.PACKED_ITEMS, "d", b"1234567"), id="packed in part"),
    pytest.param(row(tags.ITEMS, 0), id="a run alone"),
    pytest.param(row(1, 2), id="two values"),
    pytest.param(row(), id="no value"),
    pytest.param(b"", id="nothing"),
    pytest.param(row(tags.REFERENCE, 0), id="reference to nothing"),
    pytest.param(row(tags.LIST, tags.ITEMS, 1, tags.REFERENCE, 0), id="reference to what is being read"),
    pytest.param(row(tags.DEQUE, -1, tags.SCALAR_ITEMS, 0), id="negative maxlen"),
    pytest.param(row(tags.DEQUE, 2**64, tags.SCALAR_ITEMS, 0), id="huge maxlen"),
    pytest.param(row(tags.COMPLEX, 1, 2), id="complex of integers"),
    pytest.param(row(tags.DICT, tags.SCALAR_ITEMS, 1, 1, tags.SCALAR_ITEMS, 0), id="key without value"),
    pytest.param(row(tags.SET, tags.ITEMS, 1, tags.LIST, tags.SCALAR_ITEMS, 0), id="unhashable item"),
    pytest.param(row(tags.ARRAY, 4, "<f4", "C", b"", 2**62), id="array without its bytes"),
    pytest.param(row(tags.ARRAY, 5, "<f4", "C", b"", 0, 2**62), id="no bytes, absurd shape"),
    pytest.param(row(tags.ARRAY, 4, "<f4", "C", b"1234", -1), id="negative length"),
    pytest.param(row(tags.ARRAY, 4, "|O", "C", b"12345678", 1), id="array of objects"),
    pytest.param(row(tags.ARRAY, 4, "<U0", "C", b"", 2**40), id="items of no bytes"),
    pytest.param(row(tags.ARRAY, 103, "|u1", "C", b"1", *[1] * 100), id="100 dimensions"),
    pytest.param(row(tags.ARRAY, 2, "<f4", "C"), id="array in part"),
    pytest.param(row(tags.ARRAY_SCALAR, 2, "<f4", b"123"), id="scalar in part"),
    pytest.param(row(tags.IMAGE, 7, "RGB", 65535, 65535, b"123", None, None, None), id="image without its bytes"),
    pytest.param(row(tags.IMAGE, 7, "BGR", 1, 1, b"123", None, None, None), id="image of another mode"),
    pytest.param(row(tags.IMAGE, 7, "RGB", 1, 1, b"123", None, "RGB", b"123"), id="palette of no use"),
    pytest.param(row(tags.IMAGE, 7, "L", 1, 1, b"1", "x", None, None), id="transparency of text"),
    pytest.param(row(tags.TENSOR, 4, "float32", "cpu", b"1234", 2), id="tensor in part"),
]


@pytest.mark.parametrize("data", HUGE)
def test_absurd_claims_cost_nothing(codec: Codec, data: bytes) -> None:
    with pytest.raises(DecodeError):
        codec.decode(data)
    tracemalloc.start()
    try:
        with pytest.raises(DecodeError):
            codec.decode(data)
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


def test_nesting_beyond_the_limit_is_refused(codec: Codec) -> None:
    data = row(*[part for _ in range(50_000) for part in (tags.LIST, tags.ITEMS, 1)], None)
    with pytest.raises(DecodeError):
        codec.decode(data)


@pytest.mark.parametrize("tag", [tags.SET, tags.FROZENSET, tags.DICT])
def test_keys_chosen_to_collide_are_refused(codec: Codec, tag: tags.Tag) -> None:
    # Python's integers have the hash `value % (2**61 - 1)`: a dict of 100,000 of these takes minutes:
    # this test would not end.
    keys = [index * (2**61 - 1) for index in range(100_000)]
    values = (tags.SCALAR_ITEMS, len(keys), *keys) if tag is tags.DICT else ()
    with pytest.raises(DecodeError):
        codec.decode(row(tag, tags.SCALAR_ITEMS, len(keys), *keys, *values))


def test_a_few_bytes_cannot_stand_for_many_values(codec: Codec) -> None:
    packed = struct.pack("<Q", 0)[:1] * (2**22 + 1)
    with pytest.raises(DecodeError, match="more than"):
        codec.decode(row(tags.LIST, tags.PACKED_ITEMS, "B", packed))


def test_references_among_the_hashable_are_not_offered(codec: Codec) -> None:
    # ((x, x), (x, x)) by reference would take 2**n steps to hash.
    parts: list[Any] = [tags.TUPLE, tags.SCALAR_ITEMS, 0]
    with pytest.raises(DecodeError):
        codec.decode(row(tags.TUPLE, tags.ITEMS, 2, *parts, tags.REFERENCE, 0))
