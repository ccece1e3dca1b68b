"""What the tests of the functions share: loading as cvat-cli does, contexts, pictures."""

import base64
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import attrs
import cvat_sdk.auto_annotation as cvataa
import numpy as np
import PIL.Image
import pytest

from aa_runtime import FunctionSource, Handler, Options, load


@attrs.frozen
class Detection(cvataa.DetectionFunctionContext):
    """What CVAT's agent tells a detector."""

    frame_name: str = "frame.png"
    conf_threshold: float | None = None
    conv_mask_to_poly: bool = False


@attrs.frozen
class Prompts(cvataa.InteractionPrompts):
    """What a user clicked."""

    pos_points: list[tuple[float, float]] = attrs.field(factory=list)
    neg_points: list[tuple[float, float]] = attrs.field(factory=list)
    bounding_box: tuple[tuple[float, float], tuple[float, float]] | None = None


@attrs.frozen
class Tracked(cvataa.TrackingFunctionShapeContext):
    """What CVAT's agent tells a tracker of a shape."""

    original_shape_type: str = "rectangle"


@pytest.fixture
def detection() -> type[Detection]:
    return Detection


@pytest.fixture
def prompts() -> type[Prompts]:
    return Prompts


@pytest.fixture
def tracked() -> type[Tracked]:
    return Tracked


@pytest.fixture(scope="session")
def create() -> Callable[..., Any]:
    """`create("yolo_onnx", weights=...)`: a function of `cvat_functions`, or of a module by its whole name, as cvat-cli
    and a bundle load it."""

    def create(name: str, **parameters: Any) -> Any:
        return load(FunctionSource(module=name if "." in name else f"cvat_functions.{name}", parameters=parameters))

    return create


@pytest.fixture
def picture() -> PIL.Image.Image:
    """640 x 320, smooth colours with a dark disc, so that resampling has something to get wrong."""
    y, x = np.mgrid[0:320, 0:640]
    colours = np.stack([x * 255 / 639, y * 255 / 319, 255 - x * 255 / 639], -1)
    colours[(x - 420) ** 2 + (y - 160) ** 2 < 60**2] = (20, 30, 40)
    return PIL.Image.fromarray(colours.astype(np.uint8))


@pytest.fixture
def small(picture: PIL.Image.Image) -> PIL.Image.Image:
    """The same in 160 x 80."""
    return picture.resize((160, 80))


@pytest.fixture(scope="module")
def torch_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache folder with nothing in it, and torch told to look nowhere else."""
    home = tmp_path_factory.mktemp("torch")

    def refuse(url: str, *args: Any, **kwargs: Any) -> None:
        raise AssertionError(f"downloads {url}")

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TORCH_HOME", str(home))
        patch.setattr("torch.hub.download_url_to_file", refuse)
        yield home


class SilentLog:
    """Keeps what was logged, for the message of a failing test."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def _line(self, message: str, *args: object) -> None:
        self.lines.append(message % args)

    def debug_with(self, message: str, **fields: object) -> None:
        self.lines.append(f"{message} {fields}")

    info = warn = error = _line


@pytest.fixture
def log() -> SilentLog:
    return SilentLog()


def encoded(image: PIL.Image.Image) -> str:
    """A picture as CVAT sends it."""
    file = io.BytesIO()
    image.save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


@pytest.fixture
def post() -> Callable[[Handler, PIL.Image.Image], Any]:
    """`post(handler, picture)`: the response to a picture."""
    return lambda handler, image: handler.handle(None, SimpleNamespace(body={"image": encoded(image)}))


@pytest.fixture
def ask() -> Callable[..., Any]:
    """`ask(function, image=picture, ...)`: CVAT's answer from the whole runtime, pictures sent as CVAT sends them."""

    def ask(function: Any, **body: Any) -> Any:
        sent = {name: encoded(value) if isinstance(value, PIL.Image.Image) else value for name, value in body.items()}
        log: Any = SilentLog()
        response = Handler(function, Options(), log).handle(None, SimpleNamespace(body=sent))
        assert response.status_code == 200, (response.body, log.lines)
        return json.loads(response.body)

    return ask
