"""A handler written the way CVAT's guide shows: cv2.imdecode, json.dumps, one box."""

import base64
import json
from typing import Any

import cv2
import numpy as np


def init_context(context: Any) -> None:
    """Nothing to load."""


def handler(context: Any, event: Any) -> Any:
    """One box in the middle of the image."""
    data = event.body
    buffer = np.frombuffer(base64.b64decode(data["image"]), np.uint8)
    image: Any = cv2.imdecode(buffer, cv2.IMREAD_COLOR)
    height, width = image.shape[:2]
    points = [width * 0.25, height * 0.25, width * 0.75, height * 0.75]
    results = [{"confidence": "0.9", "label": "box", "points": points, "type": "rectangle"}]
    return context.Response(body=json.dumps(results), headers={}, content_type="application/json", status_code=200)
