"""A tracking function, pictures for it, and workers that run it."""

import base64
import importlib.util
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from aa_runtime import FunctionSource, Options, load

SIZE = (100, 80)


@pytest.fixture(scope="session")
def driver(repository: Path) -> Any:
    """The class that drives a handler as Nuclio's wrapper does."""
    spec = importlib.util.spec_from_file_location(
        "aa_runtime_driver", repository / "tests" / "aa_runtime" / "conftest.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Driver


@pytest.fixture
def squares(driver: Any) -> Callable[..., Any]:
    """Makes a worker: `squares(prepare=True, options={...})`; its function is `worker.function`."""

    def make(*, options: dict[str, Any] | None = None, **parameters: Any) -> Any:
        file = Path(__file__).parent / "functions" / "squares.py"
        function = load(FunctionSource(file=file, parameters=parameters))
        made = driver(function, Options(**(options or {})))
        made.function = function
        return made

    return make


@pytest.fixture(scope="session")
def frame() -> Callable[..., str]:
    """A picture as CVAT sends it: `frame({grey: (x, y, side), ...}, size=(width, height))`."""

    def draw(objects: dict[int, tuple[int, int, int]], size: tuple[int, int] = SIZE) -> str:
        pixels = np.zeros((size[1], size[0]), np.uint8)
        for grey, (x, y, side) in objects.items():
            pixels[y : y + side, x : x + side] = grey
        stream = io.BytesIO()
        PIL.Image.fromarray(pixels).save(stream, "PNG")
        return base64.b64encode(stream.getvalue()).decode()

    return draw
