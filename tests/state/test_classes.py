"""Only the function's own classes, and only data of them."""

import argparse
import dataclasses
import json
import subprocess
import sys
import urllib.parse
from types import ModuleType, SimpleNamespace
from typing import Any

import attrs
import cvat_sdk.auto_annotation as cvataa
import pytest
from tests.state.state_rows import ENUM, NAMED_TUPLE, OBJECT, VALUE, Tag, flat

from aa_runtime import FunctionSource, load
from aa_runtime.state import BudgetError, ClassTable, Codec, DecodeError, Encoded, EncodeError
from aa_runtime.state.budget import MOST
from aa_runtime.state.classes import _slots
from aa_runtime.state.modules import own_modules


def of_class(codec: Codec, cls: type, names: tuple[Any, ...], tag: Tag, *values: Any, index: Any = 0) -> Encoded:
    """An object as somebody else would write it: its class, the attributes that it is to have, and their values."""
    known = codec._table.find(cls)
    assert known is not None
    return flat(tag, index, *values, classes=(1, known.name, len(names), *names))


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
        shelf.Ordinary(),
        shelf.Generic([1]),
        shelf.Abstract(),
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


class Doubled:
    """A descriptor, as dataclasses take them for fields."""

    def __get__(self, owner: Any, cls: type) -> Any:
        return 1 if owner is None else owner.__dict__["size"]

    def __set__(self, owner: Any, value: Any) -> None:
        owner.__dict__["size"] = 2 * value


@dataclasses.dataclass
class Guarded:
    size: Doubled = Doubled()


def test_no_descriptor_of_a_class_is_called() -> None:
    codec = Codec(ClassTable([Guarded]))
    made: Any = Guarded(4)
    assert made.size == 8
    assert codec.decode(codec.encode(made)).size == 8


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
        (shelf.Mode.ALL, "no plain class"),
        (shelf.OfDict(), "no plain class"),
        (shelf.OfOthers(1, 2), "no plain class"),
        (shelf.Ended(), "no plain class"),
        (shelf.Fault(), "no plain class"),
        (subprocess.CompletedProcess([], 0), "no encoding"),
        (sys.version_info, "no encoding"),
        (urllib.parse.urlsplit("a"), "no plain class"),
    ):
        with pytest.raises(EncodeError, match=words):
            codec.encode([value])


def test_the_path_to_what_has_no_encoding_leads_through_objects(codec: Codec, shelf: ModuleType) -> None:
    for state, path in (
        (shelf.Plain(1, {"x": [1, shelf.Ordinary, 2]}), "state.b['x'][1]"),
        ([0, shelf.Slotted(print)], "state[1].a"),
        (shelf.Frozen(1, shelf.Attrs(1, print)), "state.b._b"),
        (shelf.Corner(1.0, print), "state.y"),
        (shelf.Pair(shelf.Child(1, 2, print), 0), "state.left.c"),
    ):
        with pytest.raises(EncodeError) as caught:
            codec.encode(state)
        assert caught.value.path == path


def test_says_what_a_class_must_be(codec: Codec) -> None:
    with pytest.raises(EncodeError) as caught:
        codec.encode(argparse.Namespace())
    assert str(caught.value) == (
        "state: argparse.Namespace has no encoding: it is no plain class, enum or named tuple of the function's own"
        " modules, or its module was imported too late"
    )


@pytest.mark.parametrize("name", ["subprocess:Popen", "builtins:object", "__cvat_function__:Plain", 3, None, b""])
def test_a_token_cannot_name_a_class_of_others(codec: Codec, name: Any) -> None:
    with pytest.raises(DecodeError, match="another version"):
        codec.decode(flat(OBJECT, 0, classes=(1, name, 0)))


NO_DATA = ["__class__", "__dict__", "__init__", "__reduce__", "__array_interface__", "__call__", "__x__"]


@pytest.mark.parametrize("attribute", [*NO_DATA, "reset", "doubled", "made_of", "total.x", "", "1a", "a b", 3, None])
@pytest.mark.parametrize("cls", ["Plain", "Ordinary"])
def test_a_token_cannot_set_what_is_no_data(codec: Codec, shelf: ModuleType, attribute: Any, cls: str) -> None:
    with pytest.raises(DecodeError):
        codec.decode(of_class(codec, getattr(shelf, cls), (attribute,), OBJECT, 5))


def test_a_token_can_set_fields_and_new_names(codec: Codec, shelf: ModuleType) -> None:
    made = codec.decode(
        of_class(codec, shelf.Plain, ("a", "later", "total", "_own", "__mangled"), OBJECT, 5, 6, 7, 8, 9)
    )
    assert (made.a, made.later, made.total, made._own, vars(made)["__mangled"]) == (5, 6, 7, 8, 9)


@pytest.mark.parametrize("names", [("a", "_b", "c"), ("__dict__",), ("a", "__hidden")])
def test_a_slotted_object_has_no_new_names(codec: Codec, shelf: ModuleType, names: tuple[str, ...]) -> None:
    with pytest.raises(DecodeError):
        codec.decode(of_class(codec, shelf.Attrs, names, OBJECT, *range(len(names))))
    assert codec.decode(of_class(codec, shelf.Attrs, ("_Attrs__hidden",), OBJECT, 1))._Attrs__hidden == 1


@pytest.mark.parametrize(
    ("tag", "values", "cls", "index"),
    [
        (OBJECT, (), "Plain", 0),
        (OBJECT, (1,), "Plain", 0),
        (OBJECT, (1, 2, 3), "Plain", 0),
        (OBJECT, (1, 2), "Plain", 1),
        (OBJECT, (1, 2), "Plain", -1),
        (OBJECT, (1, 2), "Plain", False),
        (OBJECT, (1, 2), "Plain", "0"),
        (OBJECT, (1, 2), "Frozen", 0),
        (VALUE, (1, 2), "Plain", 0),
        (VALUE, (1, 2), "Corner", 0),
        (OBJECT, (), "Phase", 0),
        (ENUM, ("FOUND",), "Phase", 0),
        (ENUM, ("seen",), "Phase", 0),
        (ENUM, ("SEEN", 1), "Phase", 0),
        (ENUM, ("__class__",), "Phase", 0),
        (ENUM, (), "Phase", 0),
        (ENUM, ("SEEN",), "Plain", 0),
        (NAMED_TUPLE, (1.0,), "Corner", 0),
        (NAMED_TUPLE, (1.0, 1.0, 1.0), "Corner", 0),
        (NAMED_TUPLE, (1.0, 1.0), "Corner", -1),
        (NAMED_TUPLE, (1.0, 1.0), "Plain", 0),
    ],
)
def test_objects_are_of_their_class_and_have_what_it_says(
    codec: Codec, shelf: ModuleType, tag: Tag, values: tuple[Any, ...], cls: str, index: Any
) -> None:
    known = codec._table.find(getattr(shelf, cls))
    assert known is not None
    with pytest.raises(DecodeError):
        codec.decode(of_class(codec, known.cls, known.fields, tag, *values, index=index))


def test_a_class_with_a_finalizer_is_none_that_a_token_may_name(codec: Codec, shelf: ModuleType) -> None:
    assert codec._table.find(shelf.Ended) is None
    assert codec._table.find(shelf.Plain) is not None


def test_the_names_of_a_class_are_counted(codec: Codec, shelf: ModuleType) -> None:
    with pytest.raises(BudgetError):
        codec.decode(of_class(codec, shelf.Plain, ("a",) * MOST.values, OBJECT))


def test_objects_of_one_class_share_its_names(codec: Codec, shelf: ModuleType) -> None:
    one, many = codec.encode([shelf.Plain(1)]), codec.encode([shelf.Plain(number) for number in range(100)])
    assert len(many.rows) - len(one.rows) < 99 * 9
    strange = shelf.Plain(1)
    strange.extra = 2
    again = codec.decode(codec.encode([shelf.Plain(1), strange]))
    assert [vars(thing) for thing in again] == [{"a": 1, "b": None}, {"a": 1, "b": None, "extra": 2}]


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
    with pytest.raises(EncodeError, match="no plain class, enum or named tuple of the function's own modules"):
        codec.encode(far_off.Far())
    with pytest.raises(EncodeError, match="imported too late"):
        codec.encode(late.Late())
    for name in ("near_by", "late", "far_off"):
        del sys.modules[name]


def test_an_object_s_modules_are_those_of_its_class_and_of_its_methods(shelf: ModuleType) -> None:
    def track() -> None: ...

    track.__module__ = shelf.__name__
    assert set(own_modules(SimpleNamespace(track=track))) >= {shelf.__name__}
    assert shelf.__name__ in own_modules(shelf.Plain(1))
    track.__module__ = "functools"
    assert own_modules(SimpleNamespace(track=track, init_tracking_state=5)) == {}


def test_a_function_of_python_s_own_library_owns_nothing_beside_it() -> None:
    assert set(own_modules(json)) == {name for name in sys.modules if name == "json" or name.startswith("json.")}
    assert set(own_modules(argparse)) == {"argparse"}


def test_slots_are_named_as_python_names_them() -> None:
    class _Base:
        __slots__ = "__single"

    class Plain(_Base):
        __slots__ = ("__dict__", "__magic__", "__own", "__weakref__", "open")

    assert set(_slots(Plain)) == {"_Base__single", "_Plain__own", "__magic__", "open"}
    assert all(hasattr(Plain, name) for name in _slots(Plain))


def test_a_function_in_a_package_owns_its_package() -> None:
    import cvat_sdk.auto_annotation.functions as package

    function = ModuleType("cvat_sdk.auto_annotation.functions.mine")
    function.__package__ = package.__name__
    assert set(own_modules(function)) == {function.__name__, package.__name__} | {
        name for name in sys.modules if name.startswith(f"{package.__name__}.")
    }
    assert "cvat_sdk.auto_annotation.interface" not in own_modules(function)


def test_libraries_are_imported_only_for_states_that_hold_their_values() -> None:
    program = "import sys, aa_runtime.state as s; c = s.Codec(); assert c.decode(c.encode([1, {'a': (2.5,)}])); "
    program += "print([n for n in ('aa_runtime.tracker', 'torch', 'cv2', 'scipy') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
