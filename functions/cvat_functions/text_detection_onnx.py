"""Text detection with PP-OCRv4's detection network: each line of text as a polygon.

The network answers with a map: how likely each pixel is to be in the core of a line of text. `text_regions` makes lines
of it.

    cvat-cli task auto-annotate TASK --function-module cvat_functions.text_detection_onnx \
        -p weights=str:ch_PP-OCRv4_det_infer.onnx --allow-unmatched-labels
"""

import sys
from typing import Any, Final

import attrs
import cv2
import cvat_sdk.auto_annotation as cvataa
import numpy as np
import numpy.typing as npt
import PIL.Image

from cvat_functions.on_onnx import Graph
from cvat_functions.shared import file_of, to_rgb
from cvat_functions.text_regions import Finder, Floats, Region

#: The id of the only label.
TEXT: Final = 0
#: The network halves its input five times, so both sides must be multiples of this.
STRIDE: Final = 32
#: What PaddleOCR normalises by in training: ImageNet's figures, in this order, on channels in BGR order.
MEAN: Final = np.array([0.485, 0.456, 0.406], dtype=np.float32)
DEVIATION: Final = np.array([0.229, 0.224, 0.225], dtype=np.float32)


@attrs.frozen(kw_only=True)
class TextDetector:
    """Finds lines of text; see `create` for the parameters."""

    graph: Graph
    finder: Finder
    min_side: int
    max_side: int
    box_threshold: float
    spec = cvataa.DetectionFunctionSpec(labels=[cvataa.label_spec("text", TEXT, type="polygon")])

    def detect(self, context: cvataa.DetectionFunctionContext, image: PIL.Image.Image) -> list[Any]:
        """The lines of text of at least the context's confidence, from the top of the image to the bottom."""
        threshold = self.box_threshold if context.conf_threshold is None else context.conf_threshold
        likelihood = self._likelihood(to_bgr(image))
        scale = np.divide(image.size, likelihood.shape[::-1])
        regions = [region for region in self.finder.regions(likelihood) if region.score >= threshold]
        regions.sort(key=lambda region: tuple(region.outline.min(axis=0)[::-1]))
        return [annotation(region, scale, image.size) for region in regions]

    def _likelihood(self, image: npt.NDArray[np.uint8]) -> Floats:
        """The network's map for a BGR image, (rows, columns), 0 to 1; smaller or larger than the image."""
        size = network_size(image.shape[1], image.shape[0], self.min_side, self.max_side)
        interpolation = cv2.INTER_AREA if size[0] < image.shape[1] else cv2.INTER_LINEAR
        resized = cv2.resize(image, size, interpolation=interpolation)
        batch = ((resized.astype(np.float32) / 255 - MEAN) / DEVIATION).transpose(2, 0, 1)[None]
        return self.graph.run(batch)[0][0, 0]


def to_bgr(image: PIL.Image.Image) -> npt.NDArray[np.uint8]:
    """BGR, which the network was trained on, of an image of any mode; what is transparent becomes white."""
    is_grey = image.mode == "F" or image.mode.startswith("I")
    if image.has_transparency_data and not is_grey:
        white = PIL.Image.new("RGBA", image.size, "white")
        image = PIL.Image.alpha_composite(white, image.convert("RGBA"))
    return np.asarray(cv2.cvtColor(np.asarray(to_rgb(image)), cv2.COLOR_RGB2BGR), np.uint8)


def network_size(width: int, height: int, min_side: int, max_side: int) -> tuple[int, int]:
    """Width and height to resize an image to: both multiples of STRIDE, proportions kept as far as that goes."""
    scale = max(1.0, min_side / min(width, height))
    scale = min(scale, max_side / max(width, height))
    return max(STRIDE, round(width * scale / STRIDE) * STRIDE), max(STRIDE, round(height * scale / STRIDE) * STRIDE)


def annotation(region: Region, scale: Floats, size: tuple[int, int]) -> Any:
    """The region as a polygon on the image: pixel centres of the map laid on the image's, corners kept inside."""
    points = np.clip((region.outline + 0.5) * scale, 0, size)
    return cvataa.polygon(TEXT, points.ravel().tolist(), score=min(1.0, round(region.score, 4)))


def create(
    weights: str, max_side: int = 1536, min_side: int = 480, box_threshold: float = 0.6, map_threshold: float = 0.3,
    unclip_ratio: float = 1.6, outline: str = "box", device: str = "auto", threads: int = 0,
) -> TextDetector:  # fmt: skip
    """The detector over the graph in the file `weights`.

    max_side: images are shrunk until their longer side is no more than this many pixels.
    min_side: images are enlarged until their shorter side is this many pixels, within max_side. More finds smaller
        text, and more of what only looks like text.
    box_threshold: the least score of a line when the caller names no confidence threshold.
    map_threshold: the likelihood over which a pixel belongs to the core of a line.
    unclip_ratio: how far a line reaches beyond its core.
    outline: "box" for four corners, "contour" for an outline that follows curved text.
    device: "cpu", "cuda", or "auto": CUDA where this onnxruntime has it.
    threads: threads for each image; 0 leaves it to onnxruntime.
    """
    if outline not in ("box", "contour"):
        raise ValueError(f"outline is {outline!r}; it must be 'box' or 'contour'")
    file = file_of(weights, "weights")
    graph = Graph(file, device, threads)
    print(f"{file.name}: lines of text, on {graph.provider}", file=sys.stderr, flush=True)
    finder = Finder(map_threshold=map_threshold, unclip_ratio=unclip_ratio, outline=outline)
    return TextDetector(
        graph=graph, finder=finder, min_side=min_side, max_side=max_side, box_threshold=box_threshold
    )  # fmt: skip
