"""Classes of every sort that a tracking function may define for its states."""

import dataclasses
import enum
from collections import namedtuple
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

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
