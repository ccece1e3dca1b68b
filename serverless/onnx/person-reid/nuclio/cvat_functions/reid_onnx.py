"""Person re-identification by an embedding network in ONNX form: each box's crop becomes a vector of features.

For any graph that takes `[N, 3, H, W]` crops and answers `[N, D]`: OSNet, ResNet50-IBN and others of torchreid and
fast-reid, and networks for other objects than persons. CVAT's server joins boxes of one frame with those of the next
by the cosine distance of these vectors (see `aa_runtime`). `cvat-cli` has no ReID.
"""

import sys
from collections.abc import Sequence
from typing import Final

import numpy as np
import PIL.Image

from aa_runtime import ReIDFunctionContext, ReIDFunctionSpec
from cvat_functions.on_onnx import Floats, Graph
from cvat_functions.shared import Box, file_of, pixels_of, to_rgb

#: Width and height for a graph that takes any: what person re-identification is trained on.
DEFAULT_SIZE: Final = (128, 256)


class PersonReID:
    """The function over one graph; see `create` for the parameters."""

    def __init__(self, graph: Graph, mean: Floats, deviation: Floats, bgr: bool, most: int) -> None:
        self._graph, self._mean, self._deviation, self._bgr = graph, mean, deviation, bgr
        self._batch = graph.batch or most
        self.size = (graph.size[0] or DEFAULT_SIZE[0], graph.size[1] or DEFAULT_SIZE[1])
        # One run: the number of features is known only then, and the first real request finds a warm engine.
        blank = np.zeros((1, 3, self.size[1], self.size[0]), np.float32)
        self.spec = ReIDFunctionSpec(embedding_size=self._features(blank).shape[1])

    def embed(self, context: ReIDFunctionContext, image: PIL.Image.Image, boxes: Sequence[Box]) -> Floats:
        """One row of features for each box, of length one, so that distances compare directions alone."""
        picture = to_rgb(image)
        crops = np.stack([self._crop(picture, box) for box in boxes])
        starts = range(0, len(crops), self._batch)
        features = np.concatenate([self._features(crops[start : start + self._batch]) for start in starts])
        lengths = np.linalg.norm(features, axis=1, keepdims=True)
        return features / np.maximum(lengths, np.finfo(np.float32).tiny)

    def _crop(self, picture: PIL.Image.Image, box: Box) -> Floats:
        crop = picture.crop(pixels_of(box)).resize(self.size, PIL.Image.Resampling.BILINEAR)
        pixels = (np.asarray(crop, np.float32) / 255 - self._mean) / self._deviation
        return np.ascontiguousarray((pixels[..., ::-1] if self._bgr else pixels).transpose(2, 0, 1), np.float32)

    def _features(self, crops: Floats) -> Floats:
        """`(N, D)` for at most a batch of crops."""
        found, count = self._graph.run(crops)[0], self._graph.batch or len(crops)
        if len(found) != count or found.ndim not in (2, 4) or (found.ndim == 4 and found.shape[2:] != (1, 1)):
            raise ValueError(f"the graph answers {list(found.shape)} for {count} crops: not one vector each")
        return found.reshape(len(found), -1)[: len(crops)]


def triple(text: str, option: str) -> Floats:
    """Three numbers with commas between them, one for each of red, green and blue."""
    try:
        red, green, blue = (float(part) for part in text.split(","))
    except ValueError as fault:
        raise ValueError(f"{option} is {text!r}: three numbers with commas between them") from fault
    return np.array([red, green, blue], np.float32)


def create(
    weights: str, mean: str = "0.485,0.456,0.406", deviation: str = "0.229,0.224,0.225", bgr: bool = False,
    batch: int = 32,
) -> PersonReID:  # fmt: skip
    """The function over the graph in the file `weights`.

    `mean` and `deviation`: of red, green and blue between 0 and 1; the defaults are ImageNet's, as torchreid has them.
    For a graph that takes 0 to 255 as it is (OpenVINO's): `mean=0,0,0`, `deviation=0.00392156862,...` and `bgr`.
    `batch`: most crops at once, where the graph leaves it open.
    """
    file = file_of(weights, "weights")
    graph = Graph(file)
    function = PersonReID(graph, triple(mean, "mean"), triple(deviation, "deviation"), bgr, batch)
    size = "crops of {} x {}, {} features".format(*function.size, function.spec.embedding_size)
    print(f"{file.name}: {size}, on {graph.provider}", file=sys.stderr, flush=True)
    return function
