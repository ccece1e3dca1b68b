"""TransT, a tracker of rectangles (Chen et al., "Transformer Tracking", CVPR 2021).

Reads the original checkpoint (`transt.pth` of chenxin-dlut/TransT). The network compares a template, the object as it
looked on the first frame, with the surroundings of where it was last. The template's features are the state: a quarter
of a megabyte at most for each object, whatever the frame's size, and never updated.

    cvat-cli function create-native NAME --function-file func.py -p weights=str:transt.pth
"""

import math
import pickle
import sys
import time
from pathlib import Path
from typing import Any, Final

import attrs
import cv2
import cvat_sdk.auto_annotation as cvataa
import numpy as np
import numpy.typing as npt
import PIL.Image
import torch
import torchvision.models
from torch import Tensor, nn

#: ImageNet's, for values between 0 and 1.
MEAN: Final = (0.485, 0.456, 0.406)
DEVIATION: Final = (0.229, 0.224, 0.225)
#: Sides of the network's two inputs, and how many sides of the object each shows (the paper's section 3.1).
TEMPLATE_SIDE, TEMPLATE_CONTEXT = 128, 1
SEARCH_SIDE, SEARCH_CONTEXT = 256, 3
#: Pixels of the input for one feature: the backbone ends at stride 8.
STRIDE: Final = 8
#: How much the prior that an object stays where it was weighs against the score (the paper's section 3.4).
WINDOW_WEIGHT: Final = 0.49
SMALLEST_SIDE: Final = 10.0

WIDTH, HEADS, HIDDEN, LAYERS = 256, 8, 2048, 4


def positions(side: int) -> Tensor:
    """Sine encodings of a square grid, (side * side, 1, WIDTH): rows in the first half, columns in the second."""
    place = torch.arange(1, side + 1, dtype=torch.float32) / (side + 1e-6) * 2 * math.pi
    channel = torch.arange(WIDTH // 2, dtype=torch.float32)
    angle = place[:, None] / 10000 ** (2 * (channel // 2) / (WIDTH // 2))
    code = torch.stack([angle[:, 0::2].sin(), angle[:, 1::2].cos()], -1).flatten(1)
    rows = code[:, None].expand(side, side, -1)
    columns = code[None].expand(side, side, -1)
    return torch.cat([rows, columns], -1).reshape(side * side, 1, WIDTH)


class Perceptron(nn.Module):
    """Three linear layers with ReLU between them."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, outputs)])

    def forward(self, x: Tensor) -> Tensor:
        first, second, last = self.layers
        answer: Tensor = last(second(first(x).relu()).relu())
        return answer


class FusionLayer(nn.Module):
    """Each of template (1) and search region (2) looks at itself (the paper's ECA), then at the other (CFA)."""

    def __init__(self) -> None:
        super().__init__()
        for branch in (1, 2):
            self.add_module(f"self_attn{branch}", nn.MultiheadAttention(WIDTH, HEADS))
            self.add_module(f"multihead_attn{branch}", nn.MultiheadAttention(WIDTH, HEADS))
            self.add_module(f"linear{branch}1", nn.Linear(WIDTH, HIDDEN))
            self.add_module(f"linear{branch}2", nn.Linear(HIDDEN, WIDTH))
            for place in (1, 2, 3):
                self.add_module(f"norm{branch}{place}", nn.LayerNorm(WIDTH))

    def forward(self, inputs: tuple[Tensor, Tensor], places: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        own = [self._look_at_itself(branch, x, p) for branch, x, p in zip((1, 2), inputs, places, strict=True)]
        template = self._look_at_other(1, own[0], places[0], own[1], places[1])
        search = self._look_at_other(2, own[1], places[1], own[0], places[0])
        return template, search

    def _look_at_itself(self, branch: int, x: Tensor, place: Tensor) -> Tensor:
        found = getattr(self, f"self_attn{branch}")(x + place, x + place, x, need_weights=False)[0]
        return self._part(f"norm{branch}1", x + found)

    def _look_at_other(self, branch: int, x: Tensor, place: Tensor, other: Tensor, other_place: Tensor) -> Tensor:
        attention = getattr(self, f"multihead_attn{branch}")
        x = self._part(f"norm{branch}2", x + attention(x + place, other + other_place, other, need_weights=False)[0])
        fed = self._part(f"linear{branch}2", self._part(f"linear{branch}1", x).relu())
        return self._part(f"norm{branch}3", x + fed)

    def _part(self, name: str, x: Tensor) -> Tensor:
        answer: Tensor = getattr(self, name)(x)
        return answer


class DecoderLayer(nn.Module):
    """The last look of the search region at the template."""

    def __init__(self) -> None:
        super().__init__()
        self.multihead_attn = nn.MultiheadAttention(WIDTH, HEADS)
        self.linear1 = nn.Linear(WIDTH, HIDDEN)
        self.linear2 = nn.Linear(HIDDEN, WIDTH)
        self.norm1 = nn.LayerNorm(WIDTH)
        self.norm2 = nn.LayerNorm(WIDTH)

    def forward(self, search: Tensor, template: Tensor, search_place: Tensor, template_place: Tensor) -> Tensor:
        found = self.multihead_attn(search + search_place, template + template_place, template, need_weights=False)[0]
        search = self.norm1(search + found)
        answer: Tensor = self.norm2(search + self.linear2(self.linear1(search).relu()))
        return answer


class Fusion(nn.Module):
    """The feature fusion network: the names of its parts are the checkpoint's."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.ModuleDict({"layers": nn.ModuleList(FusionLayer() for _ in range(LAYERS))})
        self.decoder = nn.ModuleDict({"layers": nn.ModuleList([DecoderLayer()]), "norm": nn.LayerNorm(WIDTH)})

    def forward(self, template: Tensor, search: Tensor, places: tuple[Tensor, Tensor]) -> Tensor:
        """`(HW, N, WIDTH)` of both to that of the search region."""
        for layer in self.encoder["layers"]:  # type: ignore[union-attr]
            template, search = layer((template, search), places)
        for layer in self.decoder["layers"]:  # type: ignore[union-attr]
            search = layer(search, template, places[1], places[0])
        answer: Tensor = self.decoder["norm"](search)
        return answer


def backbone() -> nn.Module:
    """ResNet-50 without its last stage; the stage before it keeps its input's size and is dilated at its start."""
    net = torchvision.models.resnet50(weights=None)
    for name in ("layer4", "avgpool", "fc"):
        delattr(net, name)
    start = net.layer3[0]
    start.conv2.stride, start.conv2.dilation, start.conv2.padding = (1, 1), (2, 2), (2, 2)
    start.downsample[0].stride = (1, 1)
    return net


class TransT(nn.Module):
    """The whole network; its state dict has the names and shapes of the original checkpoint."""

    def __init__(self) -> None:
        super().__init__()
        self.featurefusion_network = Fusion()
        self.class_embed = Perceptron(2)
        self.bbox_embed = Perceptron(4)
        self.input_proj = nn.Conv2d(1024, WIDTH, 1)
        self.backbone = nn.ModuleList([nn.ModuleDict({"body": backbone()})])

    def features(self, crop: Tensor) -> Tensor:
        """`(N, 3, S, S)` to `(N, WIDTH, S / 8, S / 8)`."""
        body: Any = self.backbone[0]["body"]  # type: ignore[index]
        x = body.maxpool(body.relu(body.bn1(body.conv1(crop))))
        answer: Tensor = self.input_proj(body.layer3(body.layer2(body.layer1(x))))
        return answer

    def forward(self, template: Tensor, search: Tensor) -> tuple[Tensor, Tensor]:
        """Features of both to `(cells,)` probabilities and `(cells, 4)` boxes: x, y, width, height of the region."""
        places = tuple(positions(x.shape[-1]).to(x.device) for x in (template, search))
        flat = (x.flatten(2).permute(2, 0, 1) for x in (template, search))
        fused = self.featurefusion_network(*flat, places)[:, 0]
        return self.class_embed(fused).softmax(-1)[:, 0], self.bbox_embed(fused).sigmoid()


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

    def _normal(self, crop: npt.NDArray[np.uint8]) -> Tensor:
        values = (np.asarray(crop, np.float32) / 255 - np.array(MEAN, np.float32)) / np.array(DEVIATION, np.float32)
        return torch.from_numpy(values).permute(2, 0, 1)[None].to(self._device)


def context_side(size: tuple[float, float], context: int) -> int:
    """The side of the square around an object that shows `context` mean sides of its surroundings."""
    margin = context * (size[0] + size[1]) / 2
    return math.ceil(math.sqrt((size[0] + margin) * (size[1] + margin)))


def crop_around(
    picture: npt.NDArray[np.uint8], centre: tuple[float, float], side: int, output: int, grey: tuple[int, int, int]
) -> npt.NDArray[np.uint8]:
    """The square of `side` pixels around `centre`, as `output` pixels; grey beyond the picture.

    Sampled straight from the picture: around a large object the square is far larger than the picture.
    """
    left, top = (math.floor(value - (side + 1) / 2 + 0.5) for value in centre)
    scale = side / output
    # Pixel centres lie at halves.
    to_picture = np.array([[scale, 0, left + scale / 2 - 0.5], [0, scale, top + scale / 2 - 0.5]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    crop = cv2.warpAffine(
        picture, to_picture, (output, output), flags=flags, borderMode=cv2.BORDER_CONSTANT, borderValue=grey
    )
    return np.asarray(crop, np.uint8)


class Unread:
    """Stands for the training's own objects in the checkpoint (settings, statistics): read over, never used."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        pass

    def __setstate__(self, state: object) -> None:
        pass


def load_network(file: Path) -> TransT:
    """The network with a checkpoint's weights. Nothing in the file is executed. ValueError for another file."""
    try:
        strangers = torch.serialization.get_unsafe_globals_in_checkpoint(str(file))
        with torch.serialization.safe_globals([(Unread, name) for name in strangers]):
            checkpoint = torch.load(file, map_location="cpu", weights_only=True)
        weights = checkpoint.get("net", checkpoint)
        with torch.device("meta"):
            network = TransT()
        network.load_state_dict(weights, assign=True)
    except (AttributeError, RuntimeError, ValueError, TypeError, pickle.UnpicklingError) as fault:
        raise ValueError(f"{file.name} is not a checkpoint of TransT: {str(fault)[:500]}") from fault
    return network


# As in other functions' files, too: cvat-cli loads one file, which has no neighbours to import.
def to_rgb(image: PIL.Image.Image) -> PIL.Image.Image:
    """Three bytes a pixel from any mode; sixteen bits are scaled, which Pillow's `convert` would cut off."""
    if image.mode == "F" or image.mode.startswith("I"):
        grey = np.asarray(image, np.float32)
        image = PIL.Image.fromarray((grey / (257 if grey.max() > 255 else 1)).clip(0, 255).astype(np.uint8))
    return image.convert("RGB")


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


def describe(device: torch.device) -> str:
    """The device, for the log."""
    if device.type != "cuda":
        return f"cpu, {torch.get_num_threads()} threads"
    free, total = torch.cuda.mem_get_info(device)
    return f"{torch.cuda.get_device_name(device)}, {free / 2**30:.1f} of {total / 2**30:.1f} GiB free"


def create(weights: str = "transt.pth", device: str | None = None) -> TransTTracker:
    """The tracker with the checkpoint in `weights`; on CUDA where torch sees it, unless `device` says otherwise."""
    file = find(weights, "weights")
    started = time.monotonic()
    chosen = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    tracker = TransTTracker(load_network(file), chosen)
    seconds = time.monotonic() - started
    print(f"{file.name}: TransT loaded in {seconds:.1f} s, on {describe(chosen)}", file=sys.stderr, flush=True)
    return tracker
