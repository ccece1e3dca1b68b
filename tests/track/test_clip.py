"""Whole clips over a task: what stands in CVAT at the end is what was followed."""

import itertools
import json
from typing import Any

import attrs
import pytest
from tests.track.conftest import Motion, Square, Studio, box, shape
from tests.track.shown import shown_by_cvat

from cvat_nuclio.cvat.interpolation import Placed
from cvat_nuclio.errors import UserError
from cvat_nuclio.track.clip_journal import Progress, thaw
from cvat_nuclio.track.deviation import deviation
from cvat_nuclio.track.keyframes import Keyframe

#: The first square turns back, the second is hidden on frames 8 to 11, over a border of jobs of ten frames.
MOTION: Motion = {
    100: [(10 + 4 * min(frame, 30 - frame), 20, 12) for frame in range(24)],
    200: [None if 8 <= frame <= 11 else (20 + 2 * frame, 70, 20) for frame in range(24)],
}


def invoker(clip: Any) -> Any:
    """What counts the requests of a clip, and fails on demand."""
    return clip.tracker.function.server.invoker.invoker


def keyframes(track: dict[str, Any]) -> list[Keyframe]:
    return [
        Keyframe(one["frame"], Placed(one["type"], tuple(one["points"]), one["rotation"]), one["outside"])
        for one in track["shapes"]
    ]


def shown(track: dict[str, Any], job: Any) -> dict[int, Placed]:
    return shown_by_cvat(keyframes(track), job.frames.stop)


def check(studio: Studio, scope: Any, motion: Motion, tolerance: float, frames: range | None = None) -> None:
    """Every job's tracks show the squares where they are, nothing where they are not, and no frame beyond."""
    for job in scope.jobs:
        tracks = [shown(track, job) for track in studio.stored(job)["tracks"]]
        for frame in job.frames:
            wanted = frames is None or frame in frames
            there = [Placed("rectangle", tuple(box(each[frame]))) for each in motion.values() if wanted and each[frame]]
            found = [track[frame] for track in tracks if frame in track]
            assert len(found) == len(there), (job.id, frame)
            for place in there:
                assert min(deviation([each], [place]) for each in found) <= tolerance + 0.04


def started(studio: Studio, motion: Motion = MOTION, frame: int = 0, **spec: Any) -> Any:
    scope = studio.task(motion, **({"segment_size": 10} | spec))
    boxes = [box(squares[frame]) for squares in motion.values() if squares[frame]]
    studio.draw(scope, [shape(scope.labels[0].id, frame, points) for points in boxes])
    return scope


def done(clip: Any) -> int:
    return list(clip.run())[-1]


@pytest.mark.parametrize("overlap", [0, 3])
@pytest.mark.parametrize("tolerance", [0.1, 3.0])
@pytest.mark.parametrize("backward", [False, True])
def test_tracks_show_what_was_followed(studio: Studio, overlap: int, tolerance: float, backward: bool) -> None:
    scope = started(studio, frame=23 if backward else 0, overlap=overlap)
    assert done(studio.clip(scope, tolerance=tolerance, backward=backward)) == 24
    check(studio, scope, MOTION, tolerance)


@pytest.mark.parametrize("backward", [False, True])
def test_nothing_is_known_beyond_the_frames(studio: Studio, backward: bool) -> None:
    scope = started(studio, frame=17 if backward else 3)
    done(studio.clip(scope, frames=range(3, 18), backward=backward))
    check(studio, scope, MOTION, 1.0, range(3, 18))


def test_deleted_frames_are_not_followed_and_have_no_keyframes(studio: Studio) -> None:
    scope = started(studio)
    studio.place.connection.client.tasks.retrieve(scope.task_id).remove_frames_by_ids([5, 9, 10, 16])
    clip = studio.clip(scope, frames=range(24), tolerance=0.1)
    assert done(clip) == 20
    for job in scope.jobs:
        frames = {one.frame for track in studio.stored(job)["tracks"] for one in keyframes(track)}
        assert not frames & {5, 9, 10, 16}


def test_one_request_a_frame_for_all_objects(studio: Studio) -> None:
    clip = studio.clip(started(studio))
    done(clip)
    payloads = invoker(clip).payloads
    assert len(payloads) == 24
    assert all(len(payload["states"]) == 2 and payload["lost_shape"] == "null" for payload in payloads[1:])


def test_few_keyframes(studio: Studio) -> None:
    """Even motion needs its ends: the first square turns back on frame 15."""
    scope = started(studio)
    done(studio.clip(scope))
    first = [
        track for job in scope.jobs for track in studio.stored(job)["tracks"] if track["shapes"][0]["points"][1] < 60
    ]
    assert [one.frame for track in first for one in keyframes(track)] == [0, 9, 10, 15, 19, 20, 23]


def test_a_track_takes_the_place_of_its_shape_in_every_job(studio: Studio) -> None:
    scope = started(studio, frame=8, overlap=3)  # frame 8 lies in two jobs
    assert [len(studio.stored(job)["shapes"]) for job in scope.jobs[:2]] == [1, 1]
    done(studio.clip(scope, frames=range(8, 24)))
    assert [len(studio.stored(job)["shapes"]) for job in scope.jobs[:2]] == [0, 0]


def test_shapes_are_kept_on_request_and_others_always(studio: Studio) -> None:
    scope = started(studio)
    first, second = studio.stored(scope.jobs[0])["shapes"]
    done(studio.clip(scope, shapes=(first["id"],)))
    assert [each["id"] for each in studio.stored(scope.jobs[0])["shapes"]] == [second["id"]]
    done(studio.clip(scope, shapes=(second["id"],), keep_shapes=True))
    assert [each["id"] for each in studio.stored(scope.jobs[0])["shapes"]] == [second["id"]]
    check(studio, scope, MOTION, 1.0)


def test_a_track_drawn_once_is_a_beginning_too(studio: Studio) -> None:
    scope = studio.task(MOTION)
    label = scope.labels[0].id
    one = {"type": "rectangle", "frame": 0, "points": box(MOTION[100][0]), "outside": False, "occluded": True}
    track = {
        "label_id": label,
        "frame": 0,
        "group": 4,
        "source": "manual",
        "attributes": [],
        "shapes": [one | {"attributes": []}],
    }
    studio.draw(scope, [track], "tracks")
    done(studio.clip(scope))
    (found,) = studio.stored(scope.jobs[0])["tracks"]
    assert (found["group"], found["source"], found["shapes"][0]["occluded"]) == (4, "auto", True)
    assert [one.frame for one in keyframes(found)] == [0, 15, 23]


def test_attributes_go_where_cvat_wants_them(studio: Studio) -> None:
    def attribute(name: str, mutable: bool) -> dict[str, Any]:
        return {"name": name, "mutable": mutable, "input_type": "text", "values": [""], "default_value": ""}

    scope = studio.task(
        MOTION, labels=[{"name": "square", "attributes": [attribute("fixed", False), attribute("changing", True)]}]
    )
    ids = {each.name: each.id for each in scope.labels[0].attributes}
    values = [{"spec_id": ids["fixed"], "value": "a"}, {"spec_id": ids["changing"], "value": "b"}]
    studio.draw(scope, [shape(scope.labels[0].id, 0, box(MOTION[100][0]), attributes=values)])
    done(studio.clip(scope))
    (track,) = studio.stored(scope.jobs[0])["tracks"]
    assert [each["value"] for each in track["attributes"]] == ["a"]
    assert [each["value"] for each in track["shapes"][0]["attributes"]] == ["b"]


def test_an_interrupted_run_goes_on_wherever_it_ended(studio: Studio) -> None:
    """Interrupted after every frame in turn, each time by a new process that has the file alone."""
    scope = started(studio, overlap=3)
    kept = json.dumps(attrs.asdict(Progress()))
    for index in range(24):
        clip = studio.clip(scope, thaw(Progress, json.loads(kept)))
        driving: Any = clip.run()
        assert next(driving) == index + 1
        kept = json.dumps(attrs.asdict(clip.progress))
        if index < 23:
            driving.close()
        else:
            assert list(driving) == []
    check(studio, scope, MOTION, 1.0)
    assert not any(studio.stored(job)["shapes"] for job in scope.jobs)


def test_a_job_is_stored_once_whenever_the_process_dies(studio: Studio) -> None:
    """It dies after the job was sent and before that is written down."""
    scope = started(studio)
    saved: list[str] = []
    clip = studio.clip(scope)
    clip.save = lambda progress: saved.append(json.dumps(attrs.asdict(progress)))
    for _ in itertools.takewhile(lambda index: index < 10, clip.run()):
        pass
    before_sending = next(text for text in saved if json.loads(text)["marks"])
    assert studio.stored(scope.jobs[0])["tracks"]
    done(studio.clip(scope, thaw(Progress, json.loads(before_sending))))
    check(studio, scope, MOTION, 1.0)


def test_objects_are_shown_again_where_states_are_gone(studio: Studio) -> None:
    """They lie in the memory of a worker that is another one after the interruption."""
    scope = started(studio)
    clip = studio.clip(scope, state="in-memory")
    for _ in itertools.takewhile(lambda index: index < 6, clip.run()):
        pass
    again = studio.clip(scope, clip.progress, state="in-memory")
    done(again)
    (note,) = again.progress.notes
    assert note.startswith("on frame 5 the function was shown the objects again: HTTPError: 400")
    check(studio, scope, MOTION, 1.0)


def test_a_refusal_that_stays_ends_the_run(studio: Studio) -> None:
    clip = studio.clip(started(studio))
    driving = clip.run()
    next(driving)
    other: Any = studio.function(clip.scope, "tracker", types="mask")
    invoker(clip).driver = other.server.invoker.invoker.driver
    with pytest.raises(UserError, match="tracker failed on frame"):
        next(driving)


def test_a_worker_that_ends_is_asked_again(studio: Studio) -> None:
    clip = studio.clip(started(studio))
    driving = clip.run()
    next(driving)
    invoker(clip).failing = 2
    assert list(driving)[-1] == 24


def test_a_function_that_stays_away_ends_the_run_and_not_what_was_reached(studio: Studio) -> None:
    scope = started(studio)
    clip = studio.clip(scope)
    driving = clip.run()
    for _ in range(12):
        next(driving)
    invoker(clip).failing = 99
    with pytest.raises(UserError, match="tracker failed on frame 12") as caught:
        next(driving)
    assert "goes on" in caught.value.remedy
    kept = thaw(Progress, json.loads(json.dumps(attrs.asdict(clip.progress))))
    assert kept.index == 12
    done(studio.clip(scope, kept))
    check(studio, scope, MOTION, 1.0)


def test_polygons(studio: Studio) -> None:
    scope = studio.task(MOTION, segment_size=10)
    x, y, x2, y2 = box(MOTION[100][0])
    points = [x, y, x2, y, x2, y2, x, y2]
    studio.draw(scope, [shape(scope.labels[0].id, 0, points) | {"type": "polygon"}])
    done(studio.clip(scope, types="polygon", tolerance=0.5))
    for job in scope.jobs:
        (track,) = studio.stored(job)["tracks"]
        places = shown(track, job)
        for frame in job.frames:
            a, b, c, d = box(MOTION[100][frame])
            assert deviation([places[frame]], [Placed("polygon", (a, b, c, b, c, d, a, d))]) <= 0.5


def mask(square: Square | None) -> list[float]:
    assert square is not None
    x, y, side = square
    return [0, side * side, x, y, x + side - 1, y + side - 1]


def test_masks_are_shapes_because_cvat_cannot_open_tracks_of_them(studio: Studio) -> None:
    scope = studio.task(MOTION, segment_size=10)
    studio.draw(scope, [shape(scope.labels[0].id, 0, mask(MOTION[200][0])) | {"type": "mask"}])
    done(studio.clip(scope, types="mask"))
    found = {each["frame"]: each["points"] for job in scope.jobs for each in studio.stored(job)["shapes"]}
    assert found == {frame: mask(square) for frame, square in enumerate(MOTION[200]) if square}
    assert not any(studio.stored(job)["tracks"] for job in scope.jobs)


def test_masks_become_tracks_of_polygons_on_request(studio: Studio) -> None:
    scope = studio.task(MOTION, segment_size=10)
    studio.draw(scope, [shape(scope.labels[0].id, 0, mask(MOTION[200][0])) | {"type": "mask"}])
    done(studio.clip(scope, types="mask", polygons=True))
    tracks = [track for job in scope.jobs for track in studio.stored(job)["tracks"]]
    assert {one.shape.type for track in tracks for one in keyframes(track)} == {"polygon"}
    assert not any(studio.stored(job)["shapes"] for job in scope.jobs)


def test_types_that_are_not_followed(studio: Studio) -> None:
    scope = started(studio)
    studio.draw(scope, [shape(scope.labels[0].id, 0, [1, 1, 9, 9]) | {"type": "ellipse"}])
    clip = studio.clip(scope)
    done(clip)
    assert clip.progress.notes == ["tracker follows rectangle alone: 1 of type ellipse left out"]
    assert [each["type"] for each in studio.stored(scope.jobs[0])["shapes"]] == ["ellipse"]
    with pytest.raises(UserError, match="tracker follows rectangle alone") as caught:
        done(studio.clip(scope))
    assert caught.value.why == "there are 1 of type ellipse"


@pytest.mark.parametrize(("ids", "what"), [((999,), "no shape 999 on frame 0"), ((), "nothing stands on frame 5")])
def test_nothing_to_begin_with(studio: Studio, ids: tuple[int, ...], what: str) -> None:
    scope = started(studio)
    with pytest.raises(UserError, match=what):
        done(studio.clip(scope, shapes=ids, frames=range(0 if ids else 5, 24)))


#: The second square comes on frame 7, leaves on 12, and is back far off on 16.
COMING: Motion = {
    100: [(10 + 2 * frame, 20, 14) for frame in range(24)],
    200: [None if frame < 7 or 12 <= frame < 16 else (20 + (60 if frame >= 16 else 0), 70, 20) for frame in range(24)],
}


def test_a_detector_begins_and_looks_again(studio: Studio) -> None:
    scope = studio.task(COMING)
    clip = studio.clip(scope, detector=True, detect_every=5)
    done(clip)
    tracks = studio.stored(scope.jobs[0])["tracks"]
    assert sorted(keyframes(track)[0].frame for track in tracks) == [0, 10]
    assert len(clip.progress.followed) == 2


def test_reid_joins_what_was_lost(studio: Studio) -> None:
    """The tracker itself forgets what it lost, as one that searches nearby does."""
    scope = studio.task(COMING)
    clip = studio.clip(scope, detector=True, detect_every=1, reid=True)
    follow = clip.tracker.follow

    def forgetful(frame: int, picture: bytes, leaves: Any) -> None:
        lost = [leaf.hidden for leaf in leaves]
        places = [leaf.place for leaf in leaves]
        follow(frame, picture, leaves)
        for leaf, was, place in zip(leaves, lost, places, strict=True):
            if was:
                leaf.hidden, leaf.place = True, place

    object.__setattr__(clip, "tracker", _With(clip.tracker, forgetful))
    done(clip)
    assert len(clip.progress.followed) == 2
    check(studio, scope, COMING, 1.0)


class _With:
    """A tracker whose `follow` is another."""

    def __init__(self, tracker: Any, follow: Any) -> None:
        self.function, self.start, self.follow = tracker.function, tracker.start, follow


def node(number: int, name: str) -> str:
    return (
        f'<circle r="1.5" cx="{30 * number}" cy="30" data-type="element node" data-element-id="{number}" '
        f'data-node-id="{number}" data-label-name="{name}"></circle>'
    )


def test_skeletons_are_followed_by_their_elements(studio: Studio) -> None:
    """One element is hidden from the start, one on frames 8 to 11."""
    places = {"a": [16, 26], "b": [30, 80], "c": [5, 5]}
    nodes = "".join(node(number, name) for number, name in enumerate(places, 1))
    man = {"name": "man", "type": "skeleton", "svg": nodes, "attributes": []}
    sublabels = [{"name": name, "type": "points", "attributes": []} for name in places]
    scope = studio.task(MOTION, labels=[man | {"sublabels": sublabels}], segment_size=10)
    label = scope.labels[0]
    elements = [
        {"type": "points", "label_id": sub.id, "frame": 0, "points": places[sub.name], "outside": sub.name == "c"}
        for sub in label.sublabels
    ]
    studio.draw(scope, [{"type": "skeleton", "label_id": label.id, "frame": 0, "points": [], "elements": elements}])
    done(studio.clip(scope, types="points"))
    names = {sub.id: sub.name for sub in label.sublabels}
    for job in scope.jobs:
        (track,) = studio.stored(job)["tracks"]
        assert {one.shape.type for one in keyframes(track)} == {"skeleton"}
        assert set(shown(track, job)) == set(job.frames)
        parts = {names[each["label_id"]]: shown(each, job) for each in track["elements"]}
        assert set(parts["a"]) == set(job.frames)
        assert set(parts["b"]) == {frame for frame in job.frames if MOTION[200][frame]}
        assert not parts["c"]
        assert all(keyframes(each)[0].frame == job.frames.start for each in track["elements"])


def test_a_detector_that_finds_nothing(studio: Studio) -> None:
    empty: Motion = {1: [None] * 6}
    scope = studio.task(empty)
    with pytest.raises(UserError, match="detector finds nothing on frame 0"):
        done(studio.clip(scope, detector=True))
    assert done(studio.clip(scope, detector=True, detect_every=2)) == 6
