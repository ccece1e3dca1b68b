"""Text detection with PP-OCRv4's detection network: each line of text as a polygon.

The network answers with a map: how likely each pixel is to be in the core of a line of text. Cores are thresholded,
traced, scored by the mean of the map inside them, and grown back to the whole line (differentiable binarization).
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import attrs
import cv2
import cvat_sdk.auto_annotation as cvataa
import numpy as np
import onnxruntime
import PIL.Image
from numpy.typing import NDArray

Floats = NDArray[np.floating]

MODEL = Path(__file__).with_name("ch_PP-OCRv4_det_infer.onnx")
TEXT = 0
"""The id of the only label."""
STRIDE = 32
"""The network halves its input five times, so both sides must be multiples of this."""
MEAN = np.array([0.485, 0.456, 0.406], dtype=np.float32)
DEVIATION = np.array([0.229, 0.224, 0.225], dtype=np.float32)
"""What PaddleOCR normalises by in training: ImageNet's figures, in this order, on channels in BGR order."""
SMALLEST = 3
"""Cores narrower than this many pixels of the map are noise."""


@attrs.frozen
class Region:
    """One line of text in pixels of the map: its outline (N, 2), and the mean of the map in its core, 0 to 1."""

    outline: Floats
    score: float


@attrs.frozen(kw_only=True)
class TextDetector:
    """Finds lines of text; see `create` for the parameters."""

    session: onnxruntime.InferenceSession
    min_side: int
    max_side: int
    map_threshold: float
    box_threshold: float
    unclip_ratio: float
    outline: Literal["box", "contour"]

    @property
    def spec(self) -> cvataa.DetectionFunctionSpec:
        """One label, `text`, drawn as a polygon."""
        return cvataa.DetectionFunctionSpec(labels=[cvataa.label_spec("text", TEXT, type="polygon")])

    def detect(
        self, context: cvataa.DetectionFunctionContext, image: PIL.Image.Image
    ) -> list[cvataa.DetectionAnnotation]:
        """The lines of text of at least the context's confidence, from the top of the image to the bottom."""
        threshold = self.box_threshold if context.conf_threshold is None else context.conf_threshold
        likelihood = self._likelihood(to_bgr(image))
        scale = np.divide(image.size, likelihood.shape[::-1])
        regions = [region for region in self._regions(likelihood) if region.score >= threshold]
        regions.sort(key=lambda region: tuple(region.outline.min(axis=0)[::-1]))
        return [annotation(region, scale, image.size) for region in regions]

    def _likelihood(self, image: NDArray[np.uint8]) -> Floats:
        """The network's map for a BGR image, (rows, columns), 0 to 1; smaller or larger than the image."""
        size = network_size(image.shape[1], image.shape[0], self.min_side, self.max_side)
        interpolation = cv2.INTER_AREA if size[0] < image.shape[1] else cv2.INTER_LINEAR
        resized = cv2.resize(image, size, interpolation=interpolation)
        batch = ((resized.astype(np.float32) / 255 - MEAN) / DEVIATION).transpose(2, 0, 1)[None]
        (answer,) = self.session.run(None, {self.session.get_inputs()[0].name: batch})
        return answer[0, 0]

    def _regions(self, likelihood: Floats) -> Iterator[Region]:
        cores = cv2.dilate((likelihood > self.map_threshold).astype(np.uint8), np.ones((2, 2), np.uint8))
        contours, _ = cv2.findContours(cores, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
        for contour in contours:
            core = contour[:, 0].astype(np.float32)
            if min(cv2.minAreaRect(core)[1]) < SMALLEST:
                continue
            # Scored inside the contour, not inside its box: the box of a curved line is mostly background.
            score = mean_inside(likelihood, core)
            outline = self._grow(core)
            if outline is not None:
                yield Region(outline, score)

    def _grow(self, core: Floats) -> Floats | None:
        """The whole line's outline: its core moved outwards by area * unclip_ratio / perimeter."""
        if self.outline == "contour":
            return offset(core, unclip_distance(core, self.unclip_ratio))
        centre, (width, height), angle = cv2.minAreaRect(core)
        further = 2 * unclip_distance(cv2.boxPoints((centre, (width, height), angle)), self.unclip_ratio)
        return cv2.boxPoints((centre, (width + further, height + further), angle))


def create(
    max_side: int = 1536,
    min_side: int = 480,
    box_threshold: float = 0.6,
    map_threshold: float = 0.3,
    unclip_ratio: float = 1.6,
    outline: Literal["box", "contour"] = "box",
    device: str = "auto",
    threads: int = 0,
) -> TextDetector:
    """Loads the network.

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
    session = open_session(device, threads)
    print(f"{MODEL.name}: lines of text, on {session.get_providers()[0]}", file=sys.stderr, flush=True)
    return TextDetector(
        session=session,
        min_side=min_side,
        max_side=max_side,
        map_threshold=map_threshold,
        box_threshold=box_threshold,
        unclip_ratio=unclip_ratio,
        outline=outline,
    )


def open_session(device: str, threads: int) -> onnxruntime.InferenceSession:
    """Opens the model on the device, which must be one of "auto", "cpu" and "cuda"."""
    wanted = {
        "auto": ["CUDAExecutionProvider", "CPUExecutionProvider"],
        "cpu": ["CPUExecutionProvider"],
        "cuda": ["CUDAExecutionProvider"],
    }
    if device not in wanted:
        raise ValueError(f"device is {device!r}; it must be one of {', '.join(wanted)}")
    available = onnxruntime.get_available_providers()
    providers = [provider for provider in wanted[device] if provider in available]
    if not providers:
        raise RuntimeError(f"this onnxruntime cannot use {device}: it has {', '.join(available)}")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(MODEL, options, providers=providers)


def to_bgr(image: PIL.Image.Image) -> NDArray[np.uint8]:
    """BGR, which the network was trained on, of an image of any mode; what is transparent becomes white."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return cv2.cvtColor(to_8_bits(np.asarray(image, np.float32)), cv2.COLOR_GRAY2BGR)
    if image.has_transparency_data:
        white = PIL.Image.new("RGBA", image.size, "white")
        image = PIL.Image.alpha_composite(white, image.convert("RGBA"))
    return cv2.cvtColor(np.asarray(image.convert("RGB")), cv2.COLOR_RGB2BGR)


def to_8_bits(grey: Floats) -> NDArray[np.uint8]:
    """Grey levels of up to 16 bits, which Pillow's own conversion would cut off at 255."""
    levels = grey / 257 if grey.max() > 255 else grey
    return np.clip(levels, 0, 255).astype(np.uint8)


def network_size(width: int, height: int, min_side: int, max_side: int) -> tuple[int, int]:
    """Width and height to resize an image to: both multiples of STRIDE, proportions kept as far as that goes."""
    scale = max(1.0, min_side / min(width, height))
    scale = min(scale, max_side / max(width, height))
    return max(STRIDE, round(width * scale / STRIDE) * STRIDE), max(STRIDE, round(height * scale / STRIDE) * STRIDE)


def mean_inside(likelihood: Floats, polygon: Floats) -> float:
    """The mean of the map over the polygon's pixels."""
    left, top = np.maximum(np.floor(polygon.min(axis=0)).astype(int), 0)
    right, bottom = np.ceil(polygon.max(axis=0)).astype(int) + 1
    part = likelihood[top:bottom, left:right]
    inside = np.zeros(part.shape, dtype=np.uint8)
    cv2.fillPoly(inside, [np.round(polygon - (left, top)).astype(np.int32)], 1)
    return float(cv2.mean(part, inside)[0])


def unclip_distance(polygon: Floats, ratio: float) -> float:
    """How far the network was taught to shrink a line's outline: area * ratio / perimeter."""
    return cv2.contourArea(polygon) * ratio / max(cv2.arcLength(polygon, True), 1e-6)


def offset(polygon: Floats, distance: float) -> Floats | None:
    """The polygon grown by `distance` with round corners: a disc's Minkowski sum with it, traced at 4 dots a pixel.

    None when less than a triangle is left.
    """
    dots = 4
    margin = distance + 2
    origin = np.floor(polygon.min(axis=0) - margin)
    columns, rows = np.ceil((polygon.max(axis=0) + margin - origin) * dots).astype(int)
    drawn = np.ones((rows, columns), dtype=np.uint8)
    cv2.fillPoly(drawn, [np.round((polygon - origin) * dots).astype(np.int32)], 0)
    away = cv2.distanceTransform(drawn, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    reached = (away <= distance * dots).astype(np.uint8)
    contours, _ = cv2.findContours(reached, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    largest = max(contours, key=cv2.contourArea)
    simple = cv2.approxPolyDP(largest, dots / 2, True)[:, 0]
    return simple / dots + origin if len(simple) >= 3 else None


def annotation(region: Region, scale: Floats, size: tuple[int, int]) -> cvataa.DetectionAnnotation:
    """The region as a polygon on the image: pixel centres of the map laid on the image's, corners kept inside."""
    points = np.clip((region.outline + 0.5) * scale, 0, size)
    return cvataa.polygon(TEXT, points.ravel().tolist(), score=min(1.0, round(region.score, 4)))
