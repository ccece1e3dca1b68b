"""Person re-identification by an embedding network in ONNX form: each box's crop becomes a vector of features.

For any graph that takes `[N, 3, H, W]` crops and answers `[N, D]`: OSNet, ResNet50-IBN and others of torchreid and
fast-reid, and networks for other objects than persons. CVAT's server joins boxes of one frame with those of the next
by the cosine distance of these vectors (see `aa_runtime`).
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime
import PIL.Image

from aa_runtime import ReIDFunctionContext, ReIDFunctionSpec

Floats = npt.NDArray[np.float32]
Box = tuple[float, float, float, float]

#: The size of a graph that takes any: what person re-identification is trained on.
DEFAULT_SIZE = (128, 256)


class Network:
    """An ONNX file as ONNX Runtime runs it, on CUDA where the installed build and the machine have it."""

    def __init__(self, file: Path, most: int) -> None:
        offered = onnxruntime.get_available_providers()
        providers = [name for name in ("CUDAExecutionProvider", "CPUExecutionProvider") if name in offered]
        self._session = onnxruntime.InferenceSession(str(file), providers=providers)
        self._input = self._session.get_inputs()[0]
        shape = self._input.shape
        if len(shape) != 4 or (shape[1] not in (3, None) and not isinstance(shape[1], str)):
            raise ValueError(f"{file.name} takes {shape}: this function feeds [N, 3, H, W]")
        self.provider: str = self._session.get_providers()[0]
        self.size: tuple[int, int] = tuple(
            given if isinstance(given, int) else usual for given, usual in zip(shape[3:1:-1], DEFAULT_SIZE, strict=True)
        )  # type: ignore[assignment]
        self._fixed = isinstance(shape[0], int)
        self._batch: int = shape[0] if self._fixed else most

    def __call__(self, crops: Floats) -> Floats:
        """`(N, D)` for `(N, 3, H, W)`, in batches of what the graph or the user fixed."""
        parts = [self._run(crops[start : start + self._batch]) for start in range(0, len(crops), self._batch)]
        return np.concatenate(parts)

    def _run(self, crops: Floats) -> Floats:
        count = len(crops)
        if self._fixed and count < self._batch:
            crops = np.concatenate([crops, np.zeros((self._batch - count, *crops.shape[1:]), np.float32)])
        batch = crops.astype(np.float16) if self._input.type == "tensor(float16)" else crops
        first = np.asarray(self._session.run(None, {self._input.name: batch})[0], np.float32)
        if len(first) != len(crops) or first.ndim not in (2, 4) or (first.ndim == 4 and first.shape[2:] != (1, 1)):
            raise ValueError(f"the graph answers {list(first.shape)} for {len(crops)} crops: not one vector each")
        return first.reshape(len(first), -1)[:count]


class PersonReID:
    """The function over one network; see `create` for the parameters."""

    def __init__(self, network: Network, mean: Sequence[float], deviation: Sequence[float], bgr: bool) -> None:
        self._network = network
        self._mean, self._deviation, self._bgr = mean, deviation, bgr
        width, height = network.size
        # One run: the number of features is known only then, and the first real request finds a warm engine.
        features = network(np.zeros((1, 3, height, width), np.float32)).shape[1]
        self.spec = ReIDFunctionSpec(embedding_size=features)

    def embed(self, context: ReIDFunctionContext, image: PIL.Image.Image, boxes: Sequence[Box]) -> Floats:
        """One row of features for each box, of length one, so that distances compare directions alone."""
        picture = to_rgb(image)
        features = self._network(np.stack([self._crop(picture, box) for box in boxes]))
        lengths = np.linalg.norm(features, axis=1, keepdims=True)
        return features / np.maximum(lengths, np.finfo(np.float32).tiny)

    def _crop(self, picture: PIL.Image.Image, box: Box) -> Floats:
        # Whole pixels, at least one each way.
        left, top = int(box[0]), int(box[1])
        right, bottom = max(int(np.ceil(box[2])), left + 1), max(int(np.ceil(box[3])), top + 1)
        crop = picture.crop((left, top, right, bottom)).resize(self._network.size, PIL.Image.Resampling.BILINEAR)
        pixels = np.asarray(crop, np.float32) / 255
        pixels = (pixels - np.array(self._mean, np.float32)) / np.array(self._deviation, np.float32)
        return np.ascontiguousarray((pixels[..., ::-1] if self._bgr else pixels).transpose(2, 0, 1), np.float32)


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


def triple(text: str, option: str) -> tuple[float, float, float]:
    """Three numbers with commas between them, one for each of red, green and blue."""
    try:
        red, green, blue = (float(part) for part in text.split(","))
    except ValueError as fault:
        raise ValueError(f"{option} is {text!r}: three numbers with commas between them") from fault
    return red, green, blue


def create(
    weights: str = "person_reid.onnx",
    mean: str = "0.485,0.456,0.406",
    deviation: str = "0.229,0.224,0.225",
    bgr: bool = False,
    batch: int = 32,
) -> PersonReID:
    """The function over the graph in `weights`.

    `mean` and `deviation`: of red, green and blue between 0 and 1; the defaults are ImageNet's, as torchreid has them.
    For a graph that takes 0 to 255 as it is (OpenVINO's): `mean=0,0,0`, `deviation=0.00392156862,...` and `bgr`.
    `batch`: most crops at once, where the graph leaves it open.
    """
    file = find(weights, "weights")
    network = Network(file, batch)
    function = PersonReID(network, triple(mean, "mean"), triple(deviation, "deviation"), bgr)
    width, height = network.size
    size = f"crops of {width} x {height}, {function.spec.embedding_size} features"
    print(f"{file.name}: {size}, on {network.provider}", file=sys.stderr, flush=True)
    return function
