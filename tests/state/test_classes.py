"""Only the function's own classes, and only data of them."""

import argparse
import subprocess
import sys
import urllib.parse
from types import ModuleType
from typing import Any

import attrs
import cvat_sdk.auto_annotation as cvataa
import pytest

from aa_runtime import FunctionSource, load
from aa_runtime.state import ClassTable, Codec, DecodeError, EncodeError, tags
from aa_runtime.state.wire import pack

OBJECT = [tags.OBJECT, tags.SCALAR_ITEMS, tags.SCALAR_ITEMS]


def written(codec: Codec, shelf: ModuleType, tag_row: list[int], *scalars: Any, cls: str = "Plain") -> bytes:
    """A token's bytes as somebody else would write them, about one class."""
    known = codec._table.find(getattr(shelf, cls))
    assert known is not None
    return pack(bytes(tag_row), [1, known.name, *scalars])


def test_every_sort_of_class_survives(codec: Codec, shelf: ModuleType) -> None:
    slotted = shelf.Slotted([1])
    states = [
        shelf.Plain(1, {"x": (2,)}),
        shelf.Child(1, 2, shelf.Plain(3)),
        shelf.Frozen(1, [2]),
        shelf.Attrs(1, 2),
        shelf.AttrsFrozen((1,)),
        shelf.AttrsDict({}),
        shelf.Phase.LOST,
        shelf.Level.HIGH,
        shelf.Mode.FAST | shelf.Mode.EXACT,
        shelf.Mode(0),
        shelf.Attrs.Inner.ONE,
        shelf.Corner(1.5),
        shelf.Pair([1], 2),
        cvataa.TrackableShape(type="mask", points=[1, 2]),
    ]
    again = codec.decode(codec.encode(states))
    assert again == states
    assert list(map(type, again)) == list(map(type, states))
    again = codec.decode(codec.encode(slotted))
    assert again.a == [1]
    assert not hasattr(again, "b")


def test_objects_are_made_without_their_constructor_and_keep_what_it_did_not_set(
    codec: Codec, shelf: ModuleType
) -> None:
    thing = shelf.Plain(1)
    thing.extra = [2]
    assert thing.total == 42
    data = codec.encode(thing)
    shelf.made.clear()
    again = codec.decode(data)
    assert shelf.made == []
    assert again.extra == [2]
    assert vars(again) == vars(thing)


def test_hashable_objects_are_not_shared(codec: Codec, shelf: ModuleType) -> None:
    # Otherwise sixty levels of (x, x) would fit in a few hundred bytes, and take 2**60 steps to hash.
    one = shelf.Frozen(1)
    again = codec.decode(codec.encode([one, one]))
    assert again[0] == again[1]
    assert again[0] is not again[1]


def test_classes_of_others_are_refused(codec: Codec, shelf: ModuleType) -> None:
    @attrs.define
    class Elsewhere:
        a: int = 1

    for value, words in (
        (Elsewhere(), "defined inside a function"),
        (shelf.local_class(), "defined inside a function"),
        (argparse.Namespace(a=1), "no encoding"),
        (shelf.Ordinary(), "no encoding"),
        (shelf.OfDict(), "not a class of the function's own modules"),
        (subprocess.CompletedProcess([], 0), "no encoding"),
        (sys.version_info, "no encoding"),
        (urllib.parse.urlsplit("a"), "not a class of the function's own modules"),
    ):
        with pytest.raises(EncodeError, match=words):
            codec.encode([value])


def test_a_token_cannot_name_a_class_of_others(codec: Codec) -> None:
    for name in (
        "subprocess:Popen",
        "builtins:object",
        "__cvat_function__:Ordinary",
        "__cvat_function__:Plain",
        3,
        None,
    ):
        with pytest.raises(DecodeError):
            codec.decode(pack(bytes(OBJECT), [1, name, 0, 0, 0]))


@pytest.mark.parametrize(
    "attribute", ["__class__", "__dict__", "reset", "__init__", "total.x", "", "1a", "__reduce__", "a b"]
)
def test_a_token_cannot_set_what_is_no_data(codec: Codec, shelf: ModuleType, attribute: str) -> None:
    row = (OBJECT, 0, 1, attribute, 1, 5)
    with pytest.raises(DecodeError):
        codec.decode(written(codec, shelf, *row))


def test_a_token_can_set_fields_and_new_names(codec: Codec, shelf: ModuleType) -> None:
    row = (OBJECT, 0, 2, "a", "later", 2, 5, 6)
    made = codec.decode(written(codec, shelf, *row))
    assert (made.a, made.later) == (5, 6)


def test_an_object_of_just_its_fields_needs_no_names(codec: Codec, shelf: ModuleType) -> None:
    plain, slotted = shelf.Plain(1), shelf.Attrs(1, 2)
    for thing in (plain, slotted):
        assert codec.encode(thing)[2] == tags.FIELDS
        assert codec.decode(codec.encode(thing)) == thing
    plain.extra = 2
    assert codec.encode(plain)[2] == tags.OBJECT
    again = codec.decode(written(codec, shelf, [tags.FIELDS, tags.SCALAR, tags.SCALAR], 0, 5, 6))
    assert (again.a, again.b) == (5, 6)


@pytest.mark.parametrize(
    ("row", "scalars", "cls"),
    [
        ([tags.FIELDS], (0,), "Plain"),
        ([tags.FIELDS, tags.SCALAR], (0, 5), "Plain"),
        ([tags.FIELDS, *[tags.SCALAR] * 3], (0, 5, 6, 7), "Plain"),
        ([tags.FIELDS, tags.SCALAR, tags.SCALAR], (1, 5, 6), "Plain"),
        ([tags.FIELDS, tags.SCALAR, tags.SCALAR], (-1, 5, 6), "Plain"),
        ([tags.FIELDS, tags.SCALAR], (0, 1.0), "Corner"),
        ([tags.FIELDS], (0,), "Phase"),
        ([tags.FIELDS, tags.SCALAR], (), "Plain"),
    ],
)
def test_fields_are_all_of_them_and_of_an_object(
    codec: Codec, shelf: ModuleType, row: list[int], scalars: tuple[Any, ...], cls: str
) -> None:
    with pytest.raises(DecodeError):
        codec.decode(written(codec, shelf, row, *scalars, cls=cls))


def test_enums_flags_and_named_tuples_are_checked(codec: Codec, shelf: ModuleType) -> None:
    for cls, row in (
        ("Phase", ([tags.ENUM], 0, "FOUND")),
        ("Phase", ([tags.ENUM], 0, "seen")),
        ("Phase", (OBJECT, 0, 0, 0)),
        ("Mode", ([tags.FLAG], 0, 2**70)),
        ("Mode", ([tags.FLAG], 0, -1)),
        ("Mode", ([tags.FLAG], 0, True)),
        ("Corner", ([tags.NAMED_TUPLE, tags.SCALAR_ITEMS], 0, 1, 1.0)),
        ("Corner", ([tags.NAMED_TUPLE, tags.SCALAR_ITEMS], 1, 2, 1.0, 1.0)),
        ("Corner", ([tags.NAMED_TUPLE, tags.SCALAR_ITEMS], -1, 2, 1.0, 1.0)),
    ):
        with pytest.raises(DecodeError):
            codec.decode(written(codec, shelf, *row, cls=cls))


def test_a_class_whose_fields_changed_is_another_class() -> None:
    tables = []
    for fields in (["a"], ["a", "b"]):
        cls = attrs.make_class("State", fields)
        cls.__module__ = "function"
        tables.append((cls, Codec(ClassTable([cls]))))
    (cls, old), (_, new) = tables
    data = old.encode(cls(1))
    assert old.decode(data) == cls(1)
    with pytest.raises(DecodeError, match="another version"):
        new.decode(data)


def test_modules_beside_the_function_are_its_own_and_libraries_are_not(tmp_path: Any, monkeypatch: Any) -> None:
    library = tmp_path / "site-packages"
    library.mkdir()
    class_text = "from dataclasses import dataclass\n@dataclass\nclass {}:\n    a: int = 1\n"
    (tmp_path / "near_by.py").write_text(class_text.format("Near"))
    (tmp_path / "late.py").write_text(class_text.format("Late"))
    (library / "far_off.py").write_text(class_text.format("Far"))
    (tmp_path / "func.py").write_text(
        "import cvat_sdk.auto_annotation as cvataa\nimport near_by, far_off\n"
        "spec = cvataa.TrackingFunctionSpec(supported_shape_types=['rectangle'])\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.syspath_prepend(str(library))
    function = load(FunctionSource(file=tmp_path / "func.py"))
    codec = Codec(ClassTable.of_function(function))
    import far_off  # type: ignore[import-not-found]
    import late  # type: ignore[import-not-found]
    import near_by  # type: ignore[import-not-found]

    assert codec.decode(codec.encode(near_by.Near(5))) == near_by.Near(5)
    with pytest.raises(EncodeError, match="not a class of the function's own modules"):
        codec.encode(far_off.Far())
    with pytest.raises(EncodeError, match="imported too late"):
        codec.encode(late.Late())
    for name in ("near_by", "late", "far_off"):
        del sys.modules[name]


def test_a_function_in_a_package_owns_its_package() -> None:
    import cvat_sdk.auto_annotation.functions as package

    from aa_runtime.state.modules import own_modules

    function = ModuleType("cvat_sdk.auto_annotation.functions.mine")
    function.__package__ = package.__name__
    assert set(own_modules(function)) == {function.__name__, package.__name__} | {
        name for name in sys.modules if name.startswith(f"{package.__name__}.")
    }
    assert "cvat_sdk.auto_annotation.interface" not in own_modules(function)


def test_libraries_are_imported_only_for_states_that_hold_their_values() -> None:
    program = "import sys, aa_runtime.state as s; c = s.Codec(); assert c.decode(c.encode([1, {'a': (2.5,)}])); "
    program += "print([n for n in ('aa_runtime.state.arrays', 'torch', 'cv2', 'scipy') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
