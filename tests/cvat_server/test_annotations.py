"""Annotations are stored once, whatever becomes of the answer."""

from typing import Any

import pytest

from cvat_nuclio.cvat_server import Annotations, Marks, Refused, job_annotations


def box(scope: Any, frame: int, x: float = 1.0) -> dict[str, Any]:
    points = [x, 2.0, x + 30.123456789, 40.0]
    return {"type": "rectangle", "frame": frame, "label_id": scope.labels[0].id, "points": points, "source": "auto"}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_annotations, "SETTLE", 0.3)
    monkeypatch.setattr(job_annotations, "LOOK_EVERY", 0.05)


def test_added_and_removed(cvat_place: Any) -> None:
    scope = cvat_place.task()
    job = Annotations(cvat_place.connection, scope.jobs[0].id)
    job.add({"shapes": [box(scope, 1)]}, Marks())
    (old,) = job.get()["shapes"]
    before = Marks.of(job.get())
    job.add({"shapes": [box(scope, 1), box(scope, 2)]}, before)
    assert len(before.above(job.get())["shapes"]) == 2
    job.remove({"shapes": [old]})
    job.remove({"shapes": [old]})
    assert sorted(shape["frame"] for shape in job.get()["shapes"]) == [1, 2]
    assert old["id"] not in [shape["id"] for shape in job.get()["shapes"]]


@pytest.mark.parametrize("what", ["lose", "drop", 502, 503, 504])
def test_a_lost_answer_stores_once(standin: Any, standin_place: Any, what: Any) -> None:

    scope = standin_place.task()
    job = Annotations(standin_place.connection, scope.jobs[0].id)
    job.add({"shapes": [box(scope, 1)]}, Marks())
    before = Marks.of(job.get())
    standin.trouble("PATCH", "action=create", what)
    # The same shape as the old one: only its number tells them apart.
    job.add({"shapes": [box(scope, 1)], "tags": []}, before)
    assert len(job.get()["shapes"]) == 2


def test_a_refusal_stores_nothing(cvat_place: Any) -> None:
    scope = cvat_place.task()
    job = Annotations(cvat_place.connection, scope.jobs[0].id)
    with pytest.raises(Refused, match="CVAT refuses PATCH") as caught:
        job.add({"shapes": [box(scope, 1), box(scope, 2) | {"points": [1, 2]}]}, Marks())
    assert "invalid length" in caught.value.why
    assert job.get() == {"tags": [], "shapes": [], "tracks": []}
