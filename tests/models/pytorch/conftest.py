"""What the tests of functions on PyTorch share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aa_runtime import FunctionSource, load


@pytest.fixture
def function() -> Callable[..., Any]:
    """`function("transformers_sam", FOLDER)`: a family of `cvat_functions`, as cvat-cli and a bundle load it."""

    def function(family: str, folder: Path, **parameters: Any) -> Any:
        given = {"model": str(folder), **parameters}
        return load(FunctionSource(module=f"cvat_functions.{family}", parameters=given))

    return function
