"""`--clear-existing`: the old go when the new are there, frame by frame, and tracks stay."""

from typing import Any

import pytest

from cvat_nuclio.cvat_server import Annotations, Marks


@pytest.fixture
def old(shelf: Any) -> Any:
    """A task with a rectangle and a tag on each frame, and a track."""
    found = shelf(segment_size=5)
    box, scene = (label.id for label in found.scope.labels)
    for job in found.scope.jobs:
        shapes = [
            {"type": "rectangle", "frame": frame, "label_id": box, "points": [1, 1, 9, 9]} for frame in job.frames
        ]
        tags = [{"frame": frame, "label_id": scene} for frame in job.frames]
        first = {"type": "rectangle", "frame": job.frames.start, "points": [2, 2, 8, 8]}
        track = {"frame": job.frames.start, "label_id": box, "shapes": [first]}
        Annotations(found.place.connection, job.id).add({"shapes": shapes, "tags": tags, "tracks": [track]}, Marks())
    return found


def sources(found: Any) -> list[tuple[int, str]]:
    return sorted((shape["frame"], shape["source"]) for shape in found.stored()["shapes"])


def test_old_ones_go_and_tracks_stay(annotate: Any, old: Any) -> None:
    assert annotate("--task", old.scope.task_id, "--clear-existing") == 0
    assert sources(old) == [(frame, "auto") for frame in range(10)]
    assert {tag["source"] for tag in old.stored()["tags"]} == {"auto"}
    assert len(old.stored()["tracks"]) == 2


def test_without_it_the_old_ones_stay(annotate: Any, old: Any) -> None:
    assert annotate("--task", old.scope.task_id) == 0
    assert len(old.stored()["shapes"]) == 20


def test_other_frames_and_failed_ones_keep_theirs(
    annotate: Any, old: Any, function: Any, functions: Any, number_of: Any
) -> None:
    function.answer = lambda body: (500, "") if number_of(body) == 6 else (200, [functions.BOX])
    assert annotate("--task", old.scope.task_id, "--frames", "3..7", "--clear-existing", "--retries", 0) == 1
    changed = {3, 4, 5, 7}
    assert sources(old) == [(frame, "auto" if frame in changed else "manual") for frame in range(10)]
    function.answer = lambda body: (200, [functions.BOX])
    assert annotate("--task", old.scope.task_id, "--frames", "3..7", "--clear-existing") == 0
    assert sources(old) == [(frame, "auto" if frame in {*changed, 6} else "manual") for frame in range(10)]


def test_a_frame_without_objects_is_cleared(annotate: Any, old: Any, function: Any) -> None:
    function.answer = lambda body: (200, [])
    assert annotate("--task", old.scope.task_id, "--clear-existing") == 0
    assert old.stored()["shapes"] == old.stored()["tags"] == []
    assert len(old.stored()["tracks"]) == 2


def test_a_run_that_ends_early_clears_nothing(annotate: Any, old: Any, function: Any) -> None:
    function.answer = lambda body: (500, "")
    assert annotate("--task", old.scope.task_id, "--clear-existing", "--retries", 0) == 2
    assert sources(old) == [(frame, "manual") for frame in range(10)]


def test_the_new_ones_come_first(annotate: Any, old: Any, standin: Any) -> None:
    standin.seen.clear()
    assert annotate("--task", old.scope.task_id, "--clear-existing") == 0
    changes = [line.rpartition("action=")[2] for line in standin.seen if line.startswith("PATCH")]
    assert changes == ["create", "delete", "create", "delete"]


def test_interrupted_before_the_old_ones_are_gone(annotate: Any, old: Any, standin: Any) -> None:
    standin.trouble("PATCH", "action=delete", 500)
    assert annotate("--task", old.scope.task_id, "--clear-existing") == 2
    assert annotate("--task", old.scope.task_id, "--clear-existing") == 0
    assert sources(old) == [(frame, "auto") for frame in range(10)]
