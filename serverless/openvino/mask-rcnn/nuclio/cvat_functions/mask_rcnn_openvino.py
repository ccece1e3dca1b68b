"""Mask R-CNN on OpenVINO, as a detector of masks: IR (`.xml` with its `.bin`) or ONNX.

Open Model Zoo's, torchvision's, the ONNX Model Zoo's: `mask_rcnn_outputs` tells them apart.

    cvat-cli task auto-annotate TASK --function-module cvat_functions.mask_rcnn_openvino \
        -p weights=str:mask_rcnn.xml -p labels=str:coco_90.txt
"""

import sys
from collections.abc import Sequence
from typing import Any, Final

import cvat_sdk.auto_annotation as cvataa
import numpy as np
import PIL.Image

from cvat_functions.mask_rcnn_input import Input, whole_cells
from cvat_functions.mask_rcnn_outputs import Layout
from cvat_functions.on_openvino import Network
from cvat_functions.shared import file_of, lines_of, shapes_of, to_rgb

#: As CVAT's own function for this network.
DEFAULT_CONFIDENCE: Final = 0.2


class MaskRCNN:
    """A detector over one network; see `create` for the parameters."""

    def __init__(self, network: Network, layout: Layout, spec: Any, given: Input, confidence: float) -> None:
        self._network, self._layout, self._input, self._confidence = network, layout, given, confidence
        self.spec = spec

    def detect(self, context: cvataa.DetectionFunctionContext, image: PIL.Image.Image) -> list[Any]:
        """Everything at least as sure as the context's threshold, else as `confidence`."""
        threshold = self._confidence if context.conf_threshold is None else context.conf_threshold
        pixels, size = self._input.pixels(np.asarray(to_rgb(image)), self._network.fixed)
        known = {label.id for label in self.spec.labels}
        shapes = list[Any]()
        for item in self._layout.found(self._network(pixels), pixels.shape[1::-1], size):
            if item.score < threshold or item.score <= 0:
                continue
            if item.label not in known:
                raise ValueError(f"the graph found class {item.label}, but the labels' file has no name for it")
            bitmap, corner = item.bitmap(image.size)
            shapes += shapes_of(item.label, bitmap, context.conv_mask_to_poly, corner)
        return shapes


def spec_of(names: Sequence[str], first: int) -> cvataa.DetectionFunctionSpec:
    """One label for each name; `-` stands for a class that is never found."""
    labels = [cvataa.label_spec(name, index, type="mask") for index, name in enumerate(names, first) if name != "-"]
    return cvataa.DetectionFunctionSpec(labels=labels)


def create(
    weights: str, labels: str, first: int | None = None, confidence: float = DEFAULT_CONFIDENCE, device: str = "CPU",
    mean: str = "0,0,0", scale: float | None = None, bgr: bool | None = None, keep_ratio: bool = False,
    min_side: int = 800, max_side: int = 1333,
) -> MaskRCNN:  # fmt: skip
    """The function over the graph in the file `weights`, IR or ONNX.

    `labels`: a text file with one class name a line, `-` for a class that is never found; its first line names the
    class `first`, which is 0 for the security family and 1 for the others, where 0 is the background.
    `confidence`: for requests without a threshold. `device`: OpenVINO's word, such as CPU, GPU or AUTO.
    `mean`, `scale`, `bgr`: the network sees (value - mean) / scale; by default red first and 0 to 1 for the family of
    lists, and blue first and 0 to 255 for the others. `keep_ratio`: bars instead of stretching, for a graph of fixed
    size. `min_side`, `max_side`: of the picture in a graph that takes any size.
    """
    file, names = file_of(weights, "weights"), lines_of(file_of(labels, "labels"))
    network = Network(file, device)
    sides = network.fixed[::-1] if network.fixed else whole_cells((max_side, min_side))
    # One run on grey: it tells the outputs' shapes, and the first real request finds a warm engine.
    layout = Layout.read(network(np.full((*sides, 3), 127, np.float32)))
    is_lists = layout.family == "lists"
    given = Input(
        mean=tuple(float(part) for part in mean.split(",")), scale=scale or (255 if is_lists else 1),
        bgr=not is_lists if bgr is None else bgr, keep_ratio=keep_ratio, min_side=min_side, max_side=max_side,
    )  # fmt: skip
    spec = spec_of(names, first if first is not None else int(layout.family != "security"))
    size = "any size" if network.fixed is None else "{} x {}".format(*network.fixed)
    about = f"{len(names)} labels, {size}, outputs as {layout.family}, on {network.full_device_name}"
    print(f"{file.name}: {about}", file=sys.stderr, flush=True)
    return MaskRCNN(network, layout, spec, given, confidence)
