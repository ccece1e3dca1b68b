"""One real request to a deployed function, of its kind, with a tiny image: the state `ready` alone lies both ways."""

import base64
import io
import json
from collections.abc import Mapping
from typing import Any

import urllib3

_SIZE = (64, 48)


def payload(kind: str, annotations: Mapping[str, str], image_file: bytes | None = None) -> dict[str, Any]:
    """The smallest request that CVAT could send to a function of this kind with these annotations.

    `image_file` is sent in place of the tiny image; it must be at least as large (64 x 48).
    """
    image = base64.b64encode(image_file or _image()).decode("ascii")
    box = [8.0, 8.0, 40.0, 36.0]
    if kind == "interactor":
        return {"image": image, **_prompts(annotations, box)}
    if kind == "tracker":
        types = [name.strip() for name in annotations.get("supported_shape_types", "").split(",") if name.strip()]
        shape: object = {"type": "rectangle", "points": box} if types else box
        if types and "rectangle" not in types:
            shape = {"type": types[0], "points": _points_of(types[0])}
        return {"image": image, "shapes": [shape], "states": []}
    if kind == "reid":
        boxes = [{"type": "rectangle", "points": box, "label_id": 1, "frame": 0}]
        return {"image0": image, "image1": image, "boxes0": boxes, "boxes1": boxes}
    return {"image": image}


def _image() -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGB", _SIZE, (96, 128, 160)).save(buffer, "PNG")
    return buffer.getvalue()


def _prompts(annotations: Mapping[str, str], box: list[float]) -> dict[str, Any]:
    def points(key: str) -> list[list[int]]:
        count = int(annotations.get(key) or 0)
        return [[20 + index, 20] for index in range(count)]

    positive = points("min_pos_points")
    with_box = "startswith_box" in annotations or ("startswith_box_optional" in annotations and not positive)
    corners = [box[:2], box[2:]] if with_box else []
    return {"pos_points": positive, "neg_points": points("min_neg_points"), "obj_bbox": corners}


def _points_of(shape_type: str) -> list[float]:
    if shape_type == "mask":
        return [0, 9, 20, 20, 22, 22]  # run lengths of a 3 x 3 block, then its corners
    if shape_type == "ellipse":
        return [24.0, 22.0, 40.0, 8.0]
    return [8.0, 8.0, 40.0, 8.0, 40.0, 36.0]


def send(url: str, body: Mapping[str, Any], *, timeout: float) -> str | None:
    """None when the function answered 200 with JSON, else one line that says what it did."""
    try:
        # The content type must be exactly this, or the function gets bytes.
        answer = urllib3.request(
            "POST", url, body=json.dumps(body), headers={"Content-Type": "application/json"},
            timeout=timeout, retries=False,
        )  # fmt: skip
    except urllib3.exceptions.HTTPError as error:
        return f"no answer: {error}"
    text = answer.data.decode("utf-8", "replace").strip()
    if answer.status != 200:
        return f"HTTP {answer.status}: {text.splitlines()[0][:200] if text else 'empty answer'}"
    try:
        json.loads(text)
    except ValueError:
        return f"the answer is not JSON: {text[:80]!r}"
    return None


def is_alive(port: int) -> bool:
    """Whether anything healthy listens on the port of this host (127.0.0.1: IPv6's published port may differ)."""
    try:
        answer = urllib3.request("GET", f"http://127.0.0.1:{port}/__internal/health", timeout=2.0, retries=False)
    except urllib3.exceptions.HTTPError:
        return False
    return answer.status == 200
