"""The floor: a handler that only parses JSON, decodes base64 and decodes the image."""

import base64
import io
from typing import Any

from PIL import Image


def init_context(context: Any) -> None:
    """Nothing to load."""


def handler(context: Any, event: Any) -> Any:
    """Answers an empty list."""
    Image.open(io.BytesIO(base64.b64decode(event.body["image"]))).load()
    return context.Response(body="[]", content_type="application/json", headers={}, status_code=200)
