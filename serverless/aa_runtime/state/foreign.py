"""Values of libraries, taken apart into scalars and put together again.

A library is imported only when a state holds its values: a function without numpy or torch does without.
"""

import sys
from collections.abc import Callable
from typing import Any, Final, Protocol

from aa_runtime.state import tags


class Adapter(Protocol):
    """One sort of value."""

    tag: int

    def take_apart(self, value: Any) -> list[Any]:
        """Scalars that say all about the value. EncodeError where they cannot."""
        ...

    def put_together(self, part: Callable[[], Any]) -> Any:
        """The value of the parts that `part` gives one by one. Any exception where they make no sense; sizes are
        checked before memory is taken."""
        ...


def adapter_of(value: object) -> Adapter | None:
    """What takes this value apart, or None."""
    tag = _tag_of(value)
    return None if tag is None else adapter_for(tag)


def adapter_for(tag: int) -> Adapter:
    """The adapter of that tag."""
    known = _BY_TAG.get(tag)
    if known is None:
        known = _BY_TAG[tag] = _import_adapter(tag)
    return known


def _tag_of(value: object) -> int | None:
    numpy, pillow, torch = map(sys.modules.get, ("numpy", "PIL.Image", "torch"))
    if numpy is not None:
        if type(value) is numpy.ndarray:
            return tags.ARRAY
        if isinstance(value, numpy.generic):
            return tags.ARRAY_SCALAR
    if pillow is not None and isinstance(value, pillow.Image):
        return tags.IMAGE
    if torch is not None and type(value) is torch.Tensor:
        return tags.TENSOR
    return None


def _import_adapter(tag: int) -> Adapter:
    if tag == tags.ARRAY:
        from aa_runtime.state.arrays import ARRAYS

        return ARRAYS
    if tag == tags.ARRAY_SCALAR:
        from aa_runtime.state.arrays import ARRAY_SCALARS

        return ARRAY_SCALARS
    if tag == tags.IMAGE:
        from aa_runtime.state.pictures import PICTURES

        return PICTURES
    from aa_runtime.state.tensors import TENSORS

    return TENSORS


_BY_TAG: Final[dict[int, Adapter]] = {}
