"""What a Mask R-CNN's outputs mean. Three families of graphs, told apart by their outputs:

* `rows`, Open Model Zoo's `mask_rcnn_*` (TensorFlow): one output of rows `[image, label, score, x1, y1, x2, y2]` with
  relative corners, another of a mask for each class, `[N, classes, h, w]`;
* `lists`, torchvision's and the ONNX Model Zoo's: `[N, 4]` boxes, `[N]` labels, `[N]` scores, `[N, 1, h, w]` masks,
  where the masks are either as large as the input or to be laid into their boxes;
* `security`, Open Model Zoo's `instance-segmentation-security-*`: `[N, 5]` boxes with scores, `[N]` labels,
  `[N, h, w]` masks.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, Literal

import attrs
import numpy as np
import numpy.typing as npt

from cvat_functions.small_masks import sampled

Floats = npt.NDArray[np.float32]
Shape = tuple[int, ...]
Box = tuple[float, ...]
LEVEL: Final = 0.5


@attrs.frozen
class Found:
    """One object; boxes are `x1, y1, x2, y2` in the picture's pixels."""

    label: int
    score: float
    box: Box
    mask: Floats
    """Probabilities, (h, w)."""
    area: Box
    """What the mask is of: the box, or the network's whole input."""

    def bitmap(self, size: tuple[int, int]) -> tuple[npt.NDArray[np.bool_], tuple[int, int]]:
        """The mask at the picture's resolution inside the box, clipped to the picture, and the box's first pixel."""
        x1, y1, x2, y2 = self.box
        left, top = (max(int(np.floor(v)), 0) for v in (x1, y1))
        right, bottom = min(int(np.ceil(x2)), size[0]), min(int(np.ceil(y2)), size[1])
        if right <= left or bottom <= top or x2 <= x1 or y2 <= y1:
            return np.zeros((0, 0), bool), (0, 0)
        return sampled(self.mask, self.area, (left, top, right, bottom)) > LEVEL, (left, top)


@attrs.frozen
class Layout:
    """Which output is what."""

    family: Literal["rows", "lists", "security"]
    boxes: int
    masks: int
    labels: int = -1
    scores: int = -1

    @classmethod
    def read(cls, outputs: Sequence[npt.NDArray[np.generic]]) -> "Layout":
        """From the outputs of one run. ValueError when they are not Mask R-CNN's."""
        shapes = [output.shape for output in outputs]
        rows = _only(shapes, lambda shape: len(shape) >= 2 and shape[-1] == 7)
        masks = _only(shapes, lambda shape: len(shape) == 4 and shape[-1] != 7)
        if rows is not None and masks is not None:
            return cls("rows", rows, masks)
        boxes = _only(shapes, lambda shape: len(shape) == 2 and shape[1] in (4, 5))
        flat = [index for index, shape in enumerate(shapes) if len(shape) == 1]
        whole = [index for index in flat if np.issubdtype(outputs[index].dtype, np.integer)]
        if masks is None:
            masks = _only(shapes, lambda shape: len(shape) == 3)
        if boxes is not None and masks is not None and whole:
            if shapes[boxes][1] == 5:
                return cls("security", boxes, masks, labels=whole[0])
            scores = next((index for index in flat if index not in whole), None)
            if scores is not None:
                return cls("lists", boxes, masks, whole[0], scores)
        raise ValueError(f"the outputs {[list(shape) for shape in shapes]} are not those of a Mask R-CNN")

    def found(self, outputs: Sequence[Floats], seen: tuple[int, int], size: tuple[float, float]) -> Iterator[Found]:
        """The objects, most certain first as the graph orders them.

        `seen` is the width and height of the network's input, `size` what they are in the picture's pixels.
        """
        if self.family == "rows":
            yield from self._rows(outputs, size)
            return
        boxes, masks, labels = outputs[self.boxes], outputs[self.masks], outputs[self.labels]
        scores = boxes[:, 4] if self.family == "security" else outputs[self.scores]
        scale = np.divide(size, seen)
        for box, mask, label, score in zip(boxes[:, :4], masks, labels, scores, strict=True):
            corners = box.reshape(2, 2) * scale
            flat = mask.reshape(mask.shape[-2:])
            corner = tuple(float(value) for value in corners.ravel())
            yield Found(int(label), float(score), corner, flat, (0, 0, *size) if flat.shape == seen[::-1] else corner)

    def _rows(self, outputs: Sequence[Floats], size: tuple[float, float]) -> Iterator[Found]:
        rows = outputs[self.boxes].reshape(-1, 7)
        for (image, label, score, *corners), mask in zip(rows, outputs[self.masks], strict=False):
            if image < 0:  # the end of what was found
                return
            box = tuple(float(value) for value in (np.reshape(corners, (2, 2)) * size).ravel())
            # One mask for each class but the background, which is class 0.
            yield Found(int(label), float(score), box, mask[0 if len(mask) == 1 else int(label) - 1], box)


def _only(shapes: Sequence[Shape], fits: Callable[[Shape], bool]) -> int | None:
    found = [index for index, shape in enumerate(shapes) if fits(shape)]
    return found[0] if len(found) == 1 else None
