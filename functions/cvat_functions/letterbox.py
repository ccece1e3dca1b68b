"""Letterboxing: a picture scaled alike in both directions into a network's input, grey bars around it."""

from typing import Final

import attrs
import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
PADDING: Final = 114


@attrs.frozen
class Letterbox:
    """Where a picture lies in the network's input, all in pixels; `inner` is what the picture is there."""

    width: int
    height: int
    inner_width: int
    inner_height: int
    left: int
    top: int
    right: int
    bottom: int

    @classmethod
    def fit(cls, width: int, height: int, input_width: int, input_height: int, stride: int | None) -> "Letterbox":
        """As ultralytics' `LetterBox`; with a stride, the bars are as thin as the stride lets them be (`auto`)."""
        ratio = min(input_height / height, input_width / width)
        inner_width, inner_height = max(round(width * ratio), 1), max(round(height * ratio), 1)
        bar_x, bar_y = input_width - inner_width, input_height - inner_height
        if stride is not None:
            bar_x, bar_y = bar_x % stride, bar_y % stride
        left, right = round(bar_x / 2 - 0.1), round(bar_x / 2 + 0.1)
        top, bottom = round(bar_y / 2 - 0.1), round(bar_y / 2 + 0.1)
        return cls(width, height, inner_width, inner_height, left, top, right, bottom)

    @property
    def gain(self) -> tuple[float, float]:
        """Input pixels for one of the picture's, in x and y."""
        return self.inner_width / self.width, self.inner_height / self.height

    @property
    def area(self) -> tuple[float, float, float, float]:
        """The whole input, bars included, in the picture's pixels: `x1, y1, x2, y2`."""
        across, down = self.gain
        right, bottom = self.inner_width + self.right, self.inner_height + self.bottom
        return -self.left / across, -self.top / down, right / across, bottom / down

    def apply(self, picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """The network's input as H x W x 3 bytes."""
        if (self.width, self.height) != (self.inner_width, self.inner_height):
            picture = cv2.resize(picture, (self.inner_width, self.inner_height), interpolation=cv2.INTER_LINEAR)
        bars = (self.top, self.bottom, self.left, self.right)
        return np.asarray(cv2.copyMakeBorder(picture, *bars, cv2.BORDER_CONSTANT, value=(PADDING,) * 3), np.uint8)

    def points_back(self, points: Floats) -> Floats:
        """`(..., 2)` input pixels as the picture's pixels, not clipped."""
        return ((points - (self.left, self.top)) / self.gain).astype(np.float32)

    def corners_back(self, row: Floats) -> list[float]:
        """`x1, y1, x2, y2` in input pixels as the picture's, clipped to it."""
        corners = self.points_back(row.reshape(2, 2)).clip(0, (self.width, self.height))
        return [float(value) for value in corners.ravel()]
