"""The classes that a token may name: those that the function's own modules define."""

import dataclasses
import hashlib
from abc import ABC
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum, Flag
from functools import cached_property
from types import ModuleType
from typing import Any, Final, Generic

import attrs
import cvat_sdk.auto_annotation as cvataa

from aa_runtime.state import tags
from aa_runtime.state.faults import DecodeError
from aa_runtime.state.modules import own_modules

_STATELESS: Final = (object, ABC, Generic)


@attrs.frozen(eq=False)
class StateClass:
    """A class whose objects may be in a state."""

    cls: type
    tag: int
    """OBJECT, VALUE, ENUM or NAMED_TUPLE."""
    name: str
    """In tokens: a digest of module, qualified name and fields, so that a token of an older version of the class is
    refused instead of making half an object."""
    fields: tuple[str, ...]
    slots: tuple[str, ...]
    """What of an object is not in its `__dict__`."""
    taken: frozenset[str]
    """Names that the class has for its methods, properties and the like."""

    def attributes(self, made: object) -> dict[str, Any]:
        """What is set on an object, by name."""
        found = dict(getattr(made, "__dict__", ()))
        for name in self.slots:
            try:
                found[name] = object.__getattribute__(made, name)
            except AttributeError:  # a slot that was never set
                continue
        return found

    def accepts(self, attribute: str) -> bool:
        """Whether a token may set this attribute: none that Python gives a meaning to, none that hides a
        method."""
        if attribute in self.fields or attribute in self.slots:
            return True
        # numpy, for one, reads memory where an object's `__array_interface__` says.
        is_special = attribute.startswith("__") and attribute.endswith("__")
        return attribute.isidentifier() and not is_special and attribute not in self.taken

    def make(self, names: Sequence[str], values: Iterable[Any]) -> object:
        """An object with these attributes; nothing that the class defines is called."""
        made: Any = object.__new__(self.cls)
        for name, value in zip(names, values, strict=True):
            if name in self.slots:
                object.__setattr__(made, name, value)
            else:
                made.__dict__[name] = value  # where a descriptor of the class does not see it
        return made


class ClassTable:
    """The allow-list. Made once, when the function has been loaded: what is imported later is not in it,
    since another worker may not have imported it when it meets the token."""

    def __init__(self, classes: Iterable[type] = ()) -> None:
        own = list(classes)
        known = [described for cls in own if (described := _describe(cls, own)) is not None]
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
        """What is known of a class, or None."""
        return self._by_class.get(cls)

    def named(self, name: object) -> StateClass:
        """The class of that name. Nothing is imported."""
        known = self._by_name.get(name) if isinstance(name, str) else None
        if known is None:
            raise DecodeError("made by another version of this function")
        return known


def _describe(cls: type, own: Sequence[type]) -> StateClass | None:
    tag = _tag(cls, own)
    if tag is None:
        return None
    fields = _fields(cls)
    described = repr((cls.__module__, cls.__qualname__, tag, fields))
    name = hashlib.blake2b(described.encode(), digest_size=8).hexdigest()
    return StateClass(cls, tag, name, fields, _slots(cls), frozenset(_taken(cls)))


def _tag(cls: Any, own: Sequence[type]) -> int | None:
    if issubclass(cls, Enum):
        return None if issubclass(cls, Flag) else tags.ENUM
    if issubclass(cls, tuple):
        return tags.NAMED_TUPLE if isinstance(getattr(cls, "_fields", None), tuple) else None
    # What a class inherits from others may need its constructor; a finalizer would run on whatever a token says.
    is_plain = all(base in _STATELESS or base in own for base in cls.__mro__)
    if not is_plain or hasattr(cls, "__del__"):
        return None
    has_no_own_hash = cls.__hash__ is None or cls.__hash__ is object.__hash__
    return tags.OBJECT if has_no_own_hash else tags.VALUE


def _fields(cls: Any) -> tuple[str, ...]:
    if issubclass(cls, tuple):
        return tuple(cls._fields)
    if dataclasses.is_dataclass(cls):
        return tuple(field.name for field in dataclasses.fields(cls))
    return tuple(field.name for field in attrs.fields(cls)) if attrs.has(cls) else ()


def _slots(cls: type) -> tuple[str, ...]:
    names = []
    for base in cls.__mro__:
        own = base.__dict__.get("__slots__", ())
        for name in (own,) if isinstance(own, str) else own:
            if name not in ("__dict__", "__weakref__"):
                private = name.startswith("__") and not name.endswith("__")
                names.append(f"_{base.__name__.lstrip('_')}{name}" if private else name)
    return tuple(dict.fromkeys(names))


def _taken(cls: type) -> Iterator[str]:
    for base in cls.__mro__:
        for name, value in vars(base).items():
            if not isinstance(value, cached_property) and (callable(value) or hasattr(type(value), "__get__")):
                yield name


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
