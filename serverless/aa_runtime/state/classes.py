"""The classes that a token may name: those that the function's own modules define."""

import dataclasses
import hashlib
import inspect
from collections.abc import Iterable, Iterator
from enum import Enum, Flag
from functools import cached_property
from types import ModuleType
from typing import Any

import attrs
import cvat_sdk.auto_annotation as cvataa

from aa_runtime.state import tags
from aa_runtime.state.faults import DecodeError
from aa_runtime.state.modules import own_modules


@attrs.frozen(eq=False)
class StateClass:
    """A class whose objects may be in a state."""

    cls: type
    tag: int
    """OBJECT (dataclass, attrs), ENUM, FLAG or NAMED_TUPLE."""
    name: str
    """In tokens: a digest of module, qualified name and fields, so that a token of an older version of the class is
    refused instead of making half an object."""
    fields: tuple[str, ...]
    slots: tuple[str, ...]
    """What of an object is not in its `__dict__`."""
    slotted: bool
    """Whether its objects have a slot for each field, and nothing else."""
    shareable: bool
    """Whether two references to one object stay so. Objects with a hash of their own are written twice:
    sharing them would let a few bytes stand for a structure that takes ages to hash."""

    def values(self, made: object) -> list[Any] | None:
        """What `fields` are set to, or None for an object that has not just these attributes."""
        if not self.slotted:
            attributes: dict[str, Any] = getattr(made, "__dict__", {})
            return list(attributes.values()) if not self.slots and tuple(attributes) == self.fields else None
        try:
            return [object.__getattribute__(made, name) for name in self.fields]
        except AttributeError:  # a slot that was never set
            return None

    def accepts(self, attribute: str) -> bool:
        """Whether a token may set this attribute: none that Python gives a meaning to, none that hides a
        method."""
        if attribute in self.fields or attribute in self.slots:
            return True
        if not attribute.isidentifier() or (attribute.startswith("__") and attribute.endswith("__")):
            return False
        there = inspect.getattr_static(self.cls, attribute, None)
        return isinstance(there, cached_property) or not (callable(there) or hasattr(type(there), "__get__"))


class ClassTable:
    """The allow-list. Made once, when the function has been loaded: what is imported later is not in it,
    since another worker may not have imported it when it meets the token."""

    def __init__(self, classes: Iterable[type] = ()) -> None:
        known = [described for cls in classes if (described := _describe(cls)) is not None]
        self._by_name = {known_class.name: known_class for known_class in reversed(known)}
        self._by_class = {known_class.cls: known_class for known_class in self._by_name.values()}

    @classmethod
    def of_function(cls, function: object) -> "ClassTable":
        """The classes of the modules that make up `function`: its own, and those beside it that it has
        imported (of the same package, or in the same folder where it is in no package)."""
        return cls(_classes(own_modules(function)))

    def __iter__(self) -> Iterator[StateClass]:
        return iter(self._by_class.values())

    def find(self, cls: type) -> StateClass | None:
        return self._by_class.get(cls)

    def named(self, name: object) -> StateClass:
        """The class of that name. Nothing is imported."""
        known = self._by_name.get(name) if isinstance(name, str) else None
        if known is None:
            raise DecodeError("made by another version of this function")
        return known


def is_candidate(cls: type) -> bool:
    """Whether a class is of a sort that states may hold, wherever it is defined."""
    return _tag(cls) is not None


def _tag(cls: type) -> int | None:
    if issubclass(cls, Flag):
        return tags.FLAG
    if issubclass(cls, Enum):
        return tags.ENUM
    if issubclass(cls, tuple) and isinstance(getattr(cls, "_fields", None), tuple):
        return tags.NAMED_TUPLE
    if dataclasses.is_dataclass(cls) or attrs.has(cls):
        return tags.OBJECT
    return None


def _describe(cls: type) -> StateClass | None:
    tag = _tag(cls)
    if tag is None or (tag == tags.OBJECT and not _is_plain(cls)):
        return None
    fields = _fields(cls, tag)
    slots = _slots(cls)
    described = repr((cls.__module__, cls.__qualname__, tag, fields))
    return StateClass(
        cls=cls,
        tag=tag,
        name=hashlib.blake2b(described.encode(), digest_size=8).hexdigest(),
        fields=fields,
        slots=slots,
        slotted=not cls.__dictoffset__ and set(slots) == set(fields),
        shareable=_has_no_own_hash(cls),
    )


def _has_no_own_hash(cls: Any) -> bool:
    return cls.__hash__ is None or cls.__hash__ is object.__hash__


def _is_plain(cls: type) -> bool:
    # A dataclass may also extend dict or an extension type, whose contents are no attributes.
    try:
        object.__new__(cls)
    except TypeError:
        return False
    return True


def _fields(cls: Any, tag: int) -> tuple[str, ...]:
    if tag == tags.NAMED_TUPLE:
        return tuple(cls._fields)
    if tag != tags.OBJECT:
        return ()
    fields = dataclasses.fields(cls) if dataclasses.is_dataclass(cls) else attrs.fields(cls)
    return tuple(field.name for field in fields)


def _slots(cls: type) -> tuple[str, ...]:
    names = []
    for base in cls.__mro__:
        own = base.__dict__.get("__slots__", ())
        for name in (own,) if isinstance(own, str) else own:
            if name not in ("__dict__", "__weakref__"):
                private = name.startswith("__") and not name.endswith("__")
                names.append(f"_{base.__name__.lstrip('_')}{name}" if private else name)
    return tuple(dict.fromkeys(names))


def _classes(modules: dict[str, ModuleType]) -> Iterator[type]:
    yield cvataa.TrackableShape
    for name, module in sorted(modules.items()):
        for value in list(vars(module).values()):
            if isinstance(value, type) and value.__module__ == name:
                yield from _with_nested(value)


def _with_nested(cls: type) -> Iterator[type]:
    yield cls
    for value in vars(cls).values():
        if isinstance(value, type) and value.__qualname__.startswith(f"{cls.__qualname__}."):
            yield from _with_nested(value)
