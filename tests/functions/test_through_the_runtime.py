"""Each function behind `aa_runtime`, sent what CVAT sends."""

import base64
import io
import json
from collections.abc import Callable
from typing import Any, cast

import PIL.Image
import pytest

from aa_runtime import FunctionSource, Options, create_handler


class Log:
    """Keeps what the runtime says."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def debug(self, message: Any, *args: Any) -> None:
        self.lines.append(message % args)

    def debug_with(self, message: Any, **fields: Any) -> None:
        pass

    info = warn = error = debug


class Event:
    def __init__(self, body: Any) -> None:
        self.body = body


@pytest.fixture
def ask(given: Callable[[str], dict[str, Any]]) -> Any:
    """Sends bodies to one function's handler, one after the other."""

    def start(name: Any, **options: Any) -> Any:
        source = FunctionSource(module=f"cvat_functions.{name}", parameters=given(name))
        handler = create_handler(source, Options(**options), cast("Any", Log()))

        def send(**body: Any) -> Any:
            response = handler.handle(None, Event(json.loads(json.dumps(body))))
            assert response.status_code == 200, response.body
            return json.loads(response.body)

        return send

    return start


def encoded(image: Any) -> Any:
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode()


def test_text_detection(ask: Any, photo: Callable[[str], PIL.Image.Image]) -> None:
    send = ask("text_detection_onnx")
    items = send(image=encoded(photo("page.png")))
    assert [(item["label"], item["type"]) for item in items] == [("text", "polygon")] * 7
    assert len(send(image=encoded(photo("page.png")), threshold=0.93)) < 7


def test_grabcut(ask: Any, photo: Callable[[str], PIL.Image.Image]) -> None:
    send = ask("grabcut")
    image = encoded(photo("flower.jpg"))
    answer = send(image=image, pos_points=[[300, 220]], neg_points=[], obj_bbox=[])
    (shape,) = answer["shapes"]
    *runs, left, top, right, bottom = shape["points"]
    assert sum(runs) == (right - left + 1) * (bottom - top + 1)
    assert left < 200
    assert right > 400
    assert send(image=image, pos_points=[], neg_points=[], obj_bbox=[[120, 60], [520, 390]])["shapes"]


def test_correlation_tracker_goes_on_from_its_tokens(ask: Any, bikes: list[PIL.Image.Image], helpers: Any) -> None:
    """Every frame goes to another worker, which knows nothing but the token."""
    workers = [ask("correlation_tracker") for _ in range(2)]
    answer = workers[0](
        image=encoded(bikes[76]), shapes=[{"type": "rectangle", "points": [65, 106, 302, 268]}], states=[]
    )
    assert len(answer["states"][0]) < 100_000
    for number in range(77, 87):
        worker = workers[number % 2]
        answer = worker(image=encoded(bikes[number]), shapes=[None], states=answer["states"])
    assert helpers.box_iou(answer["shapes"][0]["points"], (61, 92, 298, 254)) > 0.8


def test_correlation_tracker_behind_the_runtime_says_what_it_says_alone(
    ask: Any, function: Callable[..., Any], bikes: list[PIL.Image.Image]
) -> None:
    from cvat_sdk.auto_annotation import TrackableShape

    box = [408, 53, 494, 173]
    tracker = function("correlation_tracker")
    state = tracker.init_tracking_state(
        None, tracker.preprocess_image(None, bikes[76]), TrackableShape(type="rectangle", points=box)
    )
    send = ask("correlation_tracker", lost_shape="null")
    answer = send(image=encoded(bikes[76]), shapes=[{"type": "rectangle", "points": box}], states=[])
    for number in range(77, 90):
        alone = tracker.track(None, tracker.preprocess_image(None, bikes[number]), state)
        answer = send(image=encoded(bikes[number]), shapes=[None], states=answer["states"])
        (shape,) = answer["shapes"]
        assert (shape and shape["points"]) == (alone and pytest.approx(alone.points))
    assert answer["shapes"] == [None]


def test_appearance_reid(ask: Any, bikes: list[PIL.Image.Image]) -> None:
    send = ask("appearance_reid")
    first = [(378, 23, 463, 137), (37, 72, 274, 234), (232, 60, 293, 105)]
    second = [(40, 61, 277, 223), (236, 49, 297, 94), (382, 9, 468, 125)]

    def shapes(boxes: Any) -> Any:
        return [{"type": "rectangle", "label_id": 1, "points": list(box)} for box in boxes]

    images = {"image0": encoded(bikes[106]), "image1": encoded(bikes[120])}
    matching = send(**images, boxes0=shapes(first), boxes1=shapes(second), threshold=0.5, max_distance=50)
    assert matching == [2, 0, 1]
