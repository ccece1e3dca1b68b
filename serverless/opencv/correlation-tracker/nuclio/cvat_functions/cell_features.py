"""What a correlation filter sees: cells of gradient orientations and colour in a part of a frame."""

from typing import Final

import attrs
import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Pixels = NDArray[np.uint8]

#: Pixels on a side of the square over which features are averaged.
CELL: Final = 4
#: Bins of the gradient's direction, over half a turn.
ORIENTATIONS: Final = 9
#: A level with a side below this is the last: the next would be too small to hold an object.
SMALLEST_SIDE: Final = 64


@attrs.frozen(eq=False)
class Frame:
    """An image as the tracker uses it: RGB, halved again and again, so that no object has to be shrunk by much."""

    levels: tuple[Pixels, ...]

    @classmethod
    def of(cls, rgb: Pixels) -> "Frame":
        """Halves the image until the smallest level is too small to hold an object."""
        levels = [rgb]
        while min(levels[-1].shape[:2]) >= SMALLEST_SIDE:
            half = [side // 2 for side in levels[-1].shape[1::-1]]
            levels.append(cv2.resize(levels[-1], half, interpolation=cv2.INTER_AREA))
        return cls(tuple(levels))

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the whole image, in pixels."""
        height, width = self.levels[0].shape[:2]
        return width, height


def features(frame: Frame, box: Floats, grid: tuple[int, int], context: float) -> Floats:
    """Of the window around `box`, of `context` of its sides, faded out towards the edges: (channels, rows, columns)."""
    columns, rows = grid
    patch = cut(frame, box[:2], box[2:] * context, (columns * CELL, rows * CELL))
    window = np.outer(np.hanning(rows + 2)[1:-1], np.hanning(columns + 2)[1:-1])
    return np.ascontiguousarray(describe(patch) * window, dtype=np.float32)


def cut(frame: Frame, centre: Floats, size: Floats, shape: tuple[int, int]) -> Pixels:
    """The part of the frame of `size` around `centre`, resized to `shape` (columns, rows) pixels."""
    shrinking = np.log2(max(min(size / shape), 1))
    level = min(int(shrinking), len(frame.levels) - 1)
    image = frame.levels[level]
    scale = (image.shape[1] / frame.size[0], image.shape[0] / frame.size[1])
    step = size * scale / shape
    corner = (centre - size / 2) * scale + step / 2 - 0.5
    transform = np.array([[step[0], 0, corner[0]], [0, step[1], corner[1]]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(image, transform, shape, flags=flags, borderMode=cv2.BORDER_REPLICATE)


def describe(patch: Pixels) -> Floats:
    """Cells of gradient orientations and colour: (ORIENTATIONS + 3, rows, columns)."""
    lab = cv2.cvtColor(patch, cv2.COLOR_RGB2LAB).astype(np.float32) / 255
    rows, columns = patch.shape[0] // CELL, patch.shape[1] // CELL
    gradients = orientation_cells(lab[..., 0], (columns, rows))
    colours = cv2.resize(lab, (columns, rows), interpolation=cv2.INTER_AREA)
    colours = (colours - colours.mean(axis=(0, 1))) * (1, 2, 2)
    return np.concatenate([gradients, colours], axis=2).transpose(2, 0, 1)


def orientation_cells(grey: Floats, shape: tuple[int, int]) -> Floats:
    """Gradient magnitude by direction in each cell, as a part of its surroundings': (rows, columns, ORIENTATIONS)."""
    dx = cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=1)
    dy = cv2.Sobel(grey, cv2.CV_32F, 0, 1, ksize=1)
    strength, angle = cv2.cartToPolar(dx, dy)
    place = angle * (ORIENTATIONS / np.pi) % ORIENTATIONS
    bins = np.empty((*grey.shape, ORIENTATIONS), dtype=np.float32)
    for number in range(ORIENTATIONS):
        distance = np.abs(place - number)
        bins[..., number] = strength * np.maximum(0, 1 - np.minimum(distance, ORIENTATIONS - distance))
    cells = cv2.resize(bins, shape, interpolation=cv2.INTER_AREA)
    around = cv2.blur(cells.sum(axis=2), (3, 3), borderType=cv2.BORDER_REPLICATE)
    return np.minimum(cells / (around[..., None] + 0.01), 0.4)
