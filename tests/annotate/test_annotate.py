"""A detector over a task: what is called, what is stored, what is told."""

import re
from collections import Counter
from typing import Any

import pytest

from cvat_nuclio.annotate.frame_progress import FrameProgress


def test_every_frame_is_called_once_and_stored_once(
    annotate: Any, shelf: Any, function: Any, number_of: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    found = shelf(segment_size=4, overlap=1, data={"chunk_size": 3})
    assert annotate("--task", found.scope.task_id) == 0
    assert sorted(map(number_of, function.bodies)) == list(range(10))
    # Frames 3 and 6 lie in two jobs each.
    assert found.frames("shapes") == found.frames("tags") == [0, 1, 2, 3, 3, 4, 5, 6, 6, 7, 8, 9]
    assert {shape["source"] for shape in found.stored()["shapes"]} == {"auto"}
    assert "10 frames" in capsys.readouterr().out


def test_as_many_requests_as_workers_want(annotate: Any, shelf: Any, function: Any) -> None:
    function.seconds = 0.05
    found = shelf()
    assert annotate("--task", found.scope.task_id) == 0
    assert 4 < function.most <= 8


def test_in_flight(annotate: Any, shelf: Any, function: Any) -> None:
    function.seconds = 0.02
    found = shelf()
    assert annotate("--task", found.scope.task_id, "--in-flight", 2) == 0
    assert function.most == 2


def test_one_job_and_some_frames(annotate: Any, shelf: Any) -> None:
    found = shelf(segment_size=5)
    assert annotate("--job", found.scope.jobs[1].id, "--frames", "6..7") == 0
    assert found.frames() == [6, 7]


def test_deleted_frames_are_not_called(annotate: Any, shelf: Any, function: Any, number_of: Any) -> None:
    found = shelf()
    found.place.connection.client.tasks.retrieve(found.scope.task_id).remove_frames_by_ids([0, 4])
    assert annotate("--task", found.scope.task_id) == 0
    assert sorted(map(number_of, function.bodies)) == [1, 2, 3, 5, 6, 7, 8, 9]
    assert found.frames() == [1, 2, 3, 5, 6, 7, 8, 9]


def test_a_whole_project(annotate: Any, shelf: Any, cvat_place: Any) -> None:
    project = cvat_place.project()
    shelves = [shelf(labels=(), project_id=project) for _ in range(2)]
    assert annotate("--project", project) == 0
    assert [each.frames() for each in shelves] == [list(range(10))] * 2


def test_a_task_of_a_project_that_cannot_be_worked_on(
    annotate: Any, shelf: Any, cvat_place: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    project = cvat_place.project()
    empty = cvat_place.task_without_data(project_id=project)
    found = shelf(labels=(), project_id=project)
    assert annotate("--project", project) == 1
    assert found.frames() == list(range(10))
    assert f"left out: task {empty} has no job" in capsys.readouterr().err


def test_frames_of_a_video(annotate: Any, shelf: Any, function: Any, clip: Any, functions: Any) -> None:
    found = shelf(files=[clip])
    assert annotate("--task", found.scope.task_id, "--frames", "3..12") == 0
    assert {(functions.picture(body).format, functions.picture(body).size) for body in function.bodies} == {
        ("PNG", (64, 48))
    }
    assert set(found.frames()) == set(range(3, 13))


def test_threshold_and_polygons_reach_the_function(annotate: Any, shelf: Any, function: Any) -> None:
    mask = {"label": "box", "type": "mask", "mask": [1, 1, 0, 1, 2, 3, 3, 4], "points": [2, 3, 3, 3, 3, 4]}
    function.labels = [{"name": "box", "type": "mask", "attributes": []}]
    function.answer = lambda body: (200, [mask])
    found = shelf(labels=[{"name": "box"}])
    words = ("--conf-threshold", 0.4, "--convert-masks-to-polygons", "--frames", "0..0")
    assert annotate("--task", found.scope.task_id, *words) == 0
    assert function.bodies[0]["threshold"] == 0.4
    (shape,) = found.stored()["shapes"]
    assert (shape["type"], shape["points"]) == ("polygon", [2.0, 3.0, 3.0, 3.0, 3.0, 4.0])


def test_groups_and_what_cvat_drops(
    annotate: Any, shelf: Any, function: Any, functions: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    stranger = {"label": "nobody", "type": "rectangle", "points": [1, 1, 2, 2]}
    function.answer = lambda body: (200, [functions.BOX | {"group_id": 3}, stranger])
    found = shelf()
    assert annotate("--task", found.scope.task_id) == 0
    assert {shape["group"] for shape in found.stored()["shapes"]} == {3}
    assert "dropped, as CVAT does, 10 times: label 'nobody' is not mapped" in capsys.readouterr().out


def test_a_failing_frame_is_left_out_and_tried_alone_again(
    annotate: Any, shelf: Any, function: Any, functions: Any, number_of: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    found = shelf(segment_size=5)

    def fails(body: dict[str, Any]) -> tuple[int, Any]:
        return (500, "no such luck") if number_of(body) == 7 else (200, [functions.BOX])

    function.answer = fails
    assert annotate("--task", found.scope.task_id) == 1
    out = capsys.readouterr().out
    assert "frame 7 left out: HTTPError: 500 Server Error" in out
    assert "no such luck" in out
    assert found.frames() == [0, 1, 2, 3, 4, 5, 6, 8, 9]
    assert Counter(map(number_of, function.bodies))[7] == 3

    function.bodies.clear()
    function.answer = lambda body: (200, [functions.BOX])
    assert annotate("--task", found.scope.task_id) == 0
    assert list(map(number_of, function.bodies)) == [7]
    assert found.frames() == list(range(10))


def test_an_answer_that_cvat_could_not_store_is_left_out(
    annotate: Any, shelf: Any, function: Any, functions: Any, number_of: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    found = shelf()
    bad = functions.BOX | {"points": [1, 2, 3]}
    function.answer = lambda body: (200, [bad if number_of(body) == 2 else functions.BOX])
    assert annotate("--task", found.scope.task_id, "--retries", 0) == 1
    assert "invalid length for shape type 'rectangle'" in capsys.readouterr().out
    assert 2 not in found.frames()


def test_on_error_stop_stores_nothing(
    annotate: Any, shelf: Any, function: Any, functions: Any, number_of: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    found = shelf()
    function.answer = lambda body: (500, "") if number_of(body) == 6 else (200, [functions.BOX])
    assert annotate("--task", found.scope.task_id, "--on-error", "stop", "--in-flight", 1) == 2
    assert "frame 6 failed" in capsys.readouterr().err
    assert found.frames() == []


def test_a_function_that_always_fails_ends_the_run(
    annotate: Any, shelf: Any, function: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    found = shelf()
    function.answer = lambda body: (500, "")
    assert annotate("--task", found.scope.task_id, "--retries", 0) == 2
    assert "the first 10 frames all failed" in capsys.readouterr().err


def test_no_free_worker_is_no_failure(annotate: Any, shelf: Any, function: Any, functions: Any) -> None:
    """Nuclio answers 503 where no worker gets free in time."""
    function.seconds = 0.01
    function.answer = lambda body: (503, "") if function._running > 1 else (200, [functions.BOX])
    found = shelf()
    assert annotate("--task", found.scope.task_id, "--retries", 0, "--in-flight", 8) == 0
    assert found.frames() == list(range(10))


def test_trackers_are_refused(annotate: Any, shelf: Any, function: Any, capsys: pytest.CaptureFixture[str]) -> None:
    found = shelf()
    function.kind = "tracker"
    assert annotate("--task", found.scope.task_id) == 2
    assert "is no detector, but of kind tracker" in capsys.readouterr().err


def test_a_function_by_its_deployed_name(annotate: Any, shelf: Any, function: Any) -> None:
    found = shelf()
    words = ("--task", found.scope.task_id, "--dashboard", function.url)
    assert annotate(*words, target="stand-in") == 0
    assert found.frames() == list(range(10))


def test_a_name_that_nobody_has(annotate: Any, shelf: Any, function: Any, capsys: pytest.CaptureFixture[str]) -> None:
    found = shelf()
    words = ("--task", found.scope.task_id, "--dashboard", function.url)
    assert annotate(*words, target="nobody") == 2
    assert "no deployed function named nobody" in capsys.readouterr().err


def test_nothing_is_named(annotate: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert annotate() == 2
    assert "nothing to annotate is named" in capsys.readouterr().err


def test_progress_says_how_much_how_fast_and_how_long() -> None:
    progress = FrameProgress("task 12", 300, 100)
    progress.begun -= 10
    progress.advance(20)
    assert re.fullmatch(r"task 12: 120 of 300 frames, (2\.0|1\.\d) frames/s, 0:0[12]:\d\d left", progress.line())
    progress.advance(180)
    assert progress.line().endswith("frames/s")
