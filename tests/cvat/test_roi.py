"""A region of interest: the function sees the part, the user gets the frame."""

import base64
import io
from typing import Any

import pytest
from PIL import Image

from cvat_nuclio.cvat import CvatError, Generation, Server, Task, labels_from_spec, list_function
from cvat_nuclio.cvat.interactor_answer import browser_accepts
from cvat_nuclio.cvat.job import run_job
from cvat_nuclio.cvat.storage import Store

SIZE = (60, 40)
ROI = [10, 5, 40, 25]


def picture() -> bytes:
    buffer = io.BytesIO()
    Image.linear_gradient("L").resize(SIZE).save(buffer, "JPEG")
    return buffer.getvalue()


class Function:
    """Answers, and keeps what it got."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.payload: dict[str, Any] = {}

    def invoke(self, function: Any, payload: Any) -> Any:
        self.payload = payload
        return self.answer

    @property
    def image(self) -> Image.Image:
        return Image.open(io.BytesIO(base64.b64decode(self.payload["image"])))


def call(kind: str, answer: Any, generation: Generation = Generation.G3, **body: Any) -> tuple[Any, Function]:
    spec = '[{"name": "car"}, {"name": "sk", "type": "skeleton", "svg": "", "sublabels": [{"name": "a"}]}]'
    annotations = {"type": kind, "spec": spec if kind == "detector" else ""}
    raw = {"metadata": {"name": "f", "annotations": annotations}, "spec": {"description": "d"}, "status": {}}
    listed = list_function(raw, generation)
    function = Function(answer)
    task = Task.of(labels_from_spec(listed.labels), [picture()])
    return Server(generation, function).call(listed, task, {"frame": 0, **body}), function


def test_a_detector_sees_the_part_in_the_frames_format() -> None:
    answer = [
        {"label": "car", "type": "rectangle", "points": [1, 2, 3, 4]},
        {"label": "car", "type": "mask", "mask": [0, 1, 1, 1, 1, 1, 2, 3]},
        {"label": "sk", "type": "skeleton", "elements": [{"label": "a", "type": "points", "points": [5, 6]}]},
    ]
    shown, function = call("detector", answer, roi=ROI)
    assert function.image.size == (30, 20)
    assert function.image.format == "JPEG"
    box, mask, skeleton = shown["shapes"]
    assert box["points"] == [11, 7, 13, 9]
    assert mask["points"] == [1, 3, 11, 6, 12, 8]
    assert skeleton["elements"][0]["points"] == [15, 11]


def test_an_interactor_gets_moved_prompts_and_its_mask_is_put_back() -> None:
    rows = [[int(x in (3, 4) and y < 4) for x in range(30)] for y in range(20)]
    prompts: dict[str, Any] = {"pos_points": [[20, 10]], "neg_points": [[5, 6]], "obj_bbox": [[12, 6], [30, 20]]}
    answer, function = call("interactor", {"mask": rows}, roi=ROI, **prompts)
    assert function.payload["pos_points"] == [[10, 5]]
    assert function.payload["neg_points"] == [[-5, 1]]
    assert function.payload["obj_bbox"] == [[2, 1], [20, 15]]
    (found,), _ = browser_accepts(answer, *SIZE, Generation.G3)
    assert found.bitmap.sum() == 8
    assert found.bitmap[5:9, 13:15].all()


def test_an_interactors_shapes_are_put_back() -> None:
    shape = {"type": "mask", "points": [0, 6, 1, 1, 3, 2]}
    answer, _ = call("interactor", {"shapes": [shape]}, roi=ROI, pos_points=[], neg_points=[])
    (found,), _ = browser_accepts(answer, *SIZE, Generation.G3)
    assert found.bitmap[6:8, 11:14].all()


def test_the_runs_of_a_shape_that_is_not_called_a_mask_are_moved_too() -> None:
    answer, _ = call("interactor", {"shapes": [{"points": [0, 6, 1, 1, 3, 2]}]}, roi=ROI, pos_points=[], neg_points=[])
    assert answer["shapes"][0]["points"] == [10, 11, 11, 6, 13, 7]


def test_a_mask_of_another_size_fails() -> None:
    with pytest.raises(CvatError) as caught:
        call("interactor", {"mask": [[0, 1]]}, roi=ROI, pos_points=[], neg_points=[])
    assert caught.value.http_status == 500


@pytest.mark.parametrize(
    ("roi", "text"),
    [
        ([0, 0, 61, 40], "ROI is outside the image"),
        ([10, 5, 10, 25], "ROI size must be positive"),
        ([-1, 0, 5, 5], "ROI coordinates must be non-negative"),
        ([1, 2, 3], "ROI must contain four integer coordinates"),
        ([0.5, 0, 5, 5], "ROI must contain four integer coordinates"),
        ([True, 0, 5, 5], "ROI must contain four integer coordinates"),
        ("0055", "ROI must contain four integer coordinates"),
    ],
)
def test_a_part_that_is_none_is_refused(roi: Any, text: str) -> None:
    with pytest.raises(CvatError, match=text) as caught:
        call("detector", [], roi=roi)
    assert caught.value.http_status == 400
    assert isinstance(caught.value.detail, list)


def test_a_frame_that_is_none_is_told_before_the_part() -> None:
    with pytest.raises(CvatError, match="Invalid frame '7'"):
        call("detector", [], roi=[1], frame=7)


@pytest.mark.parametrize("kind", ["tracker", "reid"])
def test_other_kinds_take_no_part(kind: str) -> None:
    with pytest.raises(CvatError, match=f"ROI is not supported for {kind} functions"):
        call(kind, [], roi=ROI)


def test_a_job_needs_one_size_of_all_its_frames_that_are_not_deleted() -> None:
    small = io.BytesIO()
    Image.new("L", (20, 20)).save(small, "PNG")
    raw = {
        "metadata": {"name": "f", "annotations": {"type": "detector", "spec": '[{"name": "car"}]'}},
        "spec": {"description": "d"},
        "status": {},
    }
    listed = list_function(raw)
    answer = [{"label": "car", "type": "rectangle", "points": [1, 2, 3, 4]}]
    task = Task.of(labels_from_spec(listed.labels), [picture(), small.getvalue()])
    with pytest.raises(CvatError, match="same resolution"):
        run_job(Server(Generation.G3, Function(answer)), listed, Store(task), {"roi": ROI})
    task.deleted = frozenset({1})
    with pytest.raises(CvatError, match="outside the image"):
        run_job(Server(Generation.G3, Function(answer)), listed, Store(task), {"roi": [0, 0, 61, 40]})
    job = run_job(Server(Generation.G3, Function(answer)), listed, Store(task), {"roi": ROI})
    assert job.stored["shapes"][0]["points"] == [11, 7, 13, 9]


@pytest.mark.parametrize("generation", [Generation.G1, Generation.G2])
def test_older_servers_ignore_it(generation: Generation) -> None:
    _, function = call("detector", [], generation, roi=ROI)
    assert function.image.size == SIZE
