"""How a picture becomes a Mask R-CNN's input."""

import attrs
import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


@attrs.frozen(kw_only=True)
class Input:
    """The network sees (value - mean) / scale, blue first with `bgr`.

    A graph of fixed size gets pictures stretched, or with bars if `keep_ratio`; any other gets them with the shorter
    side at `min_side`, the longer at most at `max_side`.
    """

    mean: tuple[float, ...]
    scale: float
    bgr: bool
    keep_ratio: bool
    min_side: int
    max_side: int

    def pixels(
        self, picture: npt.NDArray[np.uint8], fixed: tuple[int, int] | None
    ) -> tuple[Floats, tuple[float, float]]:
        """The input, H x W x 3, and the width and height that it is, bars included, in the picture's pixels.

        `fixed` are the graph's own width and height.
        """
        height, width = picture.shape[:2]
        inner = self._inner_size(width, height, fixed)
        resized = cv2.resize(picture, inner, interpolation=cv2.INTER_LINEAR).astype(np.float32)
        if self.bgr:
            resized = resized[..., ::-1]
        # Bars at the right and below: coordinates stay what they are.
        canvas = np.zeros((*(fixed[::-1] if fixed else whole_cells(inner)), 3), np.float32)
        canvas[: inner[1], : inner[0]] = (resized - np.array(self.mean, np.float32)) / self.scale
        return canvas, (width * canvas.shape[1] / inner[0], height * canvas.shape[0] / inner[1])

    def _inner_size(self, width: int, height: int, fixed: tuple[int, int] | None) -> tuple[int, int]:
        """Width and height that a picture gets in the input."""
        if fixed is not None and not self.keep_ratio:
            return fixed
        if fixed is not None:
            ratio = min(fixed[0] / width, fixed[1] / height)
        else:
            ratio = min(self.min_side / min(width, height), self.max_side / max(width, height))
        return max(round(width * ratio), 1), max(round(height * ratio), 1)


def whole_cells(size: tuple[int, int]) -> tuple[int, int]:
    """Height and width for a width and height, up to whole cells of a network's coarsest level."""
    return -(-size[1] // 32) * 32, -(-size[0] // 32) * 32
