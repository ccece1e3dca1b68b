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
TAGS = [*range(9), *range(16, 23), *range(32, 37), *range(48, 52), *range(64, 67), 255]


class Tag(int):
    """A tag in `row`, where plain integers are scalars."""


def row(*parts: Any, classes: tuple[str, ...] = ()) -> bytes:
    """Bytes as somebody else would write them: tags and scalars in the order in which they are read."""
    scalars = [part for part in parts if not isinstance(part, Tag)]
    return pack(bytes(part for part in parts if isinstance(part, Tag)), [len(classes), *classes, *scalars])


SCALAR, ITEMS, SCALAR_ITEMS, LIST, TUPLE, SET, FROZENSET, DEQUE, DICT, COMPLEX, REFERENCE = map(
    Tag,
    (
        tags.SCALAR,
        tags.ITEMS,
        tags.SCALAR_ITEMS,
        tags.LIST,
        tags.TUPLE,
        tags.SET,
        tags.FROZENSET,
        tags.DEQUE,
        tags.DICT,
        tags.COMPLEX,
        tags.REFERENCE,
    ),
)
ARRAY, ARRAY_SCALAR, IMAGE, TENSOR = map(Tag, (tags.ARRAY, tags.ARRAY_SCALAR, tags.IMAGE, tags.TENSOR))
PACKED_BYTES, PACKED_DOUBLES = Tag(tags.PACKED_ITEMS["B"]), Tag(tags.PACKED_ITEMS["d"])


@FAST
@given(st.binary(max_size=200))
def test_random_bytes(codec: Codec, data: bytes) -> None:
    with suppress(DecodeError):
        codec.decode(data)


scalars = st.none() | st.booleans() | st.integers(-3, 9) | st.integers() | st.text() | st.binary() | st.floats()
dtypes = st.sampled_from(["<f4", ">i2", "|O", "|V8", "<U0", "<U3", "|S0", "<M8[ns]", "<M8[x]", "f4,f4", "<f3", "|b1"])
modes = st.sampled_from(["RGB", "1", "P", "L", "I;16", "nonsense", "BGR;15"])
headers = st.sampled_from(["C<f4 2", "F|u1 2 2", "C|b1", "C<f4 0 9", "float32 cpu 2", "bool cuda", "bfloat16 cpu 1 1"])
tensors = st.sampled_from(["float32", "bfloat16", "Tensor", "load", "__class__", "quint8", "cpu", "cuda"])


@FAST
@given(
    st.lists(st.sampled_from(TAGS), max_size=40).map(bytes),
    st.lists(
        st.integers(0, 6) | scalars | dtypes | modes | headers | tensors | st.sampled_from("BdfhiqCF"), max_size=40
    ),
    st.integers(0, 9),
)
def test_random_rows_of_sensible_parts(codec: Codec, row: bytes, parts: list[Any], count: int) -> None:
    names = [known.name for known in codec._table._by_name.values()][:count]
    with suppress(DecodeError):
        codec.decode(pack(row, [len(names), *names, *parts]))


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
    pytest.param(row(LIST, ITEMS, 2**40), id="list of 2**40"),
    pytest.param(row(LIST, SCALAR_ITEMS, 2**70), id="list of 2**70"),
    pytest.param(row(LIST, ITEMS, -1), id="negative count"),
    pytest.param(row(LIST, ITEMS, True, 1), id="boolean count"),
    pytest.param(pack(b"", []), id="no classes"),
    pytest.param(row(SCALAR), id="no scalar"),
    pytest.param(row(Tag(255)), id="no tag"),
    pytest.param(row(LIST), id="no run"),
    pytest.param(row(LIST, Tag(9), b"12345678"), id="packed as nothing known"),
    pytest.param(row(LIST, PACKED_DOUBLES, b"1234567"), id="packed in part"),
    pytest.param(row(ITEMS, 0), id="a run alone"),
    pytest.param(row(SCALAR, 1, 2), id="two values"),
    pytest.param(row(), id="no value"),
    pytest.param(b"", id="nothing"),
    pytest.param(row(REFERENCE, 0), id="reference to nothing"),
    pytest.param(row(LIST, ITEMS, 1, REFERENCE, 0), id="reference to what is being read"),
    pytest.param(row(DEQUE, -1, SCALAR_ITEMS, 0), id="negative maxlen"),
    pytest.param(row(DEQUE, 2**64, SCALAR_ITEMS, 0), id="huge maxlen"),
    pytest.param(row(COMPLEX, 1, 2), id="complex of integers"),
    pytest.param(row(DICT, SCALAR_ITEMS, 1, 1, SCALAR_ITEMS, 0), id="key without value"),
    pytest.param(row(SET, ITEMS, 1, LIST, SCALAR_ITEMS, 0), id="unhashable item"),
    pytest.param(row(ARRAY, f"C<f4 {2**62}", b""), id="array without its bytes"),
    pytest.param(row(ARRAY, f"C<f4 0 {2**62}", b""), id="no bytes, absurd shape"),
    pytest.param(row(ARRAY, "C<f4 -1", b"1234"), id="negative length"),
    pytest.param(row(ARRAY, "C|O 1", b"12345678"), id="array of objects"),
    pytest.param(row(ARRAY, f"C<U0 {2**40}", b""), id="items of no bytes"),
    pytest.param(row(ARRAY, "C|u1" + " 1" * 90, b"1"), id="90 dimensions"),
    pytest.param(row(ARRAY, "C|u1" + " 1" * 10**5, b"1"), id="100,000 dimensions"),
    pytest.param(row(ARRAY, 4, b"1234"), id="header of another type"),
    pytest.param(row(ARRAY, "C<f4"), id="array in part"),
    pytest.param(row(ARRAY_SCALAR, "<f4", b"123"), id="scalar in part"),
    pytest.param(row(IMAGE, "RGB", 65535, 65535, b"123", None, None, None), id="image without its bytes"),
    pytest.param(row(IMAGE, "BGR", 1, 1, b"123", None, None, None), id="image of another mode"),
    pytest.param(row(IMAGE, "RGB", 1, 1, b"123", None, "RGB", b"123"), id="palette of no use"),
    pytest.param(row(IMAGE, "P", 1, 1, b"1", None, "RGBA", bytes(1025)), id="palette of more than 256 colours"),
    pytest.param(row(IMAGE, "L", 1, 1, b"1", "x", None, None), id="transparency of text"),
    pytest.param(row(TENSOR, "float32 cpu 2", b"1234"), id="tensor in part"),
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
    data = row(*[part for _ in range(50_000) for part in (LIST, ITEMS, 1)], SCALAR, None)
    with pytest.raises(DecodeError):
        codec.decode(data)


@pytest.mark.parametrize("tag", [SET, FROZENSET, DICT])
def test_keys_chosen_to_collide_are_refused(codec: Codec, tag: Tag) -> None:
    # Python's integers have the hash `value % (2**61 - 1)`: a dict of 100,000 of these takes minutes:
    # this test would not end.
    keys = [index * (2**61 - 1) for index in range(100_000)]
    values = (SCALAR_ITEMS, len(keys), *keys) if tag is DICT else ()
    with pytest.raises(DecodeError):
        codec.decode(row(tag, SCALAR_ITEMS, len(keys), *keys, *values))


def test_a_few_bytes_cannot_stand_for_many_values(codec: Codec) -> None:
    packed = struct.pack("<Q", 0)[:1] * (2**22 + 1)
    with pytest.raises(DecodeError, match="more than"):
        codec.decode(row(LIST, PACKED_BYTES, packed))


def test_references_among_the_hashable_are_not_offered(codec: Codec) -> None:
    # ((x, x), (x, x)) by reference would take 2**n steps to hash.
    parts: list[Any] = [TUPLE, SCALAR_ITEMS, 0]
    with pytest.raises(DecodeError):
        codec.decode(row(TUPLE, ITEMS, 2, *parts, REFERENCE, 0))
