"""A ReID function on colour and gradient histograms: what an object looks like, without a network.

The box is cut into bands, since what is on an object's top rarely is at its bottom. Each band has a histogram of
colour and one of gradient directions. From each the same histogram of the whole frame is taken away: what remains is
how the object differs from its surroundings, so that two objects do not look alike just for being in one street.
"""

from collections.abc import Sequence
from typing import Final

import attrs
import cv2
import numpy as np
import PIL.Image

from aa_runtime import ReIDFunctionContext, ReIDFunctionSpec
from cvat_functions.looks import COLOUR_BINS, DIRECTIONS, Floats, Pixels, colours, directions
from cvat_functions.shared import Box, to_rgb

#: Columns and rows of pixels that each box is resized to.
PATCH: Final = (48, 96)
#: The longer side, in pixels, that the whole frame is shrunk to for its own histograms.
FRAME_SIDE: Final = 320


@attrs.frozen(kw_only=True)
class AppearanceReID:
    """Describes objects by histograms; see `create` for the parameters."""

    bands: int
    gradient_weight: float
    centred: float

    @property
    def spec(self) -> ReIDFunctionSpec:
        """Rows of one length, always."""
        return ReIDFunctionSpec(embedding_size=self.bands * (int(np.prod(COLOUR_BINS)) + DIRECTIONS))

    def embed(
        self,
        context: ReIDFunctionContext,
        image: PIL.Image.Image,
        boxes: Sequence[Box],
    ) -> Floats:
        """One row per box, (len(boxes), spec.embedding_size); equal looks point the same way."""
        rgb = np.asarray(to_rgb(image))
        usual = self._describe(shrunk(rgb)) * self.centred
        rows = [np.concatenate([self._describe(band) - usual for band in self._bands(rgb, box)]) for box in boxes]
        return np.array(rows, dtype=np.float32)

    def _bands(self, rgb: Pixels, box: Box) -> list[Pixels]:
        return np.array_split(patch(rgb, box), self.bands)

    def _describe(self, rgb: Pixels) -> Floats:
        """Roots of both histograms, so that their scalar product is the histograms' Bhattacharyya coefficient."""
        return np.concatenate([np.sqrt(colours(rgb)), self.gradient_weight * np.sqrt(directions(rgb))])


def shrunk(rgb: Pixels) -> Pixels:
    scale = min(1.0, FRAME_SIDE / max(rgb.shape[:2]))
    size = [max(2, round(side * scale)) for side in rgb.shape[1::-1]]
    return cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)


def patch(rgb: Pixels, box: Box) -> Pixels:
    """The box's pixels, at least one, resized to PATCH."""
    height, width = rgb.shape[:2]
    left, top = min(int(box[0]), width - 1), min(int(box[1]), height - 1)
    right, bottom = max(round(box[2]), left + 1), max(round(box[3]), top + 1)
    part = rgb[top:bottom, left:right]
    shrinks = part.shape[0] > PATCH[1] and part.shape[1] > PATCH[0]
    return cv2.resize(part, PATCH, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def create(bands: int = 6, gradient_weight: float = 0.5, centred: float = 1.0) -> AppearanceReID:
    """Makes the function.

    bands: how many horizontal bands each box is cut into.
    gradient_weight: what gradients count against colours.
    centred: how much of the frame's own histograms is taken away, 0 to 1.
    """
    return AppearanceReID(bands=bands, gradient_weight=gradient_weight, centred=centred)
