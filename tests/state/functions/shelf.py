"""Classes of every sort that a tracking function may define for its states."""

import dataclasses
import enum
import typing
from abc import ABC
from collections import namedtuple
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, ClassVar, NamedTuple, TypeVar

import attrs
import cvat_sdk.auto_annotation as cvataa

made: list[str] = []
"""Names of classes whose constructor or hook ran."""


class Phase(enum.Enum):
    SEEN = "seen"
    LOST = (1, 2)


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Mode(enum.Flag):
    FAST = 1
    EXACT = 2
    ALL = 3


class Corner(NamedTuple):
    x: float
    y: float = 0.0


Pair = namedtuple("Pair", "left right")


@dataclass
class Plain:
    a: Any
    b: Any = None
    count: ClassVar[int] = 7

    def __post_init__(self) -> None:
        made.append("Plain")

    @cached_property
    def total(self) -> int:
        return 42

    def reset(self) -> None:
        self.a = None

    @property
    def doubled(self) -> int:
        return 2

    @staticmethod
    def made_of() -> None:
        return None


@dataclass(slots=True)
class Slotted:
    a: Any
    b: Any = dataclasses.field(init=False)


@dataclass(frozen=True)
class Frozen:
    a: Any
    b: Any = None


@attrs.define
class Attrs:
    a: Any
    _b: Any = None
    __hidden: Any = 3

    class Inner(enum.Enum):
        ONE = 1


@attrs.frozen
class AttrsFrozen:
    a: Any


@attrs.define(slots=False)
class AttrsDict:
    a: Any = attrs.field(default=None)


@dataclass
class Child(Plain):
    c: Any = None


@dataclass
class OfDict(dict):  # type: ignore[type-arg]
    a: Any = None


class Ordinary:
    def __init__(self) -> None:
        self.a = 1

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ordinary) and vars(self) == vars(other)

    @property
    def doubled(self) -> int:
        return 2 * self.a

    @classmethod
    def made_of(cls, a: int) -> "Ordinary":
        return cls()

    def reset(self) -> None:
        self.a = 1


Item = TypeVar("Item")


@dataclass
class Generic(typing.Generic[Item]):
    a: Item


@dataclass
class Abstract(ABC):  # noqa: B024 - as people write them
    a: int = 1


@dataclass
class Ended:
    path: str = "x"

    def __del__(self) -> None:
        made.append(self.path)


class Fault(Exception):
    pass


class OfOthers(Fraction):
    pass


def local_class() -> Any:
    @dataclass
    class Local:
        a: int = 1

    return Local()


class Function:
    spec = cvataa.TrackingFunctionSpec(supported_shape_types=["rectangle"])

    def init_tracking_state(self, context: object, pp_image: object, shape: object) -> object:
        return None

    def track(self, context: object, pp_image: object, state: object) -> None:
        return None


def create() -> Function:
    return Function()
