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

from aa_runtime.state import Codec, DecodeError, EncodeError
from aa_runtime.state.wire import MAX_DEPTH

FAST = settings(max_examples=60, deadline=None)

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=-(2**300), max_value=2**300)
    | st.floats()
    | st.text(st.characters())
    | st.text(st.characters(categories=["Cs"]))
    | st.binary()
    | st.complex_numbers(allow_nan=False)
)
keys = st.recursive(
    scalars.filter(lambda value: value == value),
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.frozensets(inner, max_size=3),
    max_leaves=4,
)
dtypes = (
    hnp.boolean_dtypes()
    | hnp.integer_dtypes()
    | hnp.unsigned_integer_dtypes()
    | hnp.floating_dtypes()
    | hnp.complex_number_dtypes()
    | hnp.datetime64_dtypes()
    | hnp.timedelta64_dtypes()
    | hnp.byte_string_dtypes(min_len=1)
    | hnp.unicode_string_dtypes(min_len=1)
)
arrays = hnp.arrays(dtypes, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
number_lists = (
    st.lists(st.integers(-(2**70), 2**70))
    | st.lists(st.integers(0, 255), min_size=8)
    | st.lists(st.integers(-300, 300), min_size=8)
    | st.lists(st.floats(width=32), min_size=8)
    | st.lists(st.floats(), min_size=8)
)


def containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(keys, inner)
        | st.dictionaries(keys, inner).map(OrderedDict)
        | st.builds(deque, st.lists(inner), st.none() | st.integers(0, 5))
        | st.sets(keys)
    )


values = st.recursive(scalars | keys | arrays | number_lists | st.binary().map(bytearray), containers)


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


@pytest.mark.parametrize("dtype", [">f4", "<i8", ">u2", "?", "<f2", "<c16", "M8[ns]", "M8", "S3", "<U2", "<f16"])
def test_array_scalars_keep_their_dtype(codec: Codec, dtype: str) -> None:
    value = np.zeros((), dtype)[()]
    again = codec.decode(codec.encode(value))
    assert type(again) is type(value)
    assert again.dtype == value.dtype
    assert np.isnat(again) if again.dtype.kind == "M" and np.isnat(value) else again == value


def test_an_empty_numpy_string_survives(codec: Codec) -> None:
    again = codec.decode(codec.encode(np.str_("")))
    assert type(again) is np.str_
    assert again == ""


PLAIN_MODES = "1 L LA La RGB RGBA RGBX RGBa CMYK YCbCr LAB HSV I F I;16 I;16B"


@pytest.mark.parametrize("mode", [*PLAIN_MODES.split(), "P", "PA"])
def test_images_survive_in_every_mode(codec: Codec, mode: str) -> None:
    size = (7, 5)
    blank = PIL.Image.new(mode, size)
    image = PIL.Image.frombytes(mode, size, bytes(range(200))[: len(blank.tobytes())])
    if mode in ("P", "PA"):
        image.putpalette(bytes(range(30)))
    again = codec.decode(codec.encode(image))
    assert (again.mode, again.size, again.tobytes()) == (mode, size, image.tobytes())
    assert again.getpalette() == image.getpalette()


def test_palette_and_transparency_survive(codec: Codec, tmp_path: Any) -> None:
    image = PIL.Image.new("P", (2, 1), 1)
    image.putpalette([10, 20, 30, 255, 40, 50, 60, 128], "RGBA")
    image.info["transparency"] = b"\x00\xff"
    again = codec.decode(codec.encode(image))
    assert again.convert("RGBA").getpixel((0, 0)) == image.convert("RGBA").getpixel((0, 0))
    assert again.info["transparency"] == b"\x00\xff"


def test_an_image_from_a_file_is_loaded_and_becomes_a_plain_one(codec: Codec, tmp_path: Any) -> None:
    PIL.Image.new("RGB", (9, 4), (1, 2, 3)).save(tmp_path / "a.png")
    with PIL.Image.open(tmp_path / "a.png") as image:
        again = codec.decode(codec.encode(image))
    assert type(again) is PIL.Image.Image
    assert again.getpixel((0, 0)) == (1, 2, 3)


def test_an_image_without_pixels_survives(codec: Codec) -> None:
    assert codec.decode(codec.encode(PIL.Image.new("RGB", (0, 3)))).size == (0, 3)


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
        ({frozenset([object()])}, "state (an item) (an item)"),
        (np.array([{}], object), "state"),
        (np.zeros(2, [("x", "f4")]), "state"),
        ([np.ma.zeros(2)], "state[0]"),
        (deque([range(3)]), "state[0]"),
        (Exception, "state"),
    ],
)
def test_what_has_no_encoding_is_named_by_its_path(codec: Codec, value: Any, path: str) -> None:
    with pytest.raises(EncodeError) as caught:
        codec.encode(value)
    assert str(caught.value).startswith(path)


def test_too_many_values_are_refused(codec: Codec) -> None:
    with pytest.raises(EncodeError, match="numpy array"):
        codec.encode([None] * (2**22 + 1))


def test_a_state_beyond_the_limit_is_refused() -> None:
    small = Codec(limit=1000)
    with pytest.raises(EncodeError, match="at most 1000"):
        small.encode(bytes(1000))
    with pytest.raises(DecodeError, match="at most 1000"):
        small.decode(bytes(1001))


def test_the_heaviest_part_is_found(codec: Codec, shelf: ModuleType) -> None:
    assert codec.heaviest(shelf.Plain([1], np.zeros(99))) == "state.b"
    assert codec.heaviest({"a": b"x" * 99, "b": 1}) == "state['a']"
    assert codec.heaviest([1, [2] * 20]) == "state[1]"
    assert codec.heaviest(b"") == "state"
