"""`cvat-nuclio invoke` over real HTTP: what is sent, what is said, and the exit status."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

Deploy = Callable[..., str]
Invoke = Callable[..., tuple[int, str]]

CAR = [{"name": "car", "type": "rectangle"}]
BOX = {"label": "car", "type": "rectangle", "points": [10, 20, 50, 60]}


def test_a_detector_gets_the_image_and_its_shapes_are_listed(
    deploy: Deploy, invoke: Invoke, nuclio: Any, image: Path
) -> None:
    url = deploy("detector", [BOX, {"label": "dog", "type": "rectangle", "points": [1, 2, 3, 4]}], spec=CAR)
    status, text = invoke(url, image, "--threshold", "0.3")
    assert status == 0
    assert "10,20,50,60" in text
    assert "label 'dog' is not mapped" in text
    (request,) = [seen for seen in nuclio.seen if seen["request"]]
    assert request["request"] == {"threshold": 0.3, "image": base64.b64encode(image.read_bytes()).decode()}
    assert request["request_headers"]["Content-Type"] == "application/json"


def test_a_threshold_of_zero_is_not_sent(deploy: Deploy, invoke: Invoke, nuclio: Any, image: Path) -> None:
    invoke(deploy("detector", [], spec=CAR), image, "--threshold", "0")
    assert nuclio.seen[-1]["request"].keys() == {"image"}


def test_json_is_one_document(deploy: Deploy, invoke: Invoke, image: Path) -> None:
    answer = [BOX | {"rotation": 30, "group_id": 2}]
    status, text = invoke(deploy("detector", answer, spec=CAR), image, "--json", "--cvat", "G2")
    document = json.loads(text)
    assert status == 0
    assert document["answers"] == [answer]
    assert document["requests"] == [{}]
    assert document["cvat"] == "G2"
    assert document["error"] is None
    (kept,) = document["kept"]
    assert kept["points"] == [10, 20, 50, 60]
    assert (kept["rotation"], kept["group"], kept["label"]) == (30, 2, "car")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ([{"type": "rectangle"}], "an item of the answer has no 'label'"),
        ([BOX | {"points": [1, 2]}], "another number of coordinates"),
        ([BOX | {"type": "circle"}], "a type is unknown"),
        ([BOX | {"rotation": -5}], "outside of 0 to 360"),
        ({"annotations": []}, "the answer is no list of objects"),
        ({"status": 500, "body": {"error": {"message": "no GPU"}}}, "no GPU"),
        ({"status": 200, "raw_body": "<html>"}, "the answer is not JSON"),
        ({"status": 200, "raw_body": '[{"label":"car","type":"rectangle","points":[1,2,NaN,4]}]'}, "not finite"),
        ({"status": 200, "body": [], "mode": "drop"}, "the worker ended during the call"),
    ],
)
def test_what_cvat_fails_on_is_named_with_its_cause(
    answer: Any, words: str, deploy: Deploy, invoke: Invoke, image: Path
) -> None:
    status, text = invoke(deploy("detector", answer, spec=CAR), image)
    assert status == 1
    assert words in text


def test_an_old_cvat_stores_what_its_own_ui_cannot_open(deploy: Deploy, invoke: Invoke, image: Path) -> None:
    status, text = invoke(deploy("detector", [BOX | {"points": [1, 2]}], spec=CAR), image, "--cvat", "G1")
    assert status == 1
    assert "the UI cannot open the job" in text


def test_a_function_that_cvat_cannot_list_is_not_called(
    deploy: Deploy, invoke: Invoke, nuclio: Any, image: Path
) -> None:
    status, text = invoke(deploy("detector", [], spec=[{"type": "mask"}]), image)
    assert status == 2
    assert "the whole list of functions fails" in text
    assert not [seen for seen in nuclio.seen if seen["request"]]


def test_a_bare_url_of_a_detector_takes_labels_from_the_answer(
    deploy: Deploy, invoke: Invoke, nuclio: Any, image: Path
) -> None:
    skeleton = {"label": "cat", "type": "skeleton", "elements": [{"label": "nose", "type": "points", "points": [1, 2]}]}
    deploy("detector", [BOX | {"attributes": [{"name": "c", "value": "x"}]}, skeleton])
    status, text = invoke(nuclio.url, image, "--kind", "detector", "--json")
    assert status == 0
    kept = json.loads(text)["kept"]
    assert [k["label"] for k in kept] == ["car", "cat"]
    assert kept[0]["attributes"] == {"c": "x"}
    assert len(nuclio.seen) == 1


def test_a_url_that_tells_nothing_needs_a_hint(deploy: Deploy, invoke: Invoke, nuclio: Any, image: Path) -> None:
    nuclio.reset([{"status": 405, "body": {}}])
    status, text = invoke(nuclio.url, image)
    assert status == 2
    assert "--kind" in text


def test_a_function_file_tells_what_is_behind_a_url(
    deploy: Deploy, invoke: Invoke, nuclio: Any, image: Path, tmp_path: Path
) -> None:
    deploy("detector", [BOX])
    file = tmp_path / "function.yaml"
    spec = json.dumps(CAR).replace("'", "''")
    file.write_text(
        "metadata:\n  name: det\n  annotations:\n    type: detector\n"
        f"    spec: '{spec}'\nspec:\n  description: d\n  handler: main:handler\n  runtime: python:3.11\n"
    )
    status, text = invoke(nuclio.url, image, "--function", file)
    assert status == 0, text
    assert "det" in text
    assert "10,20,50,60" in text


MASK = {"shapes": [{"type": "mask", "points": [12, 2, 2, 3, 3]}]}


@pytest.mark.parametrize(
    ("generation", "annotations", "sent"),
    [
        ("G3", {"startswith_box_optional": "true"}, {"pos_points": [[5, 6]], "obj_bbox": [[1, 2], [30, 40]]}),
        ("G1", {"startswith_box": "true"}, {"pos_points": [[5, 6]], "obj_bbox": [[1, 2], [30, 40]]}),
        ("G1", {}, {"pos_points": [[1, 2], [30, 40], [5, 6]], "obj_bbox": None}),
    ],
)
def test_an_interactor_gets_points_and_box_as_its_generation_sends_them(
    generation: str, annotations: dict[str, str], sent: dict[str, Any],
    deploy: Deploy, invoke: Invoke, nuclio: Any, image: Path,
) -> None:  # fmt: skip
    rows = np.zeros((90, 120), int)
    rows[10:20, 10:30] = 1
    url = deploy("interactor", {"mask": rows.tolist()}, version="2", min_neg_points="0", **annotations)
    prompts = ["--pos", "5,6", "--neg", "7,8", "--box", "1,2,30,40"]
    status, text = invoke(url, image, *prompts, "--cvat", generation)
    assert status == 0, text
    request = nuclio.seen[-1]["request"]
    assert {key: request[key] for key in sent} == sent
    assert request["neg_points"] == [[7, 8]]
    assert "10,10 to 29,19, 200 pixels" in text


def test_an_interactor_that_the_ui_would_not_call_is_told(deploy: Deploy, invoke: Invoke, image: Path) -> None:
    url = deploy("interactor", MASK, min_pos_points="1")
    _, text = invoke(url, image, "--pos", "1,2", "--neg", "3,4", "--box", "1,2,3,4", "--cvat", "G2")
    for words in ("version is below 2", "no negative points", "no box"):
        assert words in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--box", "1,2,3,4"], "3 positive points (min_pos_points) and 1 negative points (min_neg_points), box or not"),
        (["--pos", "1,2"], "a box (startswith_box)"),
    ],
)
def test_what_the_page_still_waits_for_is_told_and_nothing_is_sent(
    arguments: list[str], words: str, deploy: Deploy, invoke: Invoke, nuclio: Any, image: Path
) -> None:
    url = deploy("interactor", MASK, version="2", min_pos_points="3", min_neg_points="1", startswith_box="true")
    status, text = invoke(url, image, *arguments)
    assert status == 2
    assert words in text
    assert all(call["request_line"].startswith("GET") for call in nuclio.seen)


def test_the_page_of_today_lets_users_set_negative_points_everywhere(
    deploy: Deploy, invoke: Invoke, image: Path
) -> None:
    rows = np.ones((90, 120), int).tolist()
    status, text = invoke(deploy("interactor", {"mask": rows}, version="2"), image, "--pos", "1,2", "--neg", "3,4")
    assert status == 0
    assert "negative" not in text


def test_an_answer_that_the_browser_fails_on(deploy: Deploy, invoke: Invoke, image: Path) -> None:
    status, text = invoke(deploy("interactor", {"mask": []}, version="2"), image, "--pos", "1,2")
    assert status == 1
    assert "the UI fails on the answer" in text


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "v.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 10, (120, 90))
    for shade in range(6):
        writer.write(np.full((90, 120, 3), 40 * shade, np.uint8))
    writer.release()
    return path


def test_a_tracker_walks_a_video_with_its_own_states(deploy: Deploy, invoke: Invoke, nuclio: Any, video: Path) -> None:
    answers = [
        {"shapes": [{"type": "rectangle", "points": [i, i, 9 + i, 9 + i]}], "states": [{"n": i}]} for i in range(6)
    ]
    url = deploy("tracker", *answers, supported_shape_types="rectangle")
    status, text = invoke(url, video, "--shape", "rectangle:0,0,9,9")
    assert status == 0, text
    requests = [seen["request"] for seen in nuclio.seen if seen["request"]]
    assert [r["states"] for r in requests] == [[], *([{"n": i}] for i in range(5))]
    assert requests[0]["shapes"] == [{"type": "rectangle", "points": [0, 0, 9, 9]}]
    assert requests[1]["shapes"] == [None]
    assert base64.b64decode(requests[0]["image"]).startswith(b"\x89PNG")
    assert "5,5,14,14" in text


def test_a_lost_object_is_told(deploy: Deploy, invoke: Invoke, video: Path) -> None:
    answers = [{"shapes": [None], "states": [None]}] * 6
    status, text = invoke(deploy("tracker", *answers), video, "--shape", "0,0,9,9", "--frames", "3")
    assert status == 0
    assert "object 1 is null from frame 1" in text


def test_a_tracker_that_forgets_a_state_fails_in_the_ui(deploy: Deploy, invoke: Invoke, video: Path) -> None:
    answers: list[Any] = [{"shapes": [], "states": []}] * 6
    status, text = invoke(deploy("tracker", *answers), video, "--shape", "0,0,9,9")
    assert status == 1
    assert "1 states" in text


def test_reid_gets_whole_shapes_and_makes_tracks(deploy: Deploy, invoke: Invoke, nuclio: Any, image: Path) -> None:
    url = deploy("reid", [1, -1])
    boxes = ["--box0", "car:1,2,30,40", "--box0", "50,50,60,60", "--box1", "9,9,19,19", "--box1", "car:2,3,31,41"]
    status, text = invoke(url, image, image, *boxes, "--max-distance", "40", "--threshold", "0.5")
    assert status == 0, text
    request = nuclio.seen[-1]["request"]
    assert request["max_distance"] == 40
    assert [box["path_id"] for box in request["boxes0"]] == [0, 1]
    assert {"id", "label_id", "frame", "attributes", "rotation"} <= request["boxes1"][0].keys()
    assert request["boxes0"][0]["label_id"] == request["boxes1"][1]["label_id"]
    assert "track 3" in text


def test_reid_that_names_a_box_twice(deploy: Deploy, invoke: Invoke, image: Path) -> None:
    boxes = ["--box0", "1,2,30,40", "--box0", "5,5,6,6", "--box1", "9,9,19,19"]
    status, text = invoke(deploy("reid", [0, 0]), image, image, *boxes)
    assert status == 1
    assert "names one box of the second frame twice" in text


@pytest.mark.parametrize(
    ("kind", "arguments", "words"),
    [
        ("interactor", [], "needs a point or a box"),
        ("tracker", ["--shape", "1,2,3,4"], "two or more frames"),
        ("reid", ["--box0", "1,2,3,4"], "two images and boxes on both"),
        ("detector", ["--box", "1,2,3"], "--box takes 4 numbers"),
        ("detector", ["--pos", "a,b"], "--pos takes 2 numbers"),
    ],
)
def test_options_that_do_not_fit_are_explained(
    kind: str, arguments: list[str], words: str, deploy: Deploy, invoke: Invoke, image: Path
) -> None:
    status, text = invoke(deploy(kind, []), image, *arguments)
    assert status == 2
    assert words in text


def test_input_files_that_are_no_images(deploy: Deploy, invoke: Invoke, tmp_path: Path) -> None:
    url = deploy("detector", [])
    text_file, damaged, video = tmp_path / "a.txt", tmp_path / "a.png", tmp_path / "a.mp4"
    text_file.write_text("words")
    damaged.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(20))
    video.write_bytes(b"no video")
    for file, words in (
        (tmp_path / "none.png", "no file"),
        (text_file, "no image that CVAT could send"),
        (damaged, "image"),
        (video, "no frame that OpenCV can read"),
    ):
        status, text = invoke(url, file)
        assert status == 2
        assert words in text


BUNDLE = {
    "function.yaml": """metadata:
  name: edges
  annotations:
    type: detector
    spec: '[{"name": "frame", "type": "rectangle"}]'
spec:
  description: the image's own frame
  handler: main:handler
  runtime: python:3.11
  eventTimeout: 30s
  triggers:
    http:
      kind: http
      numWorkers: 2
      attributes:
        maxRequestBodySize: 33554432
""",
    "main.py": """import base64, io, json
from PIL import Image

def init_context(context):
    context.logger.info("ready")

def handler(context, event):
    size = Image.open(io.BytesIO(base64.b64decode(event.body["image"]))).size
    body = json.dumps([{"label": "frame", "type": "rectangle", "points": [0, 0, *size]}])
    return context.Response(body=body, headers={}, content_type="application/json", status_code=200)
""",
}


def test_a_bundle_is_served_for_the_time_of_the_call(invoke: Invoke, image: Path, tmp_path: Path) -> None:
    for name, text in BUNDLE.items():
        (tmp_path / name).write_text(text)
    status, text = invoke(tmp_path, image)
    assert status == 0, text
    assert "0,0,120,90" in text


def test_masks_that_the_switch_leaves_masks_are_counted(deploy: Deploy, invoke: Invoke, image: Path) -> None:
    mask = {"label": "car", "type": "mask", "mask": [1] * 9 + [4, 4, 6, 6]}
    spec = [{"name": "car", "type": "mask"}]
    drawn = mask | {"points": [4, 4, 7, 4, 7, 7]}
    said = "1 masks stay masks: CVAT makes a polygon of an item's `points`"
    assert said in invoke(deploy("detector", [mask, drawn], spec=spec), image, "--conv-mask-to-poly")[1]
    assert "stay masks" not in invoke(deploy("detector", [drawn], spec=spec), image, "--conv-mask-to-poly")[1]
    assert "stay masks" not in invoke(deploy("detector", [mask], spec=spec), image)[1]


def test_what_the_page_of_an_old_cvat_fails_on_is_said(deploy: Deploy, invoke: Invoke, image: Path) -> None:
    """Its server gives every item that is mapped an empty list of attributes; where none is, it changes nothing."""
    page = "the AI tools of this page fail on it if the task has a label of its name"
    other = {"label": "Car", "type": "rectangle", "points": [1, 2, 3, 4]}
    assert page in invoke(deploy("detector", [other], spec=CAR), image, "--cvat", "G1")[1]
    assert page not in invoke(deploy("detector", [other], spec=CAR), image)[1]
    assert page not in invoke(deploy("detector", [other | {"attributes": []}], spec=CAR), image, "--cvat", "G1")[1]
    assert page not in invoke(deploy("detector", [other, BOX], spec=CAR), image, "--cvat", "G1")[1]
