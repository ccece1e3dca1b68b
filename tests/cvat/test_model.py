"""Rules of the model that no recording shows by itself."""

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cvat_nuclio.cvat import CvatError, Generation, Task, labels_from_spec, list_function
from cvat_nuclio.cvat.job import run_job
from cvat_nuclio.cvat.mask_crops import crop_to_rle, rle_to_bitmap
from cvat_nuclio.cvat.server import Server
from cvat_nuclio.cvat.storage import Store

IMAGE = b"picture"


class Answers:
    """A function that gives these answers in turn."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.payloads: list[Any] = []

    def invoke(self, function: Any, payload: Any) -> Any:
        self.payloads.append(payload)
        return self.answers.pop(0)


def function(kind: str, spec: list[dict[str, Any]] | None = None, **annotations: str) -> dict[str, Any]:
    return {
        "metadata": {"name": "f", "annotations": {"type": kind, "spec": json.dumps(spec or []), **annotations}},
        "spec": {"description": "a function"},
        "status": {"httpPort": 1},
    }


def detector(generation: Generation, *answers: Any, frames: int = 1) -> tuple[Server, Any, Store]:
    listed = list_function(function("detector", [{"name": "car"}]), generation)
    task = Task.of(labels_from_spec(listed.labels), [IMAGE] * frames)
    return Server(generation, Answers(*answers)), listed, Store(task)


def box(*points: float, **fields: Any) -> dict[str, Any]:
    return {"label": "car", "type": "rectangle", "points": list(points), **fields}


@pytest.mark.parametrize("generation", list(Generation))
def test_nan_fails_the_browser_but_is_stored_by_a_job(generation: Generation) -> None:
    server, listed, store = detector(generation, [box(1, 2, math.nan, 4)], [box(1, 2, math.nan, 4)])
    with pytest.raises(CvatError, match="Out of range float values") as caught:
        server.call(listed, store.task, {"frame": 0})
    assert caught.value.http_status == 500
    job = run_job(server, listed, store, {})
    assert job.status == "finished"
    assert math.isnan(job.stored["shapes"][0]["points"][2])


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("outside", "perhaps", "Must be a valid boolean."),
        ("outside", None, "This field may not be null."),
        ("group_id", -1, "Ensure this value is greater than or equal to 0."),
        ("points", "1,2", "Value must be a float or an integer"),
        ("rotation", "up", "A valid number is required."),
    ],
)
def test_serializers_refuse(field: str, value: Any, text: str) -> None:
    server, listed, store = detector(Generation.G2, [box(1, 2, 3, 4, **{field: value})])
    with pytest.raises(CvatError) as caught:
        server.call(listed, store.task, {"frame": 0})
    assert text in str(caught.value.detail)
    assert caught.value.http_status == 400


@pytest.mark.parametrize("value", [0, 1, True, False, "true", "False", "on", "off"])
def test_outside_takes_what_stands_for_a_boolean(value: Any) -> None:
    server, listed, store = detector(Generation.G3, [box(1, 2, 3, 4, outside=value)])
    shape = server.call(listed, store.task, {"frame": 0})["shapes"][0]
    assert shape["outside"] is (value in (1, True, "true", "on"))


def test_a_long_text_fails_everything() -> None:
    spec = [{"name": "car", "attributes": [{"name": "t", "input_type": "text", "values": [""]}]}]
    listed = list_function(function("detector", spec))
    store = Store(Task.of(labels_from_spec(listed.labels), [IMAGE]))
    answer = [box(1, 2, 3, 4, attributes=[{"name": "t", "value": "x" * 4097}])]
    job = run_job(Server(Generation.G3, Answers(answer)), listed, store, {})
    assert job.status == "failed"
    assert "no more than 4096 characters" in (job.error.message or "" if job.error else "")


def test_results_are_submitted_after_every_hundredth_frame() -> None:
    answers = [[box(1, 2, 3, 4)]] * 150 + [[{"label": "car"}]]
    server, listed, store = detector(Generation.G3, *answers, frames=151)
    job = run_job(server, listed, store, {})
    assert job.status == "failed"
    assert [shape["frame"] for shape in job.stored["shapes"]] == list(range(101))


def test_drops_are_told_item_by_item() -> None:
    answer = [box(1, 2, 3, 4), {"label": "zebra"}, box(1, 2, 3, 4, attributes=[{"name": "a", "value": "b"}])]
    server, listed, store = detector(Generation.G3, answer)
    server.call(listed, store.task, {"frame": 0})
    assert [drop.item for drop in server.drops.found] == [1, 2]
    assert "zebra" in server.drops.found[0].reason


@pytest.mark.parametrize("threshold", [0, 0.0, None])
def test_a_falsy_threshold_never_reaches_the_function(threshold: Any) -> None:
    server, listed, store = detector(Generation.G3, [])
    server.call(listed, store.task, {"frame": 0, "threshold": threshold})
    assert isinstance(server.invoker, Answers)
    assert server.invoker.payloads[0].keys() == {"image"}


@given(
    arrays.arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9))),
    st.sampled_from([(int, 1), (int, 255), (float, 1.0), (bool, True)]),
    st.sampled_from(list(Generation)),
)
def test_a_two_valued_crop_comes_back_from_cvats_run_lengths(
    crop: Any, form: tuple[type, Any], generation: Generation
) -> None:
    cast, foreground = form
    rows, columns = crop.shape
    flat = [foreground if pixel else cast(0) for pixel in crop.ravel()]
    points = crop_to_rle([*flat, 3, 5, 3 + columns - 1, 5 + rows - 1], generation)
    bitmap = rle_to_bitmap([float(point) for point in points], 20, 20)
    assert np.array_equal(bitmap[5 : 5 + rows, 3 : 3 + columns], crop)
    assert bitmap.sum() == crop.sum()


@pytest.mark.parametrize("points", [[1, 4, 1, 0, 0, 2, 2], [6, 0.5, 0, 2, 1], [6, 2, 1, 0, 0], [1, 2]])
def test_a_mask_that_the_ui_cannot_open_is_found(points: list[float]) -> None:
    with pytest.raises(ValueError, match="mask"):
        rle_to_bitmap(points, 10, 10)
