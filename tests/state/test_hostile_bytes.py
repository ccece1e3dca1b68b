"""Bytes that nobody's encoder made: refused cleanly, and held to what they say that they cost."""

import struct
import tracemalloc
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import islice, product
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.state.state_rows import (
    ARRAY,
    DEQUE,
    DICT,
    ENUM,
    FLAT,
    LIST,
    NUMBER,
    OBJECT,
    REFERENCE,
    SCALAR,
    SET,
    TENSOR,
    TUPLE,
    Tag,
    flat,
    row,
)

from aa_runtime.state import BudgetError, Codec, DecodeError, Encoded, EncodeError, StateError, tags
from aa_runtime.state.budget import MOST
from aa_runtime.state.wire import pack

FAST = settings(max_examples=300, deadline=None)
TAGS = [*range(17), *range(64, 80), 128, 255]


@FAST
@given(st.binary(max_size=200), st.binary(max_size=20))
def test_random_bytes(codec: Codec, data: bytes, bulk: bytes) -> None:
    for rows in (data, struct.pack("<II", 1, 2) + data):
        with suppress(StateError):
            codec.decode(Encoded(rows, bulk))


scalars = st.none() | st.booleans() | st.integers(-3, 9) | st.text() | st.binary() | st.floats()
words = st.sampled_from(["<f4", ">i2", "|O", "|V8", "<U0", "|S0", "<M8[ns]", "|b1", "C", "F", "RGB", "1", "L", "I;16"])
kinds = st.sampled_from(["float32", "bfloat16", "Tensor", "load", "__class__", "quint8", "cpu", "cuda"])


@FAST
@given(
    st.lists(st.sampled_from(TAGS), max_size=40).map(bytes),
    st.lists(st.integers(0, 6) | scalars | words | kinds, max_size=40),
    st.integers(0, 9),
    st.binary(max_size=40),
)
def test_random_rows_of_sensible_parts(codec: Codec, row: bytes, parts: list[Any], count: int, bulk: bytes) -> None:
    known = list(codec._table)[:count]
    classes = [part for one in known for part in (one.name, len(one.fields), *one.fields)]
    with suppress(StateError):
        codec.decode(Encoded(pack(row, [len(known), *classes, *parts]), bulk))


@FAST
@given(st.data())
def test_flipped_cut_and_repeated_bytes(codec: Codec, shelf: ModuleType, data: st.DataObject) -> None:
    state = shelf.Plain(
        {"f": np.arange(4.0), "l": list(range(20)), "c": shelf.Corner(1), "m": shelf.Level.LOW},
        [shelf.Attrs(shelf.Phase.SEEN), (1, {2}), np.float32(1)],
    )
    encoded = codec.encode(state)
    good = bytearray(encoded.rows)
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
    with suppress(StateError):
        codec.decode(Encoded(bytes(good), encoded.bulk))


def raw(scalars: bytes, count: int = 1, tag_row: bytes = b"") -> Encoded:
    """Rows whose scalars are any bytes at all."""
    return Encoded(struct.pack("<II", len(tag_row), count) + tag_row + scalars, b"")


HUGE = [
    pytest.param(raw(b"\xdd\xff\xff\xff\xff"), id="array of 4 billion"),
    pytest.param(raw(b"\xdd\x00\x00\x00\x01" * 5000, 5000), id="nested arrays"),
    pytest.param(raw(b"\xdf\xff\xff\xff\xff"), id="map of 4 billion"),
    pytest.param(raw(b"\xc6\xff\xff\xff\xff"), id="4 GB of bytes"),
    pytest.param(raw(b"\xc9\xff\xff\xff\xff\x40"), id="4 GB of an extension"),
    pytest.param(raw(b"\x00\x90", 2), id="empty array"),
    pytest.param(raw(b"\x00\x80", 2), id="empty map"),
    pytest.param(raw(b"\x00\xd6\xff\x00\x00\x00\x00", 2), id="timestamp"),
    pytest.param(raw(b"\x00\x00\x00", 2, b"\x00"), id="more scalars than said"),
    pytest.param(raw(b"\x00\x00", 3, b"\x00"), id="fewer scalars than said"),
    pytest.param(raw(b"\x00\x00", 2**32 - 1, b"\x00"), id="4 billion scalars said"),
    pytest.param(raw(b"\x00", 1), id="no tags"),
    pytest.param(Encoded(b"", b""), id="nothing"),
    pytest.param(Encoded(bytes(7), b""), id="counts in part"),
    pytest.param(Encoded(b"\xff\xff\xff\xff\x00\x00\x00\x00\x00", b""), id="4 billion tags said"),
    pytest.param(row(LIST, 2**40), id="list of 2**40"),
    pytest.param(row(LIST | FLAT, 2**63), id="flat list of 2**63"),
    pytest.param(row(LIST | FLAT, 5, 1, 2), id="flat list in part"),
    pytest.param(row(LIST, -1), id="negative count"),
    pytest.param(row(LIST | FLAT, -1), id="negative count of scalars"),
    pytest.param(row(LIST | FLAT, True, 1), id="boolean count"),
    pytest.param(row(SCALAR, classes=()), id="no classes"),
    pytest.param(row(SCALAR, 1, classes=(2**40,)), id="2**40 classes"),
    pytest.param(row(SCALAR), id="no scalar"),
    pytest.param(row(Tag(200), 0), id="no tag"),
    pytest.param(row(SCALAR | FLAT, 1, 1), id="a flat scalar"),
    pytest.param(row(LIST), id="no count"),
    pytest.param(row(SCALAR, 1, 2), id="two scalars"),
    pytest.param(row(SCALAR, SCALAR, 1, 2), id="two values"),
    pytest.param(row(SCALAR, 1, bulk=b"1"), id="bytes that nothing asks for"),
    pytest.param(row(), id="no value"),
    pytest.param(flat(REFERENCE, 0), id="reference to nothing"),
    pytest.param(flat(REFERENCE), id="reference without index"),
    pytest.param(row(LIST, REFERENCE | FLAT, 1, 1, 0), id="reference to what is being read"),
    pytest.param(row(LIST, LIST | FLAT, REFERENCE | FLAT, 2, 0, 1, -1), id="reference from the end"),
    pytest.param(row(LIST, LIST | FLAT, REFERENCE | FLAT, 2, 0, 1, False), id="boolean reference"),
    pytest.param(flat(DEQUE), id="deque without maxlen"),
    pytest.param(flat(DEQUE, -1), id="negative maxlen"),
    pytest.param(flat(DEQUE, True, 1), id="boolean maxlen"),
    pytest.param(flat(DEQUE, 1, 1, 2), id="more items than maxlen"),
    pytest.param(flat(DEQUE, 2**64 - 1), id="huge maxlen"),
    pytest.param(flat(DICT, 1), id="key without value"),
    pytest.param(row(SET, LIST | FLAT, 1, 0), id="unhashable item"),
    pytest.param(flat(OBJECT, 0), id="object of no class"),
    pytest.param(flat(ENUM, 0, "SEEN"), id="enum of no class"),
    pytest.param(flat(ARRAY, "<f4", "C", 2**62), id="array without its bytes"),
    pytest.param(flat(ARRAY, "<f4", "C", 2**32, 2**32), id="dimensions whose product overflows"),
    pytest.param(flat(ARRAY, "<f4", "C", 2, bulk=b"1234"), id="array with half of its bytes"),
    pytest.param(flat(ARRAY, "<f4", "C", 2, bulk=b"123456789"), id="array with more than its bytes"),
    pytest.param(flat(ARRAY, "<f4", "C", 0, 2**62), id="no bytes, absurd shape"),
    pytest.param(flat(ARRAY, "<f4", "C", 2**31, 2, 0), id="no bytes, a shape just too large"),
    pytest.param(flat(ARRAY, "<f4", "C", -1, bulk=b"1234"), id="negative length"),
    pytest.param(flat(ARRAY, "<f4", "C", -2, -2, bulk=bytes(16)), id="two negative lengths"),
    pytest.param(flat(ARRAY, "<f4", "C", True, bulk=b"1234"), id="boolean length"),
    pytest.param(flat(ARRAY, "<f4", "C", 1.0, bulk=b"1234"), id="float length"),
    pytest.param(flat(ARRAY, "<f4", "A", 1, bulk=b"1234"), id="array of another order"),
    pytest.param(flat(ARRAY, "<f4", "", 1, bulk=b"1234"), id="array of no order"),
    pytest.param(flat(ARRAY, "|O", "C", 1, bulk=b"12345678"), id="array of objects"),
    pytest.param(flat(ARRAY, "<U0", "C", 2**40), id="items of no bytes"),
    pytest.param(flat(ARRAY, "f4,f4", "C", 1, bulk=b"12345678"), id="structures"),
    pytest.param(flat(ARRAY, "<f4\0", "C", 1, bulk=b"1234"), id="dtype and more"),
    pytest.param(flat(ARRAY, b"<f4", "C", 1, bulk=b"1234"), id="dtype of bytes"),
    pytest.param(flat(ARRAY, 4, "C", 1, bulk=b"1234"), id="dtype of another type"),
    pytest.param(flat(ARRAY, "|u1", "C", *[1] * 90, bulk=b"1"), id="90 dimensions"),
    pytest.param(flat(ARRAY, "|u1", "C", *[1] * 10**4, bulk=b"1"), id="10,000 dimensions"),
    pytest.param(row(ARRAY, SCALAR, SCALAR, LIST | FLAT, 3, "<f4", "C", 0), id="a list for a length"),
    pytest.param(flat(ARRAY, "<f4"), id="array in part"),
    pytest.param(flat(ARRAY), id="array of nothing"),
    pytest.param(flat(NUMBER, "<f4", bulk=b"123"), id="scalar in part"),
    pytest.param(flat(NUMBER, "|O", bulk=b"12345678"), id="scalar object"),
    pytest.param(flat(NUMBER, "<f4", 1, bulk=b"1234"), id="scalar with a shape"),
    pytest.param(flat(TENSOR, "float32", "cpu", 2, bulk=b"1234"), id="tensor in part"),
    pytest.param(flat(Tag(13), "L", 1, 1, bulk=b"1"), id="a picture, as older workers wrote it"),
]


@pytest.mark.parametrize("encoded", HUGE)
def test_absurd_claims_cost_nothing(codec: Codec, encoded: Encoded) -> None:
    with pytest.raises(StateError):
        codec.decode(encoded)
    tracemalloc.start()
    try:
        with pytest.raises(StateError):
            codec.decode(encoded)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_nesting_beyond_the_limit_is_refused(codec: Codec) -> None:
    for depth, tag in ((50_000, LIST), (102, LIST), (102, TUPLE)):
        data = row(*[part for _ in range(depth) for part in (tag, 1)], SCALAR, None)
        with pytest.raises(DecodeError):
            codec.decode(data)


@pytest.mark.parametrize("tag", [SET, DICT, Tag(tags.ORDERED_DICT)])
@pytest.mark.parametrize("count", [17, 8**4])
def test_keys_chosen_to_collide_are_refused(codec: Codec, tag: Tag, count: int) -> None:
    # Python's integers have the hash `value % (2**61 - 1)`, and tuples of them any number of equal ones: a dict of n
    # such keys takes n * n steps.
    keys = list(islice(product(*[[part * (2**61 - 1) for part in range(8)]] * 4), count))
    assert len(set(map(hash, keys))) == 1
    tag_row = [*[TUPLE | FLAT] * count, *[SCALAR] * (count if tag != SET else 0)]
    scalars = [part for key in keys for part in (4, *key)] + [None] * (count if tag != SET else 0)
    with pytest.raises(DecodeError):
        codec.decode(row(tag, *tag_row, len(tag_row), *scalars))


def test_sixteen_keys_of_one_hash_are_taken_and_no_more(codec: Codec) -> None:
    keys = list(islice(product(*[[part * (2**61 - 1) for part in range(8)]] * 4), 17))
    sixteen = dict.fromkeys(keys[:16])
    assert codec.decode(codec.encode([sixteen])) == [sixteen]
    with pytest.raises(EncodeError, match="more than 16 keys with one hash"):
        codec.encode([dict.fromkeys(keys)])


def keys_that_meet(bits: int) -> list[int]:
    """Keys of different hashes for a dict of 2**bits places: half lie on the way that is gone from a full place to the
    next, the others come to that way early and go to its end."""
    places, way = 2**bits, [1]
    while len(way) < places // 3:
        way.append((5 * way[-1] + 1) % places)
    steps = {place: step for step, place in enumerate(way)}

    def meets(key: int) -> bool:
        place = key % places
        while place in steps:
            if key == 0:
                return steps[place] < len(way) // 3
            key >>= 5
            place = (5 * place + key + 1) % places
        return False

    late = (place + places * turn for turn in range(1, 200) for place in way)
    return [*way, *islice(filter(meets, late), len(way))]


@pytest.mark.parametrize("tag", [SET | FLAT, DICT | FLAT, Tag(tags.ORDERED_DICT) | FLAT])
def test_keys_chosen_to_land_where_others_are_are_refused(codec: Codec, tag: Tag) -> None:
    keys = keys_that_meet(12)
    assert len(set(map(hash, keys))) == len(keys) > 2048
    values = [] if tag == SET | FLAT else keys
    with pytest.raises(DecodeError, match="damaged"):
        codec.decode(row(tag, len(keys) + len(values), *keys, *values))


@pytest.mark.parametrize("make", [set, dict.fromkeys, OrderedDict.fromkeys])
def test_what_would_be_refused_is_not_given_out(codec: Codec, make: Callable[[list[int]], Any]) -> None:
    with pytest.raises(EncodeError, match="more than 2048 keys that are neither text nor numbers one after another"):
        codec.encode(make(keys_that_meet(12)))


@pytest.mark.parametrize("keys", [range(10**6, 10**6 + 5000), [str(number**3) for number in range(5000)]])
def test_many_keys_one_after_another_and_texts_are_kept(codec: Codec, keys: Sequence[Any]) -> None:
    state = dict.fromkeys(keys, 1)
    assert codec.decode(codec.encode(state)) == state


def test_keys_that_nobody_chose_are_not_refused(codec: Codec) -> None:
    # -1 and -2 have one hash.
    corners = {(x, y, w, h): None for x in (-1, -2) for y in (-1, -2) for w in (-1, -2) for h in (-1, -2)}
    assert len(set(map(hash, corners))) < 16
    state = [corners, {float(number): number for number in range(-1000, 1000)}]
    assert codec.decode(codec.encode(state)) == state


def test_references_among_the_hashable_are_not_offered(codec: Codec) -> None:
    # ((x, x), (x, x)) by reference would take 2**n steps to hash.
    with pytest.raises(DecodeError):
        codec.decode(row(TUPLE, TUPLE | FLAT, REFERENCE | FLAT, 2, 0, 1, 0))


def test_lists_of_references_are_as_large_as_their_bytes(codec: Codec) -> None:
    # A billion laughs: each list is ten references to the one before.
    parts: list[Any] = [LIST | FLAT, 1, "ha"]
    for index in range(9):
        parts += [LIST, 10, *[part for _ in range(10) for part in (REFERENCE | FLAT, 1, index)]]
    encoded = row(LIST, 10, *parts)
    made = codec.decode(encoded)
    assert encoded.cost.nodes == 1 + 1 + 9 * 11
    assert codec.encode(made).cost == encoded.cost


@pytest.mark.parametrize(
    ("encoded", "what"),
    [
        (row(LIST, MOST.nodes, *[LIST | FLAT] * MOST.nodes, *[0] * MOST.nodes), "parts"),
        (row(LIST, 2**16, *[ARRAY | FLAT] * 2**16, *["|u1"] * 2**16), "parts"),
        (row(LIST, 2**14, *[TENSOR | FLAT] * 2**14), "parts"),
        (flat(LIST, *[None] * MOST.values), "values"),
    ],
)
def test_a_state_beyond_the_budget_is_refused_before_it_is_decoded(
    codec: Codec, encoded: Encoded, what: str, monkeypatch: Any
) -> None:
    monkeypatch.setattr("aa_runtime.state.codec.unpack", None)
    with pytest.raises(BudgetError, match=f"{what} together"):
        codec.decode(encoded)


@FAST
@given(st.lists(st.sampled_from(TAGS), max_size=60).map(bytes), st.lists(scalars, max_size=60))
def test_no_rows_make_more_than_their_cost_says(codec: Codec, row: bytes, parts: list[Any]) -> None:
    encoded = Encoded(pack(row, [0, *parts]), bytes(9))
    cost = encoded.cost
    with suppress(StateError):
        again = codec.encode(codec.decode(encoded)).cost
        assert again.nodes <= cost.nodes
        assert again.values <= cost.values + cost.nodes
