"""Which jobs and frames are worked on, and what their pictures are."""

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from cvat_nuclio.cvat_server import Frame, frames_ahead, has_honeypots, open_job, open_task, tasks_of_project
from cvat_nuclio.errors import UserError


def contents(media: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(media.glob("s*.jpg"))]


def all_frames(place: Any, scope: Any, numbers: Any = None) -> list[Frame]:
    return list(frames_ahead(place.connection, scope, scope.frames if numbers is None else numbers))


def test_frames_are_the_files(cvat_place: Any, media: Path) -> None:
    scope = cvat_place.task(data={"chunk_size": 3})
    found = all_frames(cvat_place, scope)
    assert [frame.number for frame in found] == list(range(10))
    assert [frame.content for frame in found] == contents(media)
    assert scope.jobs_of(4)[0].size(4) == (160, 120)


def test_jobs_overlap_and_chunks_do_not_fit_them(cvat_place: Any, media: Path) -> None:
    scope = cvat_place.task(segment_size=4, overlap=1, data={"chunk_size": 3})
    assert [job.frames for job in scope.jobs] == [range(4), range(3, 7), range(6, 10)]
    assert [job.id for job in scope.jobs_of(3)] == [scope.jobs[0].id, scope.jobs[1].id]
    assert [frame.content for frame in all_frames(cvat_place, scope)] == contents(media)


def test_frames_run_backwards(cvat_place: Any, media: Path) -> None:
    scope = cvat_place.task(segment_size=5, data={"chunk_size": 2})
    found = all_frames(cvat_place, scope, [8, 6, 4, 2])
    assert [frame.content for frame in found] == contents(media)[8:0:-2]


def test_all_formats_and_turned_pictures(cvat_place: Any, media: Path) -> None:
    """A picture that EXIF turns is upright, the others are as they were uploaded."""
    files = sorted((media / "twelve").iterdir())
    scope = cvat_place.task(files=files)
    found = all_frames(cvat_place, scope)
    assert [f.content == path.read_bytes() for f, path in zip(found, files, strict=True)] == [
        path.stem != "f exif6" for path in files
    ]
    sizes = [Image.open(io.BytesIO(frame.content)).size for frame in found]
    assert sizes == [scope.jobs_of(number)[0].size(number) for number in range(12)]


def test_frame_step_numbers_from_zero(cvat_place: Any, media: Path) -> None:
    scope = cvat_place.task(data={"start_frame": 2, "stop_frame": 8, "frame_step": 2})
    assert scope.frames == (0, 1, 2, 3)
    assert [frame.content for frame in all_frames(cvat_place, scope)] == contents(media)[2:9:2]


def test_deleted_frames_are_left_out(cvat_place: Any) -> None:
    scope = cvat_place.task(segment_size=5)
    cvat_place.connection.client.tasks.retrieve(scope.task_id).remove_frames_by_ids([2, 7])
    again = open_task(cvat_place.connection, scope.task_id)
    assert again.frames == (0, 1, 3, 4, 5, 6, 8, 9)
    assert [frame.number for frame in all_frames(cvat_place, again)] == list(again.frames)


def test_frames_of_a_video_are_png(cvat_place: Any, clip: Path) -> None:
    scope = cvat_place.task(files=[clip])
    found = all_frames(cvat_place, scope, range(3, 24))
    assert [frame.number for frame in found] == list(range(3, 24))
    with Image.open(io.BytesIO(found[0].content)) as image:
        assert (image.format, image.size) == ("PNG", scope.jobs_of(3)[0].size(3))


@pytest.mark.parametrize("wrong", [range(4, 11), range(12, 14)])
def test_frames_that_no_job_has(cvat_place: Any, wrong: range) -> None:
    scope = cvat_place.task()
    with pytest.raises(UserError, match="there is no frame") as caught:
        open_task(cvat_place.connection, scope.task_id, wrong)
    assert caught.value.remedy == "--frames 0..9"


def test_part_of_the_frames(cvat_place: Any) -> None:
    scope = cvat_place.task(segment_size=5)
    assert open_task(cvat_place.connection, scope.task_id, range(3, 7)).frames == (3, 4, 5, 6)
    with pytest.raises(UserError, match="there is no frame 3"):
        open_job(cvat_place.connection, scope.jobs[1].id, range(3, 7))


def test_ground_truth_stays_as_it_is(cvat_place: Any) -> None:
    scope = cvat_place.task(segment_size=5)
    wish = {"type": "ground_truth", "task_id": scope.task_id, "frame_selection_method": "manual", "frames": [1, 4]}
    job = cvat_place.connection.send("POST", "jobs", {}, wish)["id"]
    again = open_task(cvat_place.connection, scope.task_id)
    assert [each.id for each in again.jobs] == [each.id for each in scope.jobs]
    assert again.left_out == (f"the ground truth (job {job})",)
    with pytest.raises(UserError, match=f"job {job} holds the ground truth"):
        open_job(cvat_place.connection, job)


def test_honeypots_are_frames_like_others_and_their_pool_stays_as_it_is(
    cvat_place: Any, honeypots: dict[str, Any], media: Path
) -> None:
    scope = cvat_place.task(**honeypots)
    assert [job.frames for job in scope.jobs] == [range(5), range(5, 10), range(10, 13)]
    assert scope.frames == tuple(range(13))
    (left_out,) = scope.left_out
    assert left_out.startswith("the ground truth")
    pool = {contents(media)[number] for number in (1, 6, 8)}
    pictures = [frame.content for frame in all_frames(cvat_place, scope)]
    assert set(pictures) == set(contents(media))
    assert [sum(pictures[frame] in pool for frame in job.frames) for job in scope.jobs] == [2, 2, 2]
    assert has_honeypots(cvat_place.connection, scope.task_id)


def test_consensus_replicas_stay_as_they_are(cvat_place: Any) -> None:
    scope = cvat_place.task(segment_size=5, consensus_replicas=2)
    assert [each.frames for each in scope.jobs] == [range(5), range(5, 10)]
    assert len(scope.left_out) == 4
    replica = scope.jobs[0].id + 1
    with pytest.raises(UserError, match=f"job {replica} is a replica of job {scope.jobs[0].id}"):
        open_job(cvat_place.connection, replica)


def test_job_of_another_task(cvat_place: Any) -> None:
    scope = cvat_place.task()
    with pytest.raises(UserError, match=f"is none of task {scope.task_id + 1}"):
        open_job(cvat_place.connection, scope.jobs[0].id, task_id=scope.task_id + 1)


@pytest.mark.parametrize(("change", "kind"), [({"dimension": "3d"}, "3D"), ({"media_type": "audio"}, "audio")])
def test_other_media_are_refused(standin: Any, standin_place: Any, change: dict[str, str], kind: str) -> None:
    scope = standin_place.task()
    for name, value in change.items():
        setattr(standin.tasks[scope.task_id], name, value)
    with pytest.raises(UserError, match=f"is of {kind} data"):
        open_task(standin_place.connection, scope.task_id)


def test_task_without_data(cvat_place: Any) -> None:
    made = cvat_place.task_without_data(labels=[{"name": "box"}])
    with pytest.raises(UserError, match=f"task {made} has no job"):
        open_task(cvat_place.connection, made)


def test_tasks_of_a_project(cvat_place: Any) -> None:
    project = cvat_place.project()
    with pytest.raises(UserError, match="has no task"):
        tasks_of_project(cvat_place.connection, project)
    scopes = [cvat_place.task(labels=(), project_id=project) for _ in range(2)]
    assert tasks_of_project(cvat_place.connection, project) == [scope.task_id for scope in scopes]
    assert [label.name for label in scopes[0].labels] == ["box"]


def test_labels_with_all_that_hangs_on_them(cvat_place: Any) -> None:
    spec = {"name": "n", "mutable": True, "input_type": "number", "values": ["0", "10", "2"], "default_value": "4"}
    svg = (
        '<circle r="1.5" cx="20" cy="20" data-type="element node" data-element-id="1" data-node-id="1" '
        'data-label-name="head"></circle>'
    )
    head = {"name": "head", "type": "points"}
    scope = cvat_place.task(
        labels=[
            {"name": "car", "type": "rectangle", "attributes": [spec]},
            {"name": "man", "type": "skeleton", "svg": svg, "sublabels": [head]},
        ]
    )
    car, man = scope.labels
    (attribute,) = car.attributes
    assert (car.name, car.type, attribute.values, attribute.default_value) == (
        "car",
        "rectangle",
        ("0", "10", "2"),
        "4",
    )
    assert [(each.name, each.type) for each in man.sublabels] == [("head", "points")]
