"""What goes into a state comes out of it."""

import math
from collections import OrderedDict, deque
from types import ModuleType
from typing import Any

import numpy as np
import PIL.Image
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from aa_runtime.state import Codec, EncodeError
from aa_runtime.state.budget import MOST
from aa_runtime.state.writer import MAX_DEPTH

FAST = settings(max_examples=60, deadline=None)

scalars = (
    st.none()
    | st.booleans()
    | st.integers(min_value=-(2**63), max_value=2**64 - 1)
    | st.floats()
    | st.text(st.characters())
    | st.text(st.characters(categories=["Cs"]))
    | st.binary()
)
keys = st.recursive(
    scalars.filter(lambda value: value == value),
    lambda inner: st.lists(inner, max_size=3).map(tuple),
    max_leaves=4,
)
dtypes = (
    hnp.boolean_dtypes()
    | hnp.integer_dtypes()
    | hnp.unsigned_integer_dtypes()
    | hnp.floating_dtypes(sizes=(16, 32, 64))
    | hnp.complex_number_dtypes(sizes=(64, 128))
)
arrays = hnp.arrays(dtypes, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
number_lists = st.lists(st.integers(-(2**63), 2**64 - 1)) | st.lists(st.floats(width=32)) | st.lists(st.floats())


def containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(keys, inner)
        | st.dictionaries(keys, inner).map(OrderedDict)
        | st.builds(deque, st.lists(inner), st.none() | st.integers(0, 5))
        | st.sets(keys)
    )


values = st.recursive(scalars | keys | arrays | number_lists, containers)


def same(one: Any, two: Any) -> bool:
    """Equal in type and value, NaN equal to itself, 0.0 unlike -0.0."""
    if type(one) is not type(two):
        return False
    if isinstance(one, np.ndarray):
        return one.dtype == two.dtype and one.shape == two.shape and one.tobytes() == two.tobytes()
    if isinstance(one, float):
        return (one == two and math.copysign(1, one) == math.copysign(1, two)) or (one != one and two != two)
    if isinstance(one, dict):
        return same(list(one), list(two)) and same(list(one.values()), list(two.values()))
    if isinstance(one, (list, tuple, deque)):
        return len(one) == len(two) and all(map(same, one, two))
    return bool(one == two)


@FAST
@given(values)
def test_nested_values_survive(codec: Codec, value: Any) -> None:
    assert same(codec.decode(codec.encode(value)), value)


@FAST
@given(arrays, st.sampled_from(["C", "F", "K"]), st.booleans())
def test_arrays_keep_dtype_and_values_whatever_their_layout(
    codec: Codec, array: Any, order: Any, mirrored: bool
) -> None:
    array = np.array(array, order=order)
    if mirrored:
        array = array[..., ::-2] if array.ndim else array
    again = codec.decode(codec.encode(array))
    assert same(again, array)
    assert again.flags.writeable
    assert again.flags.owndata
    if array.flags.fnc:
        assert again.flags.fnc


@pytest.mark.parametrize("longest", [None, 2, 5])
def test_deques_keep_their_length(codec: Codec, longest: int | None) -> None:
    again = codec.decode(codec.encode(deque([1, [2]], longest)))
    assert (type(again), list(again), again.maxlen) == (deque, [1, [2]], longest)


@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_keep_the_order_of_their_memory(codec: Codec, order: Any) -> None:
    array = np.arange(6).reshape(2, 3).copy(order)
    again = codec.decode(codec.encode(array))
    assert again.tolist() == array.tolist()
    assert again.strides == array.strides


def test_says_which_numpy_values_have_no_encoding(codec: Codec) -> None:
    for value, words in (
        (np.array([object()]), "object"),
        (np.array(["a"]), "<U1"),
        (np.datetime64(1, "s"), "datetime64[s]"),
    ):
        with pytest.raises(EncodeError) as caught:
            codec.encode({"a": value})
        assert str(caught.value) == f"state['a']: numpy values of {words} have no encoding; use a plain number type"


@pytest.mark.parametrize("dtype", [">f4", "<i8", ">u2", "?", "<f2", "<c16"])
def test_array_scalars_keep_their_dtype(codec: Codec, dtype: str) -> None:
    value = np.zeros((), dtype)[()]
    again = codec.decode(codec.encode(value))
    assert type(again) is type(value)
    assert again.dtype == value.dtype
    assert again == value


def test_a_picture_is_refused_with_a_way_out(codec: Codec) -> None:
    with pytest.raises(EncodeError) as caught:
        codec.encode({"crop": PIL.Image.new("RGB", (2, 2))})
    assert str(caught.value) == "state['crop']: PIL.Image.Image has no encoding; keep its numpy array"


def test_shared_references_stay_shared(codec: Codec, shelf: ModuleType) -> None:
    boxes, array, thing = [1.0], np.zeros(3), shelf.Plain([])
    state = shelf.Plain({"now": boxes, "then": [boxes, (boxes,)]}, [array, array, thing, thing])
    again = codec.decode(codec.encode(state))
    assert again.a["now"] is again.a["then"][0] is again.a["then"][1][0]
    assert again.b[0] is again.b[1]
    assert again.b[2] is again.b[3]
    assert again.b[2].a is not again.a["now"]


@pytest.mark.parametrize("make", [list, dict, deque])
def test_what_contains_itself_is_refused_with_its_path(codec: Codec, make: Any) -> None:
    value = make()
    inner = {"up": value}
    if make is dict:
        value["down"] = inner
    else:
        value.append(inner)
    with pytest.raises(EncodeError, match=r"state\[.*\]\['up'\]: contains itself"):
        codec.encode(value)


def test_an_object_that_contains_itself_through_a_tuple_is_refused(codec: Codec, shelf: ModuleType) -> None:
    thing = shelf.Plain(None)
    thing.a = (thing,)
    with pytest.raises(EncodeError, match=r"state\.a\[0\]: contains itself"):
        codec.encode(thing)
    frozen = shelf.Frozen(None)
    object.__setattr__(frozen, "a", frozen)
    with pytest.raises(EncodeError, match="levels deep"):
        codec.encode(frozen)


def test_depth_is_limited_alike_on_both_sides(codec: Codec) -> None:
    def nested(depth: int) -> list[Any]:
        value: list[Any] = []
        for _ in range(depth):
            value = [value]
        return value

    deepest = nested(MAX_DEPTH)
    assert codec.decode(codec.encode(deepest)) == deepest
    with pytest.raises(EncodeError, match="levels deep"):
        codec.encode(nested(MAX_DEPTH + 1))


@pytest.mark.parametrize("size", [15, 16, 17, 65534, 65535, 65536, 65537, 200_000])
def test_long_rows_survive(codec: Codec, size: int) -> None:
    value = [None, *range(size)]
    assert codec.decode(codec.encode(value)) == value


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (object(), "state"),
        ({"cache": {"x": object()}}, "state['cache']['x']"),
        ([1, (2, {3: print})], "state[1][1][3]"),
        ({object(): 1}, "state (key <object"),
        ({(1, object())}, "state (an item)[1]"),
        (np.array([{}], object), "state"),
        (np.zeros(2, [("x", "f4")]), "state"),
        ([np.ma.zeros(2)], "state[0]"),
        ([np.zeros(2, "M8[s]")], "state[0]"),
        ([np.zeros(2, "<U3")], "state[0]"),
        ([np.str_("x")], "state[0]"),
        ([np.longdouble(1)], "state[0]"),
        ({"x": frozenset()}, "state['x']: an object of type frozenset has no encoding"),
        ([bytearray()], "state[0]"),
        ([1j], "state[0]"),
        (2**64, "state: an integer of more than 64 bits"),
        (deque([range(3)]), "state[0]"),
        (Exception, "state"),
    ],
)
def test_what_has_no_encoding_is_named_by_its_path(codec: Codec, value: Any, path: str) -> None:
    with pytest.raises(EncodeError) as caught:
        codec.encode(value)
    assert str(caught.value).startswith(path)


@pytest.mark.parametrize("state", [[None] * MOST.values, [[1]] * 3 + [[] for _ in range(MOST.nodes)]])
def test_too_many_values_or_parts_are_refused(codec: Codec, state: Any) -> None:
    with pytest.raises(EncodeError, match="array"):
        codec.encode(state)


@pytest.mark.parametrize(
    ("state", "nodes"),
    [
        (1, 0),
        ([1, 2.5, None], 1),
        ([[], (), {}, set(), deque(), OrderedDict()], 7),
        ([[[]]], 3),
        ([np.zeros(3), np.float32(1)], 4),
    ],
)
def test_the_cost_of_a_state_counts_what_is_made(codec: Codec, state: Any, nodes: int) -> None:
    cost = codec.encode(state).cost
    assert cost.nodes == nodes
    assert cost.values >= 2


def test_the_heaviest_part_is_found(codec: Codec, shelf: ModuleType) -> None:
    assert codec.heaviest(shelf.Plain([1], np.zeros(99))) == "state.b"
    assert codec.heaviest({"a": b"x" * 99, "b": 1}) == "state['a']"
    assert codec.heaviest([1, [2] * 20]) == "state[1]"
    assert codec.heaviest(b"") == "state"
