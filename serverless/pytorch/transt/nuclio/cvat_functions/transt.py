"""TransT, a tracker of rectangles (Chen et al., "Transformer Tracking", CVPR 2021).

Reads the original checkpoint (`transt.pth` of chenxin-dlut/TransT). The network compares a template, the object as it
looked on the first frame, with the surroundings of where it was last. The template's features are the state: a quarter
of a megabyte at most for each object, whatever the frame's size, and never updated.

    cvat-cli function create-native NAME --function-module cvat_functions.transt -p weights=str:transt.pth
"""

import time
from typing import Final

import attrs
import cvat_sdk.auto_annotation as cvataa
import numpy as np
import numpy.typing as npt
import PIL.Image
import torch

from cvat_functions.on_torch import device_of, report
from cvat_functions.shared import file_of, to_rgb
from cvat_functions.transt_crops import context_side, crop_around, normal
from cvat_functions.transt_network import STRIDE, TransT, load_network

#: Sides of the network's two inputs, and how many sides of the object each shows (the paper's section 3.1).
TEMPLATE_SIDE, TEMPLATE_CONTEXT = 128, 1
SEARCH_SIDE, SEARCH_CONTEXT = 256, 3
#: How much the prior that an object stays where it was weighs against the score (the paper's section 3.4).
WINDOW_WEIGHT: Final = 0.49
SMALLEST_SIDE: Final = 10.0


@attrs.define(eq=False)
class State:
    """What is known of one object; all of it travels."""

    template: npt.NDArray[np.float16]
    """Features of the first frame's crop, (1, WIDTH, 16, 16)."""
    grey: tuple[int, int, int]
    """The first frame's mean colour, which stands for what lies outside a frame."""
    centre: tuple[float, float]
    size: tuple[float, float]


class TransTTracker:
    """The tracker over one network."""

    spec = cvataa.TrackingFunctionSpec(supported_shape_types=["rectangle"])

    def __init__(self, network: TransT, device: torch.device) -> None:
        self._network = network.to(device).eval()
        self._device = device
        hann = np.hanning(SEARCH_SIDE // STRIDE)
        self._window = np.outer(hann, hann).ravel()

    def preprocess_image(
        self, context: cvataa.TrackingFunctionContext, image: PIL.Image.Image
    ) -> npt.NDArray[np.uint8]:
        """The frame as H x W x 3 bytes, converted once for all objects on it."""
        return np.asarray(to_rgb(image))

    @torch.inference_mode()
    def init_tracking_state(
        self,
        context: cvataa.TrackingFunctionShapeContext,
        pp_image: npt.NDArray[np.uint8],
        shape: cvataa.TrackableShape,
    ) -> State:
        """Remembers how the object looks."""
        x1, y1, x2, y2 = shape.points
        red, green, blue = (int(value) for value in pp_image.mean((0, 1)))
        grey = (red, green, blue)
        centre, size = ((x1 + x2) / 2, (y1 + y2) / 2), (max(abs(x2 - x1), 1.0), max(abs(y2 - y1), 1.0))
        crop = crop_around(pp_image, centre, context_side(size, TEMPLATE_CONTEXT), TEMPLATE_SIDE, grey)
        features = self._network.features(self._normal(crop))
        return State(np.asarray(features.cpu()).astype(np.float16), grey, centre, size)

    @torch.inference_mode()
    def track(
        self, context: cvataa.TrackingFunctionShapeContext, pp_image: npt.NDArray[np.uint8], state: State
    ) -> cvataa.TrackableShape:
        """The object on the next frame: TransT always names the likeliest place, and does not tell when it lost it."""
        side = context_side(state.size, SEARCH_CONTEXT)
        crop = crop_around(pp_image, state.centre, side, SEARCH_SIDE, state.grey)
        template = torch.from_numpy(state.template.astype(np.float32)).to(self._device)
        scores, boxes = self._network(template, self._network.features(self._normal(crop)))
        prior = np.asarray(scores.double().cpu()) * (1 - WINDOW_WEIGHT) + self._window * WINDOW_WEIGHT
        x, y, width, height = (float(value) for value in np.asarray(boxes.cpu())[int(prior.argmax())] * side)
        frame_height, frame_width = pp_image.shape[:2]
        state.centre = (
            min(max(x + state.centre[0] - side / 2, 0.0), frame_width),
            min(max(y + state.centre[1] - side / 2, 0.0), frame_height),
        )
        state.size = (
            max(min(width, frame_width), SMALLEST_SIDE),
            max(min(height, frame_height), SMALLEST_SIDE),
        )
        (x, y), (width, height) = state.centre, state.size
        points = [x - width / 2, y - height / 2, x + width / 2, y + height / 2]
        return cvataa.TrackableShape(type="rectangle", points=points)

    def _normal(self, crop: npt.NDArray[np.uint8]) -> torch.Tensor:
        return torch.from_numpy(normal(crop)).permute(2, 0, 1)[None].to(self._device)


def create(weights: str, device: str | None = None) -> TransTTracker:
    """The tracker with the checkpoint in the file `weights`; on CUDA where torch sees it, unless `device` says
    otherwise."""
    started, place = time.monotonic(), device_of(device)
    file = file_of(weights, "weights")
    tracker = TransTTracker(load_network(file), place)
    report(f"{file.name}: TransT", place, started)
    return tracker
