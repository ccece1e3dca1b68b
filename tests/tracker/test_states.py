"""What a tracker's states are bound to, and where they may go."""

import copy
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aa_runtime import FunctionSource, Options, load
from aa_runtime.state import Encoded, tags
from aa_runtime.state.budget import MOST
from aa_runtime.state.store import write_points
from aa_runtime.state.wire import pack

Squares = Callable[..., Any]
Frame = Callable[..., str]
BOX = {"type": "rectangle", "points": [10, 20, 19, 29]}


def begin(worker: Any, image: str, count: int = 1) -> list[str]:
    status, body = worker.post({"image": image, "shapes": [BOX] * count, "states": []})
    assert status == 200, body
    return body["states"]


def go_on(worker: Any, image: str, states: list[Any]) -> tuple[int, Any]:
    return worker.post({"image": image, "shapes": [None] * len(states), "states": states})


def walk(workers: list[Any], frame: Frame, frames: int, objects: int) -> list[Any]:
    """The tracks of many objects, each request to the next worker."""
    moving = random.Random(4)
    places = {20 + 10 * i: (moving.randrange(85), moving.randrange(65), 5) for i in range(objects)}
    image = frame(places)
    shapes: list[Any] = [{"type": "rectangle", "points": [x, y, x + side, y + side]} for x, y, side in places.values()]
    states: list[str] = []
    tracks = []
    for number in range(frames):
        body = {"image": image, "shapes": shapes, "states": states}
        status, answer = workers[number % len(workers)].post(body)
        assert status == 200
        tracks.append(answer["shapes"])
        states, shapes = answer["states"], [None] * objects
        shown = {grey: place for grey, place in places.items() if moving.random() > 0.1}
        places = {grey: (min(x + moving.randrange(3), 90), y, side) for grey, (x, y, side) in places.items()}
        image = frame(shown)
    return tracks


@pytest.mark.parametrize("key", ["", "a key that is long enough"])
def test_any_worker_goes_on(squares: Squares, frame: Frame, monkeypatch: Any, key: str) -> None:
    monkeypatch.setenv("AA_STATE_KEY", key)
    alone = walk([squares()], frame, 30, 12)
    assert walk([squares() for _ in range(3)], frame, 30, 12) == alone
    assert len({tuple(shapes[0]["points"]) for shapes in alone}) > 5


def test_with_a_key_a_state_cannot_be_made_without_it(squares: Squares, frame: Frame, monkeypatch: Any) -> None:
    image = frame({200: (10, 20, 9)})
    unkeyed = begin(squares(), image)
    monkeypatch.setenv("AA_STATE_KEY", "new key of the deployment, old key of the deployment")
    worker = squares()
    monkeypatch.setenv("AA_STATE_KEY", "a key of somebody else's")
    stranger = squares()
    monkeypatch.setenv("AA_STATE_KEY", "old key of the deployment")
    old = squares()
    for states in (unkeyed, begin(stranger, image)):
        status, body = go_on(worker, image, states)
        assert (status, body["error"]["field"]) == (400, "states[0]")
    assert go_on(worker, image, begin(old, image))[0] == 200
    assert go_on(old, image, begin(worker, image))[0] == 400
    assert go_on(worker, image, begin(worker, image))[0] == 200


def test_a_short_key_and_no_key_are_told(squares: Squares, monkeypatch: Any) -> None:
    monkeypatch.delenv("AA_STATE_KEY", raising=False)
    assert any("AA_STATE_KEY is not set" in line["message"] for line in squares().log)
    monkeypatch.setenv("AA_STATE_KEY", "short")
    (line,) = squares().log
    assert "may be guessed" in line["message"]
    assert "short" not in line["message"]


def test_another_function_s_state_is_refused(squares: Squares, frame: Frame) -> None:
    image = frame({})
    states = begin(squares(options={"name": "one"}), image)
    for worker in (
        squares(options={"name": "two"}),
        squares(options={"name": "one"}, types="rectangle,mask"),
        squares(options={"name": "one"}, prepare=True),
    ):
        status, body = go_on(worker, image, states)
        assert status == 400
        assert "another function" in body["error"]["message"]


def test_one_bad_state_refuses_the_request_before_the_function_is_asked(squares: Squares, frame: Frame) -> None:
    worker = squares(prepare=True)
    image = frame({})
    states = begin(worker, image, 3)
    worker.function.calls.clear()
    for bad in (states[2][:-1], states[2][::-1], "", "x" * 10_000_000, "\ud800", "state"):
        status, body = go_on(worker, image, [*states[:2], bad])
        assert (status, body["error"]["field"]) == (400, "states[2]")
    wrong: tuple[Any, ...] = (5, False, {"a": 1}, ["x"], 1.5)
    for value in wrong:
        assert go_on(worker, image, [*states[:2], value])[0] == 400
    assert worker.function.calls == []


def test_a_state_that_cannot_be_encoded_names_its_part_and_the_way_out(squares: Squares, frame: Frame) -> None:
    status, body = squares(unencodable=True).post({"image": frame({}), "shapes": [BOX], "states": []})
    assert status == 500
    message = body["error"]["message"]
    assert message.startswith("state.anything['cache'][1]: an object of type object has no encoding")
    assert "--state in-memory" in message


def test_a_state_that_is_too_large_names_its_part(squares: Squares, frame: Frame) -> None:
    status, body = squares(options={"max_state_bytes": 100}).post({"image": frame({}), "shapes": [BOX], "states": []})
    assert status == 500
    assert "at most 100" in body["error"]["message"]
    assert "most of it is state.template" in body["error"]["message"]


def test_states_stay_in_the_process_when_asked_to(squares: Squares, frame: Frame) -> None:
    worker = squares(unencodable=True, options={"state": "in-memory", "state_entries": 3})
    image = frame({200: (10, 20, 9)})
    states = begin(worker, image)
    for _ in range(3):
        status, body = go_on(worker, image, states)
        assert status == 200
        assert body["states"] == states
    assert len(worker.function.calls[-1][3].history) == 3
    status, body = go_on(squares(options={"state": "in-memory"}), image, states)
    assert status == 400
    assert body["error"]["message"] == f"Tracking state {states[0]!r} not found - possibly expired"
    status, body = go_on(worker, frame({}, (9, 9)), states)
    assert body["error"]["message"] == "Image sizes of the start frame and the current frame are different"
    begin(worker, image, 3)
    assert go_on(worker, image, states)[0] == 400


def forged(worker: Any, good: str, encoded: Encoded) -> str:
    """A token of these bytes, as anybody can make one where no key is set."""
    sealer = worker.handler._runtime._store._sealer
    return sealer.seal(sealer.open(good).head, write_points([1.0, 2.0, 3.0, 4.0]) + encoded.rows, encoded.bulk)


def lists(count: int) -> Encoded:
    """A list of that many empty lists."""
    return Encoded(pack(bytes([tags.LIST, *[tags.LIST | tags.FLAT] * count]), [0, count, *[0] * count]), b"")


TOO_MUCH = [
    pytest.param(lists(MOST.nodes // 4), 4, "parts", id="lists in four states"),
    pytest.param(lists(MOST.nodes // 1000), 1000, "parts", id="lists in a thousand states"),
    pytest.param(
        Encoded(pack(bytes([tags.LIST | tags.FLAT]), [0, 2**16, *[None] * 2**16]), b""), 16, "values", id="nulls"
    ),
]


@pytest.mark.parametrize(("encoded", "count", "what"), TOO_MUCH)
def test_a_request_s_states_share_one_budget(
    unkeyed: Any, frame: Frame, encoded: Encoded, count: int, what: str, monkeypatch: Any
) -> None:
    """Whether they are one token over and over, or many: refused before anything is decoded or tracked."""
    worker, good = unkeyed
    token = forged(worker, good, encoded)
    monkeypatch.setattr("aa_runtime.state.codec.unpack", None)
    worker.function.calls.clear()
    status, body = go_on(worker, frame({}), [token] * count)
    assert (status, body["error"]["field"]) == (413, "states")
    assert f"{what} together; at most" in body["error"]["message"]
    assert worker.function.calls == []


def test_a_budget_is_for_one_request(unkeyed: Any, frame: Frame) -> None:
    worker, good = unkeyed
    token = forged(worker, good, lists(MOST.nodes // 2))
    for _ in range(3):
        status, body = go_on(worker, frame({}), [token])
        assert status != 413, body


def test_many_states_that_fit_are_all_followed(unkeyed: Any, frame: Frame) -> None:
    worker, good = unkeyed
    status, body = go_on(worker, frame({200: (10, 20, 9)}), [good] * 300)
    assert status == 200
    assert len(body["states"]) == 300


@pytest.mark.parametrize("field", ["shapes", "states"])
def test_more_objects_than_a_job_has_are_refused(unkeyed: Any, frame: Frame, field: str) -> None:
    worker, good = unkeyed
    for entries in ([None] * 1_000_000, [good] * 10_001):
        body = {"image": frame({}), "shapes": [], "states": [], field: entries}
        status, answer = worker.post(body)
        assert (status, answer["error"]["field"]) == (413, field)


def test_a_state_of_an_older_class_is_refused(squares: Squares, frame: Frame, tmp_path: Path, driver: Any) -> None:
    source = (Path(__file__).parent / "functions" / "squares.py").read_text()
    (tmp_path / "squares.py").write_text(source.replace("lost: int = 0", "missed: int = 0").replace(".lost", ".missed"))
    image = frame({200: (10, 20, 9)})
    states = begin(squares(), image)
    newer = driver(load(FunctionSource(file=tmp_path / "squares.py")), Options())
    status, body = go_on(newer, image, states)
    assert status == 400
    assert "another version" in body["error"]["message"]


def test_a_function_that_is_a_module_works(frame: Frame, tmp_path: Path, driver: Any) -> None:
    (tmp_path / "module_tracker.py").write_text(
        "import cvat_sdk.auto_annotation as cvataa\n"
        "from collections import namedtuple\n"
        "State = namedtuple('State', 'shape')\n"
        "spec = cvataa.TrackingFunctionSpec(supported_shape_types=['rectangle'])\n"
        "def init_tracking_state(context, pp_image, shape): return State(shape)\n"
        "def track(context, pp_image, state): return state.shape\n"
    )
    worker = driver(load(FunctionSource(file=tmp_path / "module_tracker.py")), Options())
    status, body = go_on(worker, frame({}), begin(worker, frame({})))
    assert (status, body["shapes"]) == (200, [BOX])


def test_the_caller_s_request_is_left_as_it_is(squares: Squares, frame: Frame) -> None:
    body = {"image": frame({}), "shapes": [copy.deepcopy(BOX)], "states": []}
    worker = squares()
    worker.handler.handle(worker.context, type("Event", (), {"body": body})())
    assert body["shapes"] == [BOX]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from([*range(16), *range(65, 80)]), max_size=12).map(bytes),
    st.lists(st.none() | st.integers(-2, 9) | st.floats() | st.text() | st.binary(), max_size=20),
    st.sampled_from([("grey", "template", "extent", "history", "lost", "anything"), ("grey",), ()]),
)
def test_without_a_key_a_made_up_state_hurts_nobody_but_its_request(
    unkeyed: Any, frame: Frame, row: bytes, scalars: list[Any], names: tuple[str, ...]
) -> None:
    """Where no key is set anybody can write tokens that check out: the worst is a fault of the function."""
    worker, good = unkeyed
    store = worker.handler._runtime._store
    known = next(known.name for known in store._codec._table if known.cls.__name__ == "Follow")
    classes = [1, known, len(names), *names]
    plain = pack(row, [0, *scalars])
    of_class = pack(bytes([tags.OBJECT, tags.SCALAR]) + row, [*classes, len(names) + 1, 0, *scalars])
    of_scalars = pack(bytes([tags.OBJECT | tags.FLAT]), [*classes, len(names) + 1, 0, *(scalars * 6)[: len(names)]])
    for rows in (plain, of_class, of_scalars):
        token = forged(worker, good, Encoded(rows, b"some bytes"))
        status, body = go_on(worker, frame({200: (10, 20, 9)}), [token])
        assert status in (200, 400, 500)
        if status != 200:
            assert "Traceback" not in body["error"]["message"]
    assert go_on(worker, frame({200: (10, 20, 9)}), [good])[0] == 200


@pytest.fixture(scope="module")
def unkeyed(driver: Any, frame: Frame) -> tuple[Any, str]:
    """A worker without a key, and a good token of it."""
    os.environ.pop("AA_STATE_KEY", None)
    file = Path(__file__).parent / "functions" / "squares.py"
    function = load(FunctionSource(file=file))
    worker = driver(function, Options())
    worker.function = function
    return worker, begin(worker, frame({200: (10, 20, 9)}))[0]
