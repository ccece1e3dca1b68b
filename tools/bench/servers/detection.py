"""What each competitor runs: the AA function, between a parsed body and CVAT's items."""

import base64
import importlib.util
import io
from pathlib import Path
from types import SimpleNamespace

import PIL.Image

_SPEC = importlib.util.spec_from_file_location("one_box", Path(__file__).parents[1] / "functions" / "one_box.py")
function = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(function)
_LABELS = {label.id: label.name for label in function.spec.labels}
_CONTEXT = SimpleNamespace(frame_name="", conf_threshold=None, conv_mask_to_poly=False)


def detect(image: str) -> list[dict]:
    """The items that CVAT reads, unchecked."""
    opened = PIL.Image.open(io.BytesIO(base64.b64decode(image)))
    opened.load()
    shapes = function.detect(_CONTEXT, opened)
    return [
        {"label": _LABELS[shape.label_id], "type": str(shape.type), "points": shape.points, "attributes": []}
        for shape in shapes
    ]
