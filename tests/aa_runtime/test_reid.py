import itertools
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from aa_runtime import ReIDFunctionContext, ReIDFunctionSpec
from aa_runtime.reid import match

Call = Callable[..., Any]


def box(x: float, y: float = 10, label: int = 1, size: float = 10, **more: Any) -> dict[str, Any]:
    points = [x, y, x + size, y + size]
    return {"id": 5, "label_id": label, "type": "rectangle", "points": points, "attributes": []} | more


class Embedder:
    """Answers the rows that it is given, one array per call."""

    def __init__(self, *rows: Any, size: int | None = None) -> None:
        self.spec = ReIDFunctionSpec(embedding_size=size)
        self.rows = iter(rows)
        self.calls: list[tuple[Any, Any, Any]] = []

    def embed(self, context: Any, image: Any, boxes: Any) -> Any:
        self.calls.append((context, image, boxes))
        return next(self.rows)


@pytest.fixture
def frames(picture: str) -> Call:
    def make(boxes0: list[Any], boxes1: list[Any], **fields: Any) -> dict[str, Any]:
        return {"image0": picture, "image1": picture, "boxes0": boxes0, "boxes1": boxes1} | fields

    return make


def test_matches_by_looks(worker: Call, frames: Call) -> None:
    function = Embedder([[1, 0], [0, 1]], [[0.1, 1], [1, 0.1]])
    assert worker(function).post(frames([box(10), box(30)], [box(12), box(32)])) == (200, [1, 0])


def test_looks_count_not_lengths(worker: Call, frames: Call) -> None:
    function = Embedder([[1e200, 0]], [[1e-200, 0]])
    assert worker(function).post(frames([box(10)], [box(12)])) == (200, [0])


@pytest.mark.parametrize(
    ("fields", "expected"),
    [({}, [-1]), ({"max_distance": 60}, [0]), ({"max_distance": 59.9}, [-1]), ({"max_distance": "60"}, [0])],
)
def test_gates_by_distance_of_centres(worker: Call, frames: Call, fields: Any, expected: list[int]) -> None:
    assert worker(Embedder([[1]], [[1]])).post(frames([box(10)], [box(70)], **fields)) == (200, expected)


def test_gates_by_label(worker: Call, frames: Call) -> None:
    function = Embedder([[1.0]], [[1.0], [1.0]])
    assert worker(function).post(frames([box(10, label=2)], [box(10), box(30, label=2)])) == (200, [1])


@pytest.mark.parametrize(("threshold", "expected"), [(None, [0]), (0.3, [0]), (0.2, [-1])])
def test_gates_by_cosine_distance(worker: Call, frames: Call, threshold: float | None, expected: list[int]) -> None:
    function = Embedder([[1, 0]], [[0.75, np.sqrt(1 - 0.75**2)]])  # distance 0.25
    assert worker(function).post(frames([box(10)], [box(10)], threshold=threshold)) == (200, expected)


def test_the_options_have_the_defaults(worker: Call, frames: Call) -> None:
    options = {"reid_threshold": 0.2, "reid_max_distance": 5}
    rows = ([[1, 0]], [[0.75, np.sqrt(1 - 0.75**2)]])
    assert worker(Embedder(*rows), **options).post(frames([box(10)], [box(10)])) == (200, [-1])
    assert worker(Embedder(*rows), **options).post(frames([box(10)], [box(12)], threshold=0.3)) == (200, [0])
    assert worker(Embedder(*rows), **options).post(frames([box(10)], [box(16)], threshold=0.3)) == (200, [-1])


def test_boxes_outside_the_image_match_nothing_and_are_not_embedded(worker: Call, frames: Call) -> None:
    function = Embedder([[1.0, 0], [0, 1]], [[0, 1.0]])
    boxes0 = [box(95), box(200), box(96, y=70, size=0), box(-5)]
    status, body = worker(function).post(frames(boxes0, [box(-300), box(-4)], max_distance=1000))
    assert (status, body) == (200, [-1, -1, -1, 1])
    (context, image, boxes), _ = function.calls
    assert isinstance(context, ReIDFunctionContext)
    assert isinstance(image, PIL.Image.Image)
    assert boxes == [(95, 10, 100, 20), (0, 10, 5, 20)]


def test_a_rotated_box_is_looked_at_whole(worker: Call, frames: Call) -> None:
    function = Embedder([[1.0]], [[1.0]])
    turned = box(40, y=20, rotation=90.0) | {"points": [40, 20, 60, 30]}
    assert worker(function).post(frames([turned], [turned])) == (200, [0])
    assert function.calls[0][2] == [(45, 15, 55, 35)]


@pytest.mark.parametrize("boxes", [([], [box(1)]), ([box(1), box(2)], []), ([box(1)], [box(900)]), ([], [])])
def test_without_boxes_on_either_side_nothing_is_asked(worker: Call, frames: Call, boxes: Any) -> None:
    function = Embedder()
    assert worker(function).post(frames(*boxes)) == (200, [-1] * len(boxes[0]))
    assert not function.calls


@pytest.mark.parametrize("row", [[0, 0], [np.nan, 1], [np.inf, 1]])
def test_rows_that_say_nothing_match_nothing(worker: Call, frames: Call, row: list[float]) -> None:
    function = Embedder([[1, 1], row], [row, [1, 1]])
    assert worker(function).post(frames([box(10), box(12)], [box(10), box(12)])) == (200, [1, -1])


class Tensor:
    def __init__(self, rows: Any) -> None:
        self.rows = rows

    def detach(self) -> "Tensor":
        return self

    def cpu(self) -> np.ndarray:
        return np.array(self.rows, np.float16)


def test_takes_tensors(worker: Call, frames: Call) -> None:
    assert worker(Embedder(Tensor([[1, 0]]), Tensor([[1, 0]]))).post(frames([box(10)], [box(10)])) == (200, [0])


@pytest.mark.parametrize(
    ("rows0", "rows1", "size", "words"),
    [
        ([1, 0], [[1, 0]], None, "shape (2,) (expected (1, D))"),
        ([[1, 0], [0, 1]], [[1, 0]], None, "shape (2, 2) (expected (1, D))"),
        ([[1, 0]], [[1, 0]], 3, "shape (1, 2) (expected (1, 3))"),
        ([[1, 0]], [[1, 0, 0]], None, "of 2 and of 3 numbers"),
        (None, None, None, "shape ()"),
        ([["a"]], [["b"]], None, "'list'"),
        ([[1], [1, 2]], [[1]], None, "'list'"),
        ([[]], [[]], None, "shape (1, 0)"),
    ],
)
def test_what_breaks_the_interface_is_a_500(
    worker: Call, frames: Call, rows0: Any, rows1: Any, size: int | None, words: str
) -> None:
    status, body = worker(Embedder(rows0, rows1, size=size)).post(frames([box(10)], [box(10)]))
    assert status == 500
    assert words in body["error"]["message"]


unit_rows = hnp.arrays(float, st.tuples(st.integers(1, 4), st.just(2)), elements=st.floats(-1, 1, width=16))


@given(unit_rows, unit_rows, st.integers(0, 2**16 - 1), st.sampled_from([0.1, 0.5, 1.0]))
def test_finds_the_most_pairs_and_of_those_the_nearest(
    features0: np.ndarray, features1: np.ndarray, gate: int, threshold: float
) -> None:
    shape = len(features0), len(features1)
    allowed = np.array([gate >> i & 1 for i in range(shape[0] * shape[1])], bool).reshape(shape)
    pairs = match(features0, features1, allowed, threshold)

    def distance(i: int, j: int) -> float:
        a, b = features0[i], features1[j]
        length = np.linalg.norm(a) * np.linalg.norm(b)
        return float(1 - a @ b / length) if length else float("inf")

    costs = {(i, j): distance(i, j) for i, j in np.ndindex(shape) if allowed[i, j]}
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs)
    assert all(costs[pair] <= threshold + 1e-9 for pair in pairs)
    best = (0, 0.0)
    for columns in itertools.product([-1, *range(shape[1])], repeat=shape[0]):
        used = [(i, j) for i, j in enumerate(columns) if j >= 0]
        if len({j for _, j in used}) == len(used) and all(costs.get(pair, 9) <= threshold - 1e-9 for pair in used):
            best = max(best, (len(used), -sum(costs[pair] for pair in used)))
    assert len(pairs) >= best[0]
    if len(pairs) == best[0]:
        assert sum(costs[pair] for pair in pairs) <= -best[1] + 1e-6


@pytest.mark.parametrize("count", [2, 6, 12])
def test_one_pair_more_is_worth_any_distance(count: int) -> None:
    """Each row but the last lies on its own column and is as far as can be from the next; the last may only have the
    first column. All can be matched when every row moves on."""
    features = np.array([[(-1.0) ** i, 0.0] for i in range(count)])
    allowed = np.eye(count, dtype=bool) | np.eye(count, k=1, dtype=bool)
    allowed[-1] = [True] + [False] * (count - 1)
    pairs = match(features, features, allowed, 2.0)
    assert sorted(pairs) == [*((i, i + 1) for i in range(count - 1)), (count - 1, 0)]


def test_answers_the_recorded_requests_with_what_the_server_accepts(
    worker: Call, recordings: Path, picture: str
) -> None:
    vectors = json.loads((recordings / "vectors" / "reid.json").read_text())
    sent = [v["request"] for v in vectors if isinstance(v.get("request"), dict) and "boxes0" in v["request"]]
    assert len(sent) > 20
    for request in sent:
        rows = [np.eye(50)[: len(request[name])] for name in ("boxes0", "boxes1")]
        driver = worker(SimpleNamespace(spec=ReIDFunctionSpec(), embed=Embedder(*rows).embed))
        status, body = driver.post(request | {"image0": picture, "image1": picture})
        assert status == 200, (request, body)
        assert len(body) == len(request["boxes0"])
        kept = [index for index in body if index >= 0]
        assert all(type(index) is int and index < len(request["boxes1"]) for index in body)
        assert len(set(kept)) == len(kept)
