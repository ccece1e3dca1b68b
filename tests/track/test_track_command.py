"""The command as it is typed: what it prints, what it keeps of an interrupted run, what it says of what is wrong."""

import fcntl
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cvat_nuclio.__main__ import main
from cvat_nuclio.private_files import private_folder
from cvat_nuclio.track import asked_function

Run = Callable[..., tuple[int, str]]


@pytest.fixture(scope="session")
def nuclio() -> Iterator[Any]:
    """The stand-in of `tests/cvat`: dashboard and function on one port."""
    from tests.cvat import nuclio_standin

    with nuclio_standin.running() as server:
        yield server


@pytest.fixture
def tracker(nuclio: Any) -> Callable[..., str]:
    """`tracker(places, kind=…)`: a dashboard's URL; for each request of one object a place, or an HTTP status."""

    def deploy(places: list[Any], kind: str = "tracker", spec: Any = ()) -> str:
        annotations = {"type": kind, "supported_shape_types": "rectangle", "spec": json.dumps(list(spec))}
        function = {
            "metadata": {"name": "f", "annotations": annotations},
            "spec": {"description": "d"},
            "status": {"httpPort": nuclio.port},
        }
        nuclio.reset([answer(place) for place in places], {"/api/functions": {"status": 200, "body": {"f": function}}})
        return str(nuclio.url)

    return deploy


def answer(place: Any) -> dict[str, Any]:
    if isinstance(place, int):
        return {"status": place, "body": "out of memory"}
    shape = place and {"type": "rectangle", "points": place}
    return {"status": 200, "body": {"shapes": [shape], "states": ["state"]}}


def boxes(count: int) -> list[list[float]]:
    return [[10.0 + 5 * frame, 20, 40 + 5 * frame, 60] for frame in range(count)]


@pytest.fixture
def scope(cvat_place: Any) -> Any:
    """A task of ten pictures in two jobs, with a box on the first."""
    made = cvat_place.task(segment_size=5)
    shape = {"type": "rectangle", "label_id": made.labels[0].id, "frame": 0, "points": boxes(1)[0]}
    cvat_place.connection.send(
        "PATCH", f"jobs/{made.jobs[0].id}/annotations", {"action": "create"}, {"shapes": [shape]}
    )
    return made


@pytest.fixture
def track(cvat_place: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs the command; its status and all that it printed."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(asked_function, "time", SimpleNamespace(sleep=lambda _: None))
    monkeypatch.setattr("cvat_nuclio.waiting.FIRST", 3600.0)  # on a slow machine it would say how far it is
    monkeypatch.setenv("PASS", "")

    def run(*words: object, login: list[str] | None = None) -> tuple[int, str]:
        status = main(["track", *map(str, words), *(cvat_place.words if login is None else login)])
        captured = capsys.readouterr()
        return status, captured.out + captured.err

    return run


def stored(place: Any, scope: Any) -> list[list[tuple[int, bool, float]]]:
    """Of the jobs' tracks, one a job, the frames, `outside` and the left side."""
    tracks = [place.connection.get(f"jobs/{job.id}/annotations")["tracks"] for job in scope.jobs]
    assert all(len(of_job) <= 1 for of_job in tracks)
    return [
        [(one["frame"], one["outside"], one["points"][0]) for one in line["shapes"]]
        for of_job in tracks
        for line in of_job
    ]


def journals() -> list[Path]:
    return list(private_folder("track").glob("*.journal"))


def test_it_says_what_was_stored(cvat_place: Any, scope: Any, tracker: Any, track: Run) -> None:
    places: list[Any] = boxes(10)
    places[3] = None
    status, told = track(tracker(places), "--task", scope.task_id)
    assert status == 0, told
    first, last = told.splitlines()
    assert first == f"task {scope.task_id} (test): frames 0..9, 2 jobs"
    assert re.fullmatch(r"1 objects over 10 frames in \d+\.\d s: 2 tracks with 6 keyframes stored", last)
    assert stored(cvat_place, scope) == [
        [(0, False, 10), (2, False, 20), (3, True, 20), (4, False, 30)],
        [(5, False, 35), (9, False, 55)],
    ]
    assert not list(private_folder("track").iterdir())


def test_a_served_bundle_loses_and_finds(cvat_place: Any, repository: Path, tmp_path: Path, track: Run) -> None:
    """The bundle's own option has CVAT see a lost object where it was last."""
    random = np.random.default_rng(4)
    ground, thing = random.integers(60, 90, (120, 160, 3)), random.integers(0, 255, (6, 6, 3)).repeat(5, 0).repeat(5, 1)
    for frame in range(16):
        pixels = ground.copy()
        if not 7 <= frame < 10:
            pixels[40 : 40 + 30, 20 + 4 * frame : 50 + 4 * frame] = thing
        Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / f"{frame:02}.png")
    scope = cvat_place.task(files=sorted(tmp_path.glob("*.png")))
    path = f"jobs/{scope.jobs[0].id}/annotations"
    shape = {"type": "rectangle", "label_id": scope.labels[0].id, "frame": 0, "points": [20, 40, 50, 70]}
    cvat_place.connection.send("PATCH", path, {"action": "create"}, {"shapes": [shape]})
    bundle = repository / "serverless/opencv/correlation-tracker/nuclio"
    status, told = track(bundle, "--task", scope.task_id, "--tolerance", 2)
    assert status == 0, told
    (line,) = stored(cvat_place, scope)
    assert [frame for frame, outside, _ in line if outside] == [7]
    assert {6, 7, 10, 15} <= {frame for frame, _, _ in line}
    assert all(abs(left - (20 + 4 * frame)) <= 3 for frame, outside, left in line if not outside)


def test_a_video_whose_jobs_overlap(cvat_place: Any, clip: Path, tracker: Any, track: Run) -> None:
    scope = cvat_place.task(files=[clip], segment_size=12)
    assert [job.frames for job in scope.jobs[:2]] == [range(12), range(7, 19)]
    shape = {"type": "rectangle", "label_id": scope.labels[0].id, "frame": 0, "points": boxes(1)[0]}
    cvat_place.connection.send(
        "PATCH", f"jobs/{scope.jobs[0].id}/annotations", {"action": "create"}, {"shapes": [shape]}
    )
    status, told = track(tracker(boxes(30)), "--task", scope.task_id)
    assert status == 0, told
    for job, line in zip(scope.jobs, stored(cvat_place, scope), strict=True):
        ends = (job.frames.start, job.frames.stop - 1)
        assert line == [(frame, False, 10 + 5 * frame) for frame in ends]


def test_the_same_command_goes_on(cvat_place: Any, scope: Any, tracker: Any, track: Run) -> None:
    words = ("--task", scope.task_id, "--frames", "0..9")
    status, told = track(tracker([*boxes(7), *[503] * 4]), *words)
    assert status == 2
    assert "7 of 10 frames are done and kept: the same command goes on there" in told
    assert "f failed on frame 7\n  why: HTTPError: 503" in told
    assert "out of memory" in told
    assert stored(cvat_place, scope) == [[(0, False, 10), (4, False, 30)]]
    status, told = track(tracker(boxes(10)[7:]), *words)
    assert status == 0
    assert "an interrupted run goes on at frame 7 (7 of 10 are done)" in told
    assert stored(cvat_place, scope) == [[(0, False, 10), (4, False, 30)], [(5, False, 35), (9, False, 55)]]


def test_fresh_begins_anew(scope: Any, tracker: Any, track: Run) -> None:
    words = ("--task", scope.task_id, "--keep-shapes")
    assert track(tracker([*boxes(3), *[500] * 4]), *words)[0] == 2
    status, told = track(tracker(boxes(10)), *words, "--fresh")
    assert status == 0
    assert "goes on" not in told


def test_an_answer_that_was_lost_stores_nothing_twice(
    standin: Any, standin_place: Any, tracker: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    scope = standin_place.task()
    shape = {"type": "rectangle", "label_id": scope.labels[0].id, "frame": 0, "points": boxes(1)[0]}
    path = f"jobs/{scope.jobs[0].id}/annotations"
    standin_place.connection.send("PATCH", path, {"action": "create"}, {"shapes": [shape]})
    standin.trouble("PATCH", "annotations", "lose")
    assert main(["track", tracker(boxes(10)), "--task", str(scope.task_id), *standin_place.words]) == 0
    found = standin_place.connection.get(path)
    assert (len(found["tracks"]), len(found["shapes"])) == (1, 0)


def test_a_server_that_is_away_for_a_moment(
    standin: Any, standin_place: Any, tracker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cvat_nuclio.cvat_server.job_annotations.SETTLE", 0.0)
    scope = standin_place.task(segment_size=5)
    shape = {"type": "rectangle", "label_id": scope.labels[0].id, "frame": 0, "points": boxes(1)[0]}
    path = f"jobs/{scope.jobs[0].id}/annotations"
    standin_place.connection.send("PATCH", path, {"action": "create"}, {"shapes": [shape]})
    for method, what in (("GET", "data"), ("GET", "annotations"), ("PATCH", "annotations")):
        standin.trouble(method, what, "drop")
    assert main(["track", tracker(boxes(10)), "--task", str(scope.task_id), *standin_place.words]) == 0
    assert stored(standin_place, scope) == [[(0, False, 10), (4, False, 30)], [(5, False, 35), (9, False, 55)]]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--frames", "0..99"], "there is no frame 99\n  why: the frames are 0..9"),
        (["--frames", "3..9"], "nothing stands on frame 3\n  why: a track begins with a shape that stands there"),
        (["--shapes", "987654"], "no shape 987654 on frame 0\n  why: {id} (box, rectangle)\n  try: choose of these"),
        (["--reid", "DIR"], "--reid needs --detector"),
        (["--tolerance", "-1"], "--tolerance is 0 or more, not -1"),
        (["--tolerance", "nan"], "--tolerance is 0 or more, not nan"),
    ],
)
def test_what_does_not_go(cvat_place: Any, scope: Any, tracker: Any, track: Run, words: list[str], told: str) -> None:
    (shape,) = cvat_place.connection.get(f"jobs/{scope.jobs[0].id}/annotations")["shapes"]
    status, printed = track(tracker(boxes(10)), "--task", scope.task_id, *words)
    assert status == 2
    assert f"cvat-nuclio track: {told.replace('{id}', str(shape['id']))}" in printed


def test_labels_of_the_detector_that_do_not_match(scope: Any, tracker: Any, track: Run) -> None:
    url = tracker([], kind="detector", spec=[{"name": "boxx", "type": "rectangle", "attributes": []}])
    status, told = track("DIR", "--task", scope.task_id, "--detector", url)
    assert status == 2
    assert "none of the function's labels is one of the task's" in told
    assert "boxx: not in the task; --map boxx=box?" in told


def test_a_function_of_another_kind(scope: Any, tracker: Any, track: Run) -> None:
    url = tracker([], kind="detector")
    status, told = track(url, "--task", scope.task_id)
    assert (status, told.splitlines()[0]) == (2, "cvat-nuclio track: f is no tracker, but of kind detector")


def test_a_wrong_password(scope: Any, tracker: Any, track: Run, cvat_place: Any) -> None:
    login = ["--server-host", cvat_place.url, "--auth", f"{cvat_place.user}:wrong"]
    status, told = track(tracker([]), "--task", scope.task_id, login=login)
    assert status == 2
    assert "does not let you in" in told


def test_no_right_to_the_task(standin: Any, standin_place: Any, tracker: Any, capsys: Any) -> None:
    scope = standin_place.task()
    words = ["--server-host", standin.url, "--auth", "stranger:secret"]
    assert main(["track", tracker([]), "--task", str(scope.task_id), *words]) == 2
    assert f"cannot open task {scope.task_id}" in capsys.readouterr().err


def test_a_damaged_journal(scope: Any, tracker: Any, track: Run) -> None:
    words = ("--task", scope.task_id)
    assert track(tracker([*boxes(3), *[500] * 4]), *words)[0] == 2
    (file,) = journals()
    file.write_text(file.read_text()[:-40])
    status, told = track(tracker(boxes(10)), *words)
    assert status == 2
    assert "does not tell how far the last run came" in told
    assert track(tracker(boxes(10)), *words, "--fresh")[0] == 0


def test_one_process_at_a_time(scope: Any, tracker: Any, track: Run) -> None:
    assert track(tracker([*boxes(3), *[500] * 4]), "--task", scope.task_id)[0] == 2
    (file,) = journals()
    with file.with_suffix(".lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        status, told = track(tracker(boxes(10)[3:]), "--task", scope.task_id)
    assert status == 2
    assert "this run is under way already" in told
    assert track(tracker(boxes(10)[3:]), "--task", scope.task_id)[0] == 0


def test_a_full_disk(scope: Any, tracker: Any, track: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, content: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cvat_nuclio.track.clip_journal.write", full)
    status, told = track(tracker(boxes(10)), "--task", scope.task_id)
    assert status == 2
    assert "why: No space left on device" in told


def test_a_task_with_honeypots_is_no_clip(cvat_place: Any, honeypots: dict[str, Any], tracker: Any, track: Run) -> None:
    """CVAT would refuse the tracks when the first job is through."""
    scope = cvat_place.task(**honeypots)
    status, told = track(tracker(boxes(13)), "--task", scope.task_id)
    assert status == 2
    assert f"task {scope.task_id} (test) has honeypots" in told


def test_a_journal_names_no_password(scope: Any, tracker: Any, track: Run, cvat_place: Any) -> None:
    assert track(tracker([*boxes(3), *[500] * 4]), "--task", scope.task_id)[0] == 2
    (file,) = journals()
    kept = file.read_text()
    assert json.loads(kept)["progress"]["index"] == 3
    assert cvat_place.password not in kept
    assert file.parent.stat().st_mode & 0o077 == 0
