# Written by `cvat-nuclio generate`. Change ../cvat-nuclio.yaml, then, in this folder: cvat-nuclio generate ..
"""Loads the function once while the image is built, so that what it downloads lies in the image."""

import importlib
import importlib.util
import sys
from pathlib import Path
from typing import Any

PARAMETERS: dict[str, Any] = {
    "model_name": "fasterrcnn_resnet50_fpn_v2",
    "box_score_thresh": 0.3,
    "task": "detection",
}


def load() -> Any:
    """As cvat-cli loads a function."""
    spec = importlib.util.spec_from_file_location("__cvat_function__", Path(__file__).resolve().with_name("func.py"))
    if spec is None or spec.loader is None:
        raise ImportError("func.py is missing")
    function: Any = importlib.util.module_from_spec(spec)
    sys.modules["__cvat_function__"] = function
    spec.loader.exec_module(function)
    return function.create(**PARAMETERS) if hasattr(function, "create") else function


if __name__ == "__main__":
    print("loaded", type(load().spec).__name__)
