"""`generate --examples-from-task`: what becomes of boxes drawn in a CVAT task, and what is no example."""

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs
import PIL.Image
import pytest
from tests.cvat_server.cvat_place import options

from cvat_nuclio.commands.cut_examples import cut_examples
from cvat_nuclio.cvat_server import Annotations, Marks, connection
from cvat_nuclio.errors import UserError
from cvat_nuclio.models.chosen import Chosen

OWL = Chosen(module="transformers_zero_shot", parameters={}, name="owl", licence="", looked_at="", architecture="owlv2")
PLAIN = {"occluded": False, "z_order": 0, "attributes": [], "group": 0, "source": "manual", "rotation": 0.0}
CAR = [{"name": "car"}]


def box(scope: Any, frame: int, *points: float, label: int = 0, **more: Any) -> dict[str, Any]:
    """A shape as CVAT stores it."""
    label_id = scope.labels[label].id
    return {**PLAIN, "type": "rectangle", "frame": frame, "label_id": label_id, "points": [*points], **more}


@attrs.frozen
class Desk:
    """Draws in tasks of the stand-in, and cuts examples out of them into `folder`."""

    place: Any
    folder: Path

    def draw(self, scope: Any, shapes: Sequence[dict[str, Any]] = (), **more: Any) -> None:
        """In the task's first job."""
        Annotations(self.place.connection, scope.jobs[0].id).add({"shapes": [*shapes], **more}, Marks())

    def cut(self, scope: Any, frames: range | None = None, auth: str = "annotator:secret") -> list[dict[str, Any]]:
        """The rows of examples.json."""
        given = vars(options(self.place.url, auth))
        asked = {"examples_from_task": (scope.task_id, frames), "output": self.folder, "pretend": False, "check": False}
        chosen = cut_examples(argparse.Namespace(**given, **asked), OWL)
        assert chosen.module == "transformers_examples"
        assert chosen.parameters == {"examples": f"file:{self.folder / 'examples'}"}
        return self.rows()

    def rows(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads((self.folder / "examples/examples.json").read_text("utf-8"))
        return found

    def sizes(self) -> list[tuple[int, int]]:
        """Of the cut-outs."""
        found = []
        for row in self.rows():
            with PIL.Image.open(self.folder / "examples" / row["file"]) as picture:
                found.append(picture.size)
        return found


@pytest.fixture
def desk(standin_place: Any, tmp_path: Path) -> Desk:
    return Desk(standin_place, tmp_path / "like-these")


@pytest.fixture
def many(tmp_path: Path) -> Callable[[int], list[Path]]:
    """So many pictures of 24 x 24."""

    def many(count: int) -> list[Path]:
        files = [tmp_path / f"{number:03}.png" for number in range(count)]
        for file in files:
            PIL.Image.new("RGB", (24, 24)).save(file)
        return files

    return many


def kinds(scope: Any) -> Iterator[dict[str, Any]]:
    """Annotations that are no examples."""
    yield {"shapes": []}
    yield {"shapes": [box(scope, 0, 10, 10, 60, 10, 60, 60, type="polygon")]}
    yield {"tags": [{"frame": 0, "label_id": scope.labels[0].id, "group": 0, "source": "manual", "attributes": []}]}


@pytest.mark.parametrize("number", range(3))
def test_a_task_without_boxes_is_told_what_counts(desk: Desk, number: int) -> None:
    scope = desk.place.task(CAR)
    desk.draw(scope, **list(kinds(scope))[number])
    with pytest.raises(UserError, match="no rectangle is drawn on the 10 frames") as caught:
        desk.cut(scope)
    assert "other shapes, tags" in str(caught.value)
    assert "draw boxes" in str(caught.value)
    assert not (desk.folder / "examples").exists()


def test_one_box_is_enough(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    scope = desk.place.task([{"name": "car"}, {"name": "never drawn"}])
    desk.draw(scope, [box(scope, 3, 10, 10, 60, 40)])
    assert desk.cut(scope) == [{"label": "car", "file": "0001.png", "frame": 3}]
    assert capsys.readouterr().out == f"task {scope.task_id}: examples of car (1), in {desk.folder / 'examples'}\n"


def test_more_than_fifty_frames_are_too_many_and_some_can_be_named(desk: Desk, many: Callable[[int], Any]) -> None:
    scope = desk.place.task(CAR, many(51))
    desk.draw(scope, [box(scope, frame, 2, 2, 20, 20) for frame in range(51)])
    with pytest.raises(UserError, match="51 boxes on 51 frames are too many") as caught:
        desk.cut(scope)
    assert f"--examples-from-task {scope.task_id}:0..9" in str(caught.value)
    assert len(desk.cut(scope, range(10))) == 10
    assert len(desk.cut(scope, range(50))) == 50


def test_more_than_two_hundred_boxes_are_too_many(desk: Desk) -> None:
    scope = desk.place.task(CAR)
    desk.draw(scope, [box(scope, 4, 10, 10, 60 + number / 10, 40) for number in range(201)])
    with pytest.raises(UserError, match="201 boxes on 1 frames are too many") as caught:
        desk.cut(scope)
    assert "delete some" in str(caught.value)


def test_what_is_on_deleted_frames_is_none(desk: Desk) -> None:
    scope = desk.place.task(CAR)
    desk.draw(scope, [box(scope, 2, 10, 10, 60, 40), box(scope, 5, 20, 20, 60, 60)])
    desk.place.connection.client.tasks.retrieve(scope.task_id).remove_frames_by_ids([2])
    assert [row["frame"] for row in desk.cut(scope)] == [5]
    desk.place.connection.client.tasks.retrieve(scope.task_id).remove_frames_by_ids([2, 5])
    with pytest.raises(UserError, match="on the 8 frames"):
        desk.cut(scope)


def test_boxes_are_cut_at_the_border_and_what_is_left_of_some_is_too_little(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    """The pictures are of 160 x 120."""
    scope = desk.place.task(CAR)
    inside = [
        box(scope, 0, -30, -10, 20.5, 30),
        box(scope, 0, 100, 100, 400, 400),
        box(scope, 1, 40, 50, 80, 60, rotation=90.0),
        box(scope, 1, 40, 50, 48, 58),
    ]
    outside = [box(scope, 0, 200, 10, 300, 50), box(scope, 0, -50, -50, -1, -1), box(scope, 2, 40, 50, 47, 90)]
    desk.draw(scope, [*inside, *outside])
    desk.cut(scope)
    assert desk.sizes() == [(21, 30), (60, 20), (10, 40), (8, 8)]
    assert "examples of car (4)" in (told := capsys.readouterr().out)
    assert "left out: 3, of which less than 8 pixels" in told


def test_boxes_that_are_all_too_small_are_told(desk: Desk) -> None:
    scope = desk.place.task(CAR)
    desk.draw(scope, [box(scope, 0, 10, 10, 14, 60)])
    with pytest.raises(UserError, match="no example is large enough") as caught:
        desk.cut(scope)
    assert "8 pixels" in str(caught.value)


def test_of_a_video_the_keyframes_of_tracks_are_taken(desk: Desk, clip: Path) -> None:
    scope = desk.place.task(CAR, [clip])
    found = [
        {**box(scope, frame, x, 10, x + 12, 20), "outside": outside, "frame": frame}
        for frame, x, outside in ((0, 0, False), (10, 10, False), (20, 20, True))
    ]
    shapes = [{key: value for key, value in one.items() if key not in ("label_id", "group", "source")} for one in found]
    track = {"frame": 0, "label_id": scope.labels[0].id, "group": 0, "source": "manual", "attributes": []}
    desk.draw(scope, tracks=[{**track, "shapes": shapes}])
    assert [row["frame"] for row in desk.cut(scope)] == [0, 10]
    assert desk.sizes() == [(12, 10), (12, 10)]
    with PIL.Image.open(desk.folder / "examples/0002.png") as picture:
        red, green, blue = picture.convert("RGB").getpixel((6, 5))  # type: ignore[misc]
    assert red > green > blue, "the square of the clip, which moved by ten"


def test_labels_may_be_a_project_s(desk: Desk) -> None:
    project = desk.place.connection.client.projects.create({"name": "p", "labels": [{"name": "lamp"}, {"name": "cup"}]})
    scope = desk.place.task(labels=(), project_id=project.id)
    desk.draw(scope, [box(scope, 0, 10, 10, 60, 40, label=1), box(scope, 1, 10, 10, 60, 40), box(scope, 2, 1, 1, 9, 9)])
    assert [row["label"] for row in desk.cut(scope)] == ["cup", "lamp", "lamp"]


def test_a_wrong_password_is_told(desk: Desk) -> None:
    scope = desk.place.task(CAR)
    with pytest.raises(UserError, match="does not let you in") as caught:
        desk.cut(scope, auth="annotator:wrong")
    assert "--auth USER[:PASS]" in str(caught.value)


def test_somebody_else_s_task_and_one_that_is_not_there_are_told(desk: Desk) -> None:
    scope = desk.place.task(CAR)
    with pytest.raises(UserError, match="cannot open task"):
        desk.cut(scope, auth="stranger:secret")
    with pytest.raises(UserError, match="cannot open task 77"):
        desk.cut(attrs.evolve(scope, task_id=77))


def test_a_network_that_is_lost_midway_leaves_the_examples_that_were_there(
    desk: Desk, standin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    scope = desk.place.task(CAR, data={"chunk_size": 2})
    desk.draw(scope, [box(scope, 0, 10, 10, 60, 40)])
    before = desk.cut(scope)
    desk.draw(scope, [box(scope, frame, 10, 10, 60, 40) for frame in (2, 4, 6)])
    monkeypatch.setattr(connection, "PATIENCE", 0.0)
    lost = standin.trouble("GET", r"/data\?.*index=2", "drop", times=100)
    with pytest.raises(UserError, match="no answer from CVAT"):
        desk.cut(scope)
    assert desk.rows() == before
    assert len(desk.sizes()) == 1
    assert [path.name for path in desk.folder.iterdir()] == ["examples"], "nothing half-written is left"
    lost.times = 0
    assert [row["frame"] for row in desk.cut(scope)] == [0, 2, 4, 6], "what was drawn since is taken"


def test_a_picture_that_nobody_can_read_is_named(desk: Desk, standin: Any) -> None:
    scope = desk.place.task(CAR)
    desk.draw(scope, [box(scope, 1, 10, 10, 60, 40)])
    name, content, size = standin.tasks[scope.task_id].frames[1]
    standin.tasks[scope.task_id].frames[1] = (name, content[:200], size)
    with pytest.raises(UserError, match="the picture of frame 1 cannot be read"):
        desk.cut(scope)
    assert not (desk.folder / "examples").exists()
