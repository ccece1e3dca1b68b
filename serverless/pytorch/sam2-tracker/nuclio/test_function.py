# Written by `cvat-nuclio generate`. Change ../cvat-nuclio.yaml, then, in this folder: cvat-nuclio generate ..
"""Loads the function as Nuclio does and sends it one request of CVAT's: `pytest` in this folder.

Needs what requirements.txt lists. A function that finds nothing in the drawn picture is asked again with one of yours:
`CVAT_NUCLIO_TEST_IMAGE=FILE pytest`. What is to be found has to lie in its middle.
"""

import base64
import importlib
import io
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nuclio_sdk
import PIL.Image
import PIL.ImageDraw
import pytest

HERE = Path(__file__).resolve().parent
SIZE = (320, 240)
OWN = os.environ.get("CVAT_NUCLIO_TEST_IMAGE", "")

Call = Callable[[dict[str, Any]], Any]


@pytest.fixture(scope="module")
def call() -> Iterator[Call]:
    """Sends a request to the handler in this folder and returns its JSON answer."""
    own = ("main", "model_handler", "__cvat_function__")
    with pytest.MonkeyPatch.context() as patch:
        for name in own:
            sys.modules.pop(name, None)
        patch.syspath_prepend(str(HERE))
        patch.chdir(HERE)
        main = importlib.import_module("main")
        context = nuclio_sdk.Context(logger=nuclio_sdk.Logger(logging.INFO), worker_id="0")
        main.init_context(context)

        def send(body: dict[str, Any]) -> Any:
            event = nuclio_sdk.Event(body=body, content_type="application/json", method="POST", path="/")
            response = main.handler(context, event)
            assert response.status_code == 200, response.body
            assert response.content_type == "application/json"
            return json.loads(response.body)

        yield send
    for name in own:
        sys.modules.pop(name, None)


def picture(shift: int = 0) -> str:
    """A picture as CVAT sends it: yours, or a bright box on a dark ground, `shift` pixels to the right."""
    if OWN:
        with PIL.Image.open(OWN) as own:
            shifted = (1, 0, -shift, 0, 1, 0)
            return encoded(own.convert("RGB").resize(SIZE).transform(SIZE, PIL.Image.Transform.AFFINE, shifted))
    image = PIL.Image.linear_gradient("L").resize(SIZE).convert("RGB")
    draw = PIL.ImageDraw.Draw(image)
    draw.rectangle((100 + shift, 80, 180 + shift, 160), fill=(240, 200, 60), outline=(20, 20, 120), width=4)
    draw.ellipse((120 + shift, 100, 160 + shift, 140), fill=(180, 30, 30))
    return encoded(image)


def encoded(image: PIL.Image.Image) -> str:
    """In base64, as a PNG."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def check_numbers(points: Any) -> None:
    """CVAT takes whole numbers and floats, nothing else."""
    assert isinstance(points, list)
    assert all(type(value) in (int, float) for value in points)


def found_nothing() -> None:
    """An answer without a find is legal, and shows little: it is no passed test."""
    if OWN:
        pytest.fail(f"nothing was found in {OWN}")
    pytest.skip("nothing was found in the drawn picture: try one of yours with CVAT_NUCLIO_TEST_IMAGE=FILE")


POINTS: dict[str, list[float]] = {
    "rectangle": [100.0, 80.0, 180.0, 160.0],
    "polygon": [100.0, 80.0, 180.0, 80.0, 180.0, 160.0, 100.0, 160.0],
    "polyline": [100.0, 80.0, 180.0, 80.0, 180.0, 160.0],
    "points": [100.0, 80.0, 180.0, 160.0],
    "ellipse": [140.0, 120.0, 180.0, 80.0],
    # Eight corners, front face first.
    "cuboid": [float(n) for n in (100, 80, 100, 160, 180, 80, 180, 160, 190, 70, 190, 150, 110, 70, 110, 150)],
    # Its points are those of its elements.
    "skeleton": [],
    # A mask is its runs, the first one outside, and the corners of its crop.
    "mask": [0.0, 81.0 * 81.0, 100.0, 80.0, 180.0, 160.0],
}


@pytest.mark.parametrize("kind", ["mask", "polygon", "rectangle"])
def test_tracks_an_object_to_the_next_frame(call: Call, kind: str) -> None:
    shape = {"type": kind, "points": POINTS[kind]}
    started = call({"image": picture(), "shapes": [shape], "states": []})
    assert len(started["states"]) == 1
    assert started["states"][0] is not None
    # States travel through CVAT and the browser as JSON.
    states = json.loads(json.dumps(started["states"]))
    followed = call({"image": picture(shift=4), "shapes": [None], "states": states})
    assert len(followed["states"]) == len(followed["shapes"]) == 1
    (found,) = followed["shapes"]
    if found is None:
        found_nothing()
    assert found["type"] == kind
    check_numbers(found["points"])
    assert bool(found["points"]) == (kind != "skeleton")
    if kind in ("rectangle", "ellipse", "cuboid"):
        assert len(found["points"]) == len(POINTS[kind])
