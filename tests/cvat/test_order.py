"""Several rules broken at once, and calls that no page makes: the fault that is told is the first in CVAT's order.

No recording holds these. What is right was read in CVAT's source, and seen by running it beside the model.
"""

import json
import math
from typing import Any

import pytest
from tests.cvat.state_signing import StateSigner

from cvat_nuclio.cvat import CvatError, Generation, ListingError, Server, Task, TaskLabel, list_function
from cvat_nuclio.cvat.job import run_job
from cvat_nuclio.cvat.storage import Store
from cvat_nuclio.cvat.task import TaskAttribute

CAR = {"name": "car", "type": "rectangle", "attributes": [{"name": "a", "input_type": "text", "values": [""]}]}
SKELETON = {"name": "man", "type": "skeleton", "svg": "", "sublabels": [{"name": "nose"}, {"name": "chin"}]}
TEXT = TaskAttribute(3, "a", "text", ("",), "")
TASK_LABELS = (
    TaskLabel(1, "car", "any", (TEXT,)),
    TaskLabel(2, "man", "skeleton", (), (TaskLabel(4, "nose", "points"), TaskLabel(5, "chin", "points"))),
    TaskLabel(6, "way", "polyline"),
)
LATER = [Generation.G2, Generation.G3]
BOX = {"label": "car", "type": "rectangle", "points": [1, 2, 3, 4]}


class Function:
    """Gives these answers in turn, and keeps what it was sent."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.sent: list[Any] = []

    def invoke(self, function: Any, payload: Any) -> Any:
        self.sent.append(json.loads(json.dumps(payload)))
        return self.answers.pop(0)


def function(kind: str = "detector", **annotations: str) -> dict[str, Any]:
    given = {"type": kind, "spec": json.dumps([CAR, SKELETON]), **annotations}
    return {"metadata": {"name": "f", "annotations": given}, "spec": {"description": "d"}, "status": {"httpPort": 1}}


def call(
    body: dict[str, Any],
    *answers: Any,
    kind: str = "detector",
    generation: Generation = Generation.G3,
    segment: list[int] | None = None,
    **annotations: str,
) -> tuple[Any, list[Any]]:
    """What the caller gets, and what was sent."""
    sender = Function(*answers)
    server = Server(generation, sender, signer=StateSigner("f", "secret"))
    listed = list_function(function(kind, **annotations), generation)
    task = Task.of(TASK_LABELS, [b"zero", b"one"])
    return server.call(listed, task, body, segment), sender.sent


def refusal(*args: Any, **kwargs: Any) -> CvatError:
    with pytest.raises(CvatError) as caught:
        call(*args, **kwargs)
    return caught.value


def job(body: dict[str, Any], *answers: Any, generation: Generation = Generation.G3, frames: int = 1) -> Any:
    listed = list_function(function(), generation)
    return run_job(Server(generation, Function(*answers)), listed, Store(Task.of(TASK_LABELS, [b""] * frames)), body)


# What a call is looked at for, in turn.


@pytest.mark.parametrize("kind", ["detector", "interactor", "tracker", "reid"])
def test_the_mapping_comes_first_of_every_kind(kind: str) -> None:
    error = refusal({"frame": 9, "mapping": {"cat": {"name": "car"}}, "roi": 1}, kind=kind, segment=[0])
    assert error.message == 'Invalid mapping. Unknown model label "cat"'


def test_a_mapping_is_read_label_by_label() -> None:
    wrong_type = {"car": {"name": "way", "attributes": {"b": "a"}}}
    assert "are not compatible" in (refusal({"mapping": wrong_type}).message or "")
    wrong_attributes = {"car": {"name": "car", "attributes": {"b": "zz"}}, "cat": {"name": "car"}}
    assert refusal({"mapping": wrong_attributes}).message == 'Invalid mapping. Unknown model attribute "b"'
    no_name: dict[str, Any] = {"cat": {}}
    assert refusal({"mapping": no_name}).exception == "KeyError"
    assert refusal({"mapping": {"man": {"name": "man"}}}).message == (
        'Mapping for elements was not specified in skeleton "man" '
    )


@pytest.mark.parametrize(("name", "words"), [("frame", "frame"), ("frame0", "start frame"), ("frame1", "end frame")])
def test_the_frame_of_a_job_comes_before_what_is_missing(name: str, words: str) -> None:
    error = refusal({name: 1}, kind="reid", segment=[0])
    assert error.message == f"The {words} is outside the job range"
    assert refusal({name: "1"}, kind="reid", segment=[0]).exception == "TypeError"


def test_a_frame_is_looked_up_before_the_points() -> None:
    error = refusal({"frame": 2}, kind="interactor")
    assert error.detail == ["Invalid frame '2'. The frame number should be in the [0, 2] range"]
    assert "neg_points" in (refusal({"frame": 1, "pos_points": []}, kind="interactor").message or "")


@pytest.mark.parametrize("frame", [1.0, True])
def test_what_equals_a_whole_number_is_a_frame(frame: Any) -> None:
    _, sent = call({"frame": frame, "pos_points": [], "neg_points": []}, {}, kind="interactor")
    assert sent[0]["image"] == "b25l"


def test_the_oldest_generation_takes_a_frame_as_text() -> None:
    _, sent = call({"frame": "1", "mapping": {"car": {"name": "car"}}}, [], generation=Generation.G1)
    assert sent[0]["image"] == "b25l"


@pytest.mark.parametrize("points", [[[1]], [[1, 2, 3]], ["ab"], [None], 5, [["a", 1]]])
def test_prompts_are_pairs_of_numbers_since_2_70(points: Any) -> None:
    body = {"frame": 0, "pos_points": [[1, 2]], "neg_points": points}
    error = refusal(body, kind="interactor")
    assert error.detail == ["Interactor prompt points must contain point pairs"]
    _, sent = call(body, {}, kind="interactor", generation=Generation.G2)
    assert sent[0]["neg_points"] == points


@pytest.mark.parametrize(("given", "sent"), [(["a car"], True), ("car", True), ([], False), ("", False)])
def test_a_text_prompt_reaches_an_interactor(given: Any, sent: bool) -> None:
    body = {"frame": 0, "pos_points": [], "neg_points": [], "text_prompts": given}
    _, payloads = call(body, {}, kind="interactor")
    assert payloads[0].get("text_prompts") == (given if sent else None)
    _, payloads = call(body, {}, kind="interactor", generation=Generation.G2)
    assert "text_prompts" not in payloads[0]


# Trackers, called as no page calls them.


@pytest.mark.parametrize("generation", LATER)
def test_a_tracker_gets_states_and_shapes_where_both_are_given(generation: Generation) -> None:
    signed = StateSigner("f", "secret").sign({"n": 1})
    shapes = [{"type": "rectangle", "points": [1, 2, 3, 4]}, None]
    body = {"frame": 0, "shapes": shapes, "states": [signed, None]}
    answer, sent = call(body, {"states": [2]}, kind="tracker", generation=generation)
    assert (sent[0]["shapes"], sent[0]["states"]) == ([[1, 2, 3, 4], None], [{"n": 1}, None])
    assert answer["states"][0].startswith("2:")


def test_no_states_are_states_too() -> None:
    _, sent = call({"frame": 0, "states": []}, {"states": []}, kind="tracker")
    assert (sent[0]["shapes"], sent[0]["states"]) == ([], [])


def test_a_trackers_faults_come_in_the_order_of_its_payload() -> None:
    body = {"frame": 5, "shapes": [{"type": "polygon"}], "states": ["forged"]}
    assert "Invalid frame" in str(refusal(body, kind="tracker").detail)
    error = refusal(body | {"frame": 0}, kind="tracker")
    assert error.message == "This function does not support shapes of type 'polygon'"
    error = refusal({"frame": 0, "states": ["forged"]}, kind="tracker")
    assert error.message == "Invalid or expired tracker state"
    assert refusal({"frame": 5, "states": 3}, kind="tracker").exception == "TypeError"


# What a job's request is refused for: there is no job then.


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        ({"threshold": "high"}, {"threshold": ["A valid number is required."]}),
        ({"threshold": None}, {"threshold": ["This field may not be null."]}),
        ({"max_distance": 1.5}, {"max_distance": ["A valid integer is required."]}),
        ({"cleanup": "perhaps"}, {"cleanup": ["Must be a valid boolean."]}),
        ({"mapping": []}, {"mapping": ['Expected a dictionary of items but got type "list".']}),
        ({"mapping": {"car": {}}}, {"mapping": {"car": {"name": ["This field is required."]}}}),
        ({"mapping": {"car": {"name": " "}}}, {"mapping": {"car": {"name": ["This field may not be blank."]}}}),
        (
            {"mapping": {"car": 1}},
            {"mapping": {"car": {"non_field_errors": ["Invalid data. Expected a dictionary, but got int."]}}},
        ),
        ({"roi": [1, 2]}, {"roi": ["Ensure this field has at least 4 elements."]}),
        ({"roi": [1, 2, 3, "x"]}, {"roi": {"3": ["A valid integer is required."]}}),
        (
            {"threshold": "9" * 1001, "cleanup": []},
            {"threshold": ["String value too large."], "cleanup": ["Must be a valid boolean."]},
        ),
    ],
)
def test_a_job_is_refused_field_by_field(body: dict[str, Any], refused: dict[str, Any]) -> None:
    with pytest.raises(CvatError) as caught:
        job(body, [BOX])
    assert caught.value.detail == refused
    assert caught.value.http_status == 400


def test_a_job_takes_numbers_as_text_and_the_old_name_of_a_switch() -> None:
    mask = {"label": "car", "type": "mask", "points": [1, 1, 2, 2, 3, 1]}
    assert job({"threshold": "0.5", "convMaskToPoly": "true"}, [mask]).stored["shapes"][0]["type"] == "polygon"
    both = job({"convMaskToPoly": True, "conv_mask_to_poly": False}, [mask])
    assert both.status == "failed"


# What is told of an answer with several faults.


@pytest.mark.parametrize("generation", LATER)
def test_every_field_of_every_shape_is_told_at_once(generation: Generation) -> None:
    answer = [BOX, BOX | {"rotation": -1, "group_id": "x", "points": [True], "outside": None}]
    error = refusal({"frame": 0}, answer, generation=generation)
    good, wrong = error.detail["shapes"]
    assert good == {}
    assert list(wrong) == ["outside", "rotation", "points", "group"]


def test_a_shape_whose_fields_are_wrong_is_not_counted() -> None:
    error = refusal({"frame": 0}, [BOX | {"points": [1], "rotation": 400}])
    assert error.detail == {"shapes": [{"rotation": ["Ensure this value is less than or equal to 360."]}]}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("x\0y", "Null characters are not allowed."),
        ("x\ud800", "Surrogate characters are not allowed: U+D800."),
    ],
)
def test_texts_that_no_database_holds_are_refused(value: str, words: str) -> None:
    error = refusal({"frame": 0}, [BOX | {"attributes": [{"name": "a", "value": value}]}])
    assert error.detail == {"shapes": [{"attributes": [{"value": [words]}]}]}


@pytest.mark.parametrize("points", [5, True])
def test_points_without_items_are_cvats_own_error(points: Any) -> None:
    error = refusal({"frame": 0}, [BOX | {"points": points}])
    assert (error.exception, error.http_status, error.handled) == ("TypeError", 500, False)


def test_half_a_surrogate_pair_cannot_be_answered() -> None:
    error = refusal({"frame": 0, "pos_points": [], "neg_points": []}, {"text": "\ud800"}, kind="interactor")
    assert (error.exception, error.http_status) == ("UnicodeEncodeError", 500)


def test_all_labels_of_a_skeletons_elements_are_read_before_the_first_is_taken() -> None:
    elements = [{"label": "nose", "attributes": 5}, {"type": "points"}]
    error = refusal({"frame": 0}, [{"label": "man", "type": "skeleton", "elements": elements}])
    assert error.message == "'label'"


def test_a_mean_that_cannot_be_taken_fails_at_the_first_element() -> None:
    elements = [{"label": "nose", "type": "points", "points": ["a"]}, {"label": "chin", "type": "points", "points": []}]
    error = refusal({"frame": 0}, [{"label": "man", "type": "skeleton", "elements": elements}])
    assert error.message == "unsupported operand type(s) for +=: 'int' and 'str'"


@pytest.mark.parametrize("generation", LATER)
def test_only_the_newest_fills_in_group_score_and_intervals(generation: Generation) -> None:
    answer, _ = call({"frame": 0}, [BOX], generation=generation)
    newest = generation is Generation.G3
    assert answer["shapes"][0]["group"] == (0 if newest else None)
    assert ("score" in answer["shapes"][0]) == ("intervals" in answer) == newest


# Jobs.


def test_the_share_of_frames_done_is_cut_down_as_a_float() -> None:
    """29 of 100 are 28 percent in CVAT's arithmetic."""
    found = job({}, *[[]] * 28, [{"label": "car"}], frames=100)
    assert found.progress == 28
    assert job({}, *[[]] * 29, [{"label": "car"}], frames=100).progress == 28


def test_a_stored_number_that_is_none_fails_the_next_call() -> None:
    """ReID sends what is stored: NaN cannot be sent, and CVAT says so itself."""
    from cvat_nuclio.cvat.gateway import Gateway

    gateway = Gateway(function_url="http://127.0.0.1:9")
    with pytest.raises(CvatError, match="Out of range float values") as caught:
        gateway.invoke(list_function(function("reid")), {"boxes0": [{"points": [math.nan]}]})
    assert (caught.value.name, caught.value.http_status) == ("InvalidJSONError", 500)
    assert caught.value.handled


def test_reid_passes_deleted_frames_and_takes_no_mapping() -> None:
    listed = list_function(function("reid"))
    task = Task.of(TASK_LABELS, [b"0", b"1", b"2"])
    task.deleted = frozenset({1})
    store = Store(task)
    box = {"type": "rectangle", "label_id": 1, "group": 0, "source": "manual", "occluded": False, "outside": False}
    box |= {"z_order": 0, "rotation": 0.0, "points": [1.0, 2.0, 3.0, 4.0], "attributes": [], "elements": []}
    store.annotations["shapes"] = [box | {"frame": frame, "id": frame + 1} for frame in range(3)]
    sender = Function([0], [0])
    done = run_job(Server(Generation.G3, sender), listed, store, {"mapping": {"cat": {"name": "car"}}})
    assert done.status == "finished"
    assert len(sender.sent) == 2
    assert [shape["frame"] for shape in done.stored["tracks"][0]["shapes"]] == [0, 1, 2]


def test_the_first_wrong_annotation_of_several_is_told() -> None:
    raw = function(min_pos_points="x", min_neg_points="y", supported_shape_types="")
    with pytest.raises(ListingError, match="'x'"):
        list_function(raw)
    del raw["spec"]["description"]
    with pytest.raises(ListingError, match="'description'"):
        list_function(raw)
