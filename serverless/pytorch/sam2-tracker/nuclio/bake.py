# Written by `cvat-nuclio generate`. Change ../cvat-nuclio.yaml, then, in this folder: cvat-nuclio generate ..
"""Loads the function once while the image is built, so that what it downloads lies in the image."""

import importlib
from typing import Any

PARAMETERS: dict[str, Any] = {
    "model": "facebook/sam2.1-hiera-tiny",
}


def load() -> Any:
    """As cvat-cli loads a function."""
    function: Any = importlib.import_module("cvat_functions.transformers_sam_video")
    return function.create(**PARAMETERS) if hasattr(function, "create") else function


if __name__ == "__main__":
    print("loaded", type(load().spec).__name__)
