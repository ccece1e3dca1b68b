"""What the tests of the functions in `serverless/` share: loading as cvat-cli does, contexts, pictures."""

import base64
import io
import json
import os
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import attrs
import cvat_sdk.auto_annotation as cvataa
import numpy as np
import PIL.Image
import pytest

from aa_runtime import FunctionSource, Handler, Options, load


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests marked `torch` are skipped where it is not installed, save in CI, which installs it."""
    if find_spec("torch") is None and os.environ.get("CI") != "true":
        for item in items:
            if "torch" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="the torch extra is not installed"))


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
def create(repository: Path) -> Callable[..., Any]:
    """`create("onnx/yolo", weights=...)`: the function as cvat-cli and a bundle load it."""

    def create(name: str, **parameters: Any) -> Any:
        if "/" not in name:
            return load(FunctionSource(module=name, parameters=parameters))
        file = repository / "serverless" / name / "nuclio" / "func.py"
        return load(FunctionSource(file=file, parameters=parameters))

    return create


@pytest.fixture
def picture() -> PIL.Image.Image:
    """640 x 320, smooth colours with a dark disc, so that resampling has something to get wrong."""
    y, x = np.mgrid[0:320, 0:640]
    colours = np.stack([x * 255 / 639, y * 255 / 319, 255 - x * 255 / 639], -1)
    colours[(x - 420) ** 2 + (y - 160) ** 2 < 60**2] = (20, 30, 40)
    return PIL.Image.fromarray(colours.astype(np.uint8))


class SilentLog:
    """Keeps what was logged, for the message of a failing test."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def _line(self, message: str, *args: object) -> None:
        self.lines.append(message % args)

    debug = info = warn = error = _line


@pytest.fixture
def ask() -> Callable[..., Any]:
    """`ask(function, image=picture, ...)`: CVAT's answer from the whole runtime, pictures sent as CVAT sends them."""

    def ask(function: Any, **body: Any) -> Any:
        for name, value in body.items():
            if isinstance(value, PIL.Image.Image):
                file = io.BytesIO()
                value.save(file, "PNG")
                body[name] = base64.b64encode(file.getvalue()).decode()
        log = SilentLog()
        response = Handler(function, Options(), log).handle(None, SimpleNamespace(body=body))
        assert response.status_code == 200, (response.body, log.lines)
        return json.loads(response.body)

    return ask
