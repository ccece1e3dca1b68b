"""Mask R-CNN on OpenVINO, as a detector of masks: IR (`.xml` with its `.bin`) or ONNX.

Three families of graphs, told apart by their outputs:

* Open Model Zoo's `mask_rcnn_*` (TensorFlow): one output of rows `[image, label, score, x1, y1, x2, y2]` with
  relative corners, another of a mask for each class, `[N, classes, h, w]`;
* torchvision's and the ONNX Model Zoo's: `[N, 4]` boxes, `[N]` labels, `[N]` scores, `[N, 1, h, w]` masks, where the
  masks are either as large as the input or to be laid into their boxes;
* Open Model Zoo's `instance-segmentation-security-*`: `[N, 5]` boxes with scores, `[N]` labels, `[N, h, w]` masks.

    cvat-cli task auto-annotate TASK --function-file func.py -p weights=str:mask_rcnn.xml -p labels=str:coco_91.txt
"""

import sys
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Final, Literal

import attrs
import cv2
import cvat_sdk.auto_annotation as cvataa
import numpy as np
import numpy.typing as npt
import PIL.Image
from cvat_sdk import models
from cvat_sdk.masks import encode_mask

import openvino

Floats = npt.NDArray[np.float32]
Bitmap = npt.NDArray[np.bool_]
Box = tuple[float, ...]
Family = Literal["rows", "lists", "security"]

#: As CVAT's own function for this network.
DEFAULT_CONFIDENCE: Final = 0.2
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


@attrs.frozen(kw_only=True)
class Input:
    """How a picture becomes the network's input; None follows from the graph's outputs, see `create`."""

    mean: tuple[float, ...]
    scale: float | None
    bgr: bool | None
    keep_ratio: bool | None
    min_side: int
    max_side: int

    def inner_size(self, width: int, height: int, fixed: tuple[int, int] | None) -> tuple[int, int]:
        """Width and height that a picture gets in the input."""
        if fixed is not None and not self.keep_ratio:
            return fixed
        if fixed is not None:
            ratio = min(fixed[0] / width, fixed[1] / height)
        else:
            ratio = min(self.min_side / min(width, height), self.max_side / max(width, height))
        return max(round(width * ratio), 1), max(round(height * ratio), 1)


class Network:
    """A graph as OpenVINO runs it on the CPU, or on the device that the user named."""

    def __init__(self, file: Path, device: str) -> None:
        core = openvino.Core()
        model = core.read_model(file)
        inputs = [node.any_name for node in model.inputs]
        shapes = {node.any_name: node.partial_shape for node in model.inputs}
        pictures = [name for name in inputs if shapes[name].rank.get_length() >= 3]
        if len(pictures) != 1:
            raise ValueError(f"{file.name}: of the inputs {inputs} not one takes a picture")
        self._picture = pictures[0]
        self._info = next((name for name in inputs if name != self._picture), None)
        dimensions = [d.get_length() if d.is_static else None for d in shapes[self._picture]]
        self._batched = len(dimensions) == 4
        self._channels_last = dimensions[-1] == 3
        sides = (dimensions[-3:-1] if self._channels_last else dimensions[-2:])[::-1]
        #: Width and height, where the graph fixes them.
        self.fixed = (sides[0], sides[1]) if sides[0] and sides[1] else None
        # Results must not depend on how many other requests the device is working on.
        self._compiled = core.compile_model(model, device, {"PERFORMANCE_HINT": "LATENCY"})
        self.full_device_name: str = core.get_property(device, "FULL_DEVICE_NAME")

    def __call__(self, pixels: Floats) -> list[Floats]:
        """Every output for one H x W x 3 picture."""
        batch = pixels if self._channels_last else pixels.transpose(2, 0, 1)
        feed = {self._picture: np.ascontiguousarray(batch[None] if self._batched else batch, np.float32)}
        if self._info is not None:
            feed[self._info] = np.array([[*pixels.shape[:2], 1]], np.float32)
        answer = self._compiled(feed)
        return [np.asarray(answer[port]) for port in self._compiled.outputs]


@attrs.frozen
class Layout:
    """Which output is what."""

    family: Family
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


def _only(shapes: Sequence[tuple[int, ...]], fits: object) -> int | None:
    found = [index for index, shape in enumerate(shapes) if fits(shape)]  # type: ignore[operator]
    return found[0] if len(found) == 1 else None


class MaskRCNN:
    """A detector over one network; see `create` for the parameters."""

    def __init__(
        self, network: Network, labels: Sequence[str], first: int | None, picture: Input, confidence: float
    ) -> None:
        self._network, self._labels, self._confidence = network, list(labels), confidence
        sides = network.fixed[::-1] if network.fixed else _whole_cells((picture.max_side, picture.min_side))
        # One run on grey: it tells the outputs' shapes, and the first real request finds a warm engine.
        self._layout = Layout.read(network(np.full((*sides, 3), 127, np.float32)))
        is_lists = self._layout.family == "lists"
        self._input = attrs.evolve(
            picture,
            scale=picture.scale or (255 if is_lists else 1),
            bgr=not is_lists if picture.bgr is None else picture.bgr,
        )
        self._first = first if first is not None else int(self._layout.family != "security")

    @cached_property
    def spec(self) -> cvataa.DetectionFunctionSpec:
        """One label for each line of the labels' file; a line of `-` stands for a class that is never found."""
        labels = [
            cvataa.label_spec(name, index, type="mask")
            for index, name in enumerate(self._labels, self._first)
            if name != "-"
        ]
        return cvataa.DetectionFunctionSpec(labels=labels)

    def describe(self) -> str:
        """One line for the log."""
        size = "any size" if self._network.fixed is None else "{} x {}".format(*self._network.fixed)
        family, device = self._layout.family, self._network.full_device_name
        return f"{len(self._labels)} labels, {size}, outputs as {family}, on {device}"

    def detect(
        self, context: cvataa.DetectionFunctionContext, image: PIL.Image.Image
    ) -> list[models.LabeledShapeRequest]:
        """Everything at least as sure as the context's threshold, else as `confidence`."""
        threshold = self._confidence if context.conf_threshold is None else context.conf_threshold
        picture = to_rgb(image)
        pixels, inner = self._pixels(picture)
        found = self._layout.found(self._network(pixels), pixels.shape[1::-1], _unpadded(image.size, inner, pixels))
        known = {label.id for label in self.spec.labels}
        shapes = list[models.LabeledShapeRequest]()
        for item in found:
            if item.score < threshold or item.score <= 0:
                continue
            if item.label not in known:
                raise ValueError(f"the graph found class {item.label}, but the labels' file has no name for it")
            shapes += _shapes(item, image.size, context.conv_mask_to_poly)
        return shapes

    def _pixels(self, picture: npt.NDArray[np.uint8]) -> tuple[Floats, tuple[int, int]]:
        """The network's input, H x W x 3, and the width and height that the picture has in it."""
        height, width = picture.shape[:2]
        fixed = self._network.fixed
        inner = self._input.inner_size(width, height, fixed)
        resized = cv2.resize(picture, inner, interpolation=cv2.INTER_LINEAR).astype(np.float32)
        if self._input.bgr:
            resized = resized[..., ::-1]
        # Bars at the right and below: coordinates stay what they are.
        canvas = np.zeros((*(fixed[::-1] if fixed else _whole_cells(inner)), 3), np.float32)
        canvas[: inner[1], : inner[0]] = (resized - np.array(self._input.mean, np.float32)) / self._input.scale
        return canvas, inner


def _whole_cells(size: tuple[int, int]) -> tuple[int, int]:
    """Height and width for a width and height, up to whole cells of a network's coarsest level."""
    return -(-size[1] // 32) * 32, -(-size[0] // 32) * 32


def _unpadded(size: tuple[int, int], inner: tuple[int, int], pixels: Floats) -> tuple[float, float]:
    """What the whole input, bars included, would be in the picture's pixels."""
    return size[0] * pixels.shape[1] / inner[0], size[1] * pixels.shape[0] / inner[1]


def _shapes(item: Found, size: tuple[int, int], as_polygons: bool) -> Iterator[models.LabeledShapeRequest]:
    bitmap, (left, top) = bitmap_of(item, size)
    if not bitmap.any():
        return
    if as_polygons:
        contours = cv2.findContours(bitmap.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_TC89_KCOS)[0]
        for contour in contours:
            if len(contour) >= 3:
                yield cvataa.polygon(item.label, np.add(contour.reshape(-1, 2), (left, top)).ravel().tolist())
        return
    *runs, x1, y1, x2, y2 = encode_mask(bitmap)
    yield cvataa.mask(item.label, [*runs, *(float(v) for v in (x1 + left, y1 + top, x2 + left, y2 + top))])


def bitmap_of(item: Found, size: tuple[int, int]) -> tuple[Bitmap, tuple[int, int]]:
    """The mask at the picture's resolution inside the box, clipped to the picture, and the box's first pixel."""
    x1, y1, x2, y2 = item.box
    left, top = (max(int(np.floor(v)), 0) for v in (x1, y1))
    right, bottom = min(int(np.ceil(x2)), size[0]), min(int(np.ceil(y2)), size[1])
    if right <= left or bottom <= top or x2 <= x1 or y2 <= y1:
        return np.zeros((0, 0), bool), (0, 0)
    rows, columns = item.mask.shape
    # Pixel centres lie at halves: a picture's x + 0.5 becomes the mask's x' + 0.5.
    origin_x, origin_y = item.area[:2]
    across, down = item.area[2] - origin_x, item.area[3] - origin_y
    to_mask = np.array(
        [
            [columns / across, 0, (left + 0.5 - origin_x) * columns / across - 0.5],
            [0, rows / down, (top + 0.5 - origin_y) * rows / down - 0.5],
        ]
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    window = (right - left, bottom - top)
    mask = item.mask.astype(np.float32)
    sampled = cv2.warpAffine(mask, to_mask, window, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return sampled > LEVEL, (left, top)


def to_rgb(image: PIL.Image.Image) -> npt.NDArray[np.uint8]:
    """H x W x 3 bytes of a picture in any mode; sixteen bits are scaled, which Pillow's `convert` would cut off."""
    if image.mode == "F" or image.mode.startswith("I"):
        grey = np.asarray(image, np.float32)
        image = PIL.Image.fromarray((grey / (257 if grey.max() > 255 else 1)).clip(0, 255).astype(np.uint8))
    return np.asarray(image.convert("RGB"))


# As in other functions' files, too: cvat-cli loads one file, which has no neighbours to import.
def find(name: str, option: str) -> Path:
    """The file `name` beside this module, where `generate --add` puts it, or else as the working directory has it."""
    beside = Path(__file__).resolve().parent
    for folder in (beside, Path.cwd()):
        if (folder / name).is_file():
            return folder / name
    raise FileNotFoundError(
        f"no file {name!r} in {beside} or in the working directory: lay it beside the function (generate --add FILE), "
        f"mount a volume that has it, or name another with -p {option}=str:FILE"
    )


def create(
    weights: str = "mask_rcnn.xml",
    labels: str = "coco_90.txt",
    first: int | None = None,
    confidence: float = DEFAULT_CONFIDENCE,
    device: str = "CPU",
    mean: str = "0,0,0",
    scale: float | None = None,
    bgr: bool | None = None,
    keep_ratio: bool | None = None,
    min_side: int = 800,
    max_side: int = 1333,
) -> MaskRCNN:
    """The function over the graph in `weights`, IR or ONNX.

    `labels`: a text file with one class name a line, `-` for a class that is never found; its first line names the
    class `first`, which is 0 for the security family and 1 for the others, where 0 is the background.
    `confidence`: for requests without a threshold. `device`: OpenVINO's word, such as CPU, GPU or AUTO.
    `mean`, `scale`, `bgr`: the network sees (value - mean) / scale; by default red first and 0 to 1 for the family of
    lists, and blue first and 0 to 255 for the others. `keep_ratio`: bars instead of stretching, for a graph of fixed
    size. `min_side`, `max_side`: of the picture in a graph that takes any size.
    """
    file = find(weights, "weights")
    names = [line.strip() for line in find(labels, "labels").read_text(encoding="utf-8").splitlines() if line.strip()]
    means = tuple(float(part) for part in mean.split(","))
    picture = Input(
        mean=means, scale=scale, bgr=bgr, keep_ratio=keep_ratio, min_side=min_side, max_side=max_side
    )  # fmt: skip
    function = MaskRCNN(Network(file, device), names, first, picture, confidence)
    print(f"{file.name}: {function.describe()}", file=sys.stderr, flush=True)
    return function
