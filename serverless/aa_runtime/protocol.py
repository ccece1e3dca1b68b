"""The protocol of a ReID function. cvat-sdk has none, so this one is written in its style."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import attrs
from attrs.validators import ge, instance_of, optional

if TYPE_CHECKING:  # `generate` reads a function's spec where neither need be installed
    import numpy.typing as npt
    import PIL.Image


@attrs.frozen(kw_only=True)
class ReIDFunctionSpec:
    """Static information about a ReID function.

    Objects of this class should be treated as immutable.
    """

    embedding_size: int | None = attrs.field(default=None, validator=optional([instance_of(int), ge(1)]))
    """The number of columns of what `embed` returns. Checked on every call; None leaves it open."""


class ReIDFunctionContext(metaclass=abc.ABCMeta):  # noqa: B024 - as cvat-sdk declares its own
    """Information that is supplied to a ReID function.

    Currently this class is empty, but in the future some properties may be added.
    """


class ReIDFunction(Protocol):
    """The interface that a ReID function must implement.

    A ReID function describes the looks of objects by vectors; objects that look alike get vectors that point
    the same way. The runtime compares them by cosine distance, among pairs of equal label whose centres are
    near enough, and assigns each object of one frame to at most one of the next.
    """

    @property
    def spec(self) -> ReIDFunctionSpec:
        """Returns the function's spec."""
        ...

    def embed(
        self,
        context: ReIDFunctionContext,
        image: PIL.Image.Image,
        boxes: Sequence[tuple[float, float, float, float]],
    ) -> npt.ArrayLike:
        """
        Describes the objects in the boxes of one image.

        `image` is the frame as CVAT has it, in any mode. `boxes` are `(x1, y1, x2, y2)` in its pixels,
        clipped to it, at least one, each with x1 < x2 and y1 < y2.

        Returns one row of features per box, as an array of shape `(len(boxes), D)` with the same D in every
        call. Rows need not be normalised. A row of zeros, or with a value that is not finite, matches
        nothing.
        """
        ...
