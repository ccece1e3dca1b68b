"""The differences that `docs/differences.md` lists: each is there, each is as it says, and there are no others."""

import math
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import attrs
import numpy as np
import PIL.Image
import pytest

from cvat_nuclio.cvat.mapping import mapping_by_name

BOX = [10.0, 20.0, 40.0, 50.0]
SIZE = (120, 90)
Annotations = dict[str, Any]


@attrs.frozen
class Outcome:
    """What the task holds after each way; `upload` is what the driver would send as JSON."""

    driver: Annotations
    agent: Annotations
    bundle: Annotations
    width: int


def row(check: Callable[[Outcome], None]) -> Callable[[Outcome], None]:
    """A row of the table that is about one case of `zoo/different.py`."""
    ROWS[check.__name__.replace("_", "-")] = check
    return check


ROWS: dict[str, Callable[[Outcome], None]] = {}
OTHERS = {"preprocess-missing", "lost-object", "answer-mask"}


def one(annotations: Annotations) -> Any:
    (shape,) = annotations["shapes"]
    return shape


def differs(outcome: Outcome, key: str, by_hand: Any, by_bundle: Any) -> None:
    """One field of the one shape, and nothing else."""
    assert one(outcome.driver)[key] == one(outcome.agent)[key] == by_hand
    assert one(outcome.bundle)[key] == by_bundle
    assert one(outcome.driver) | {key: None} == one(outcome.bundle) | {key: None}


@row
def occluded(outcome: Outcome) -> None:
    differs(outcome, "occluded", True, False)


@row
def occluded_keypoint(outcome: Outcome) -> None:
    elements = [one(way)["elements"] for way in (outcome.driver, outcome.agent, outcome.bundle)]
    assert [e["head"]["occluded"] for e in elements] == [True, True, False]
    assert [e["head"]["outside"] for e in elements] == [False, False, False]
    assert elements[0]["foot"] == elements[2]["foot"]
    assert elements[0]["head"]["points"] == elements[2]["head"]["points"]


@row
def z_order(outcome: Outcome) -> None:
    differs(outcome, "z_order", 3, 0)


@row
def confidence(outcome: Outcome) -> None:
    differs(outcome, "score", 0.25, 1.0)


@row
def group_numbers(outcome: Outcome) -> None:
    groups = [[shape["group"] for shape in way["shapes"]] for way in (outcome.driver, outcome.agent, outcome.bundle)]
    assert groups == [[7, 3], [7, 3], [1, 2]]


@row
def group_of_a_tag(outcome: Outcome) -> None:
    groups = [way["tags"][0]["group"] for way in (outcome.driver, outcome.agent, outcome.bundle)]
    assert groups == [2, 2, 0]


@row
def frame_name(outcome: Outcome) -> None:
    words = [one(way)["attributes"]["words"] for way in (outcome.driver, outcome.agent, outcome.bundle)]
    assert words[:2] == ["frames/000.png"] * 2
    assert words[2]
    assert words[2] != words[0]


@row
def threshold_zero(outcome: Outcome) -> None:
    words = [one(way)["attributes"]["words"] for way in (outcome.driver, outcome.agent, outcome.bundle)]
    assert [float(word) for word in words[:2]] == [0, 0]
    assert words[2] == "None"


@row
def conv_mask_to_poly(outcome: Outcome) -> None:
    assert [one(way)["type"] for way in (outcome.driver, outcome.agent, outcome.bundle)] == ["polygon"] * 3
    # The same region: the function drew its own outline, the bundle's goes through the pixels' centres or edges.
    assert _bounds(one(outcome.bundle)["points"]) == pytest.approx(_bounds(one(outcome.driver)["points"]), abs=1)


@row
def outside_the_image(outcome: Outcome) -> None:
    differs(outcome, "points", [-5, 20, outcome.width + 9, 50], [0, 20, outcome.width, 50])


@row
def without_extent(outcome: Outcome) -> None:
    assert [len(way["shapes"]) for way in (outcome.driver, outcome.agent, outcome.bundle)] == [2, 2, 1]
    assert one(outcome.bundle)["points"] == BOX


@row
def swapped_corners(outcome: Outcome) -> None:
    differs(outcome, "points", [40, 50, 10, 20], BOX)


@row
def not_finite(outcome: Outcome) -> None:
    assert all(math.isnan(way["shapes"][0]["points"][0]) for way in (outcome.driver, outcome.agent))
    assert one(outcome.bundle)["points"] == BOX


@row
def skeleton_not_seen(outcome: Outcome) -> None:
    assert [len(way["shapes"]) for way in (outcome.driver, outcome.agent, outcome.bundle)] == [2, 2, 1]
    assert one(outcome.bundle)["type"] == "rectangle"


@row
def rotation_beyond_a_turn(outcome: Outcome) -> None:
    differs(outcome, "rotation", -10, 350)


def _bounds(points: list[float]) -> list[float]:
    return [min(points[::2]), min(points[1::2]), max(points[::2]), max(points[1::2])]


@pytest.mark.parametrize("case", ROWS)
def test_the_difference_is_as_listed(
    case: str, ways: ModuleType, zoo: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    function = ways.load("different")
    names = [check.__name__.replace("_", "-") for check in function.CASES]
    width = function.FIRST_WIDTH + names.index(case)
    images = [ways.encoded(PIL.Image.new("RGB", (width, 90), (9, 90, 200)))]
    browser = zoo["different"].browser(images)
    # The driver asks that a label for masks is one for polygons, or for any shape, when they are converted.
    labels = tuple(attrs.evolve(label, type="any") if label.type == "mask" else label for label in browser.task.labels)
    browser.task.labels = labels
    mapping = mapping_by_name(browser.function.labels, labels, browser.generation)
    convert, threshold = case == "conv-mask-to-poly", 0 if case == "threshold-zero" else None
    options = {"conv_mask_to_poly": convert}
    driver = ways.through_the_driver(function, images, labels, monkeypatch, conf_threshold=threshold, **options)
    agent = ways.Agent.of(function, images, labels, monkeypatch).annotate(mapping, threshold, convert)
    job = browser.annotate(threshold=threshold, **options)
    assert job.error is None
    found = [ways.plain(annotations, labels) for annotations in (driver, agent, job.stored)]
    ROWS[case](Outcome(found[0], found[1], found[2], width))


def test_a_tracker_without_preprocessing(
    ways: ModuleType, zoo: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    images = [ways.encoded(PIL.Image.new("RGB", SIZE, (n, n, n))) for n in range(4)]
    shapes = [{"type": "rectangle", "points": BOX}]
    agent = ways.Agent.of(ways.load("plain_follow"), images, (), monkeypatch)
    with pytest.raises(AttributeError, match="preprocess_image"):
        agent.track(shapes, 2)
    tracked = [found.shapes[0] for found in zoo["plain-follow"].browser(images).track(shapes, range(4))]
    # As cvat-sdk describes the protocol: the image itself goes to the methods.
    state = ways.load("plain_follow").init_tracking_state(None, PIL.Image.new("RGB", SIZE), _shape(ways))
    expected = [ways.load("plain_follow").track(None, PIL.Image.new("RGB", SIZE), state) for _ in range(3)]
    assert [shape["points"] for shape in tracked] == [shape.points for shape in expected]


def _shape(ways: ModuleType) -> Any:
    return ways.load("plain_follow").cvataa.TrackableShape(type="rectangle", points=BOX)


def test_a_lost_object(ways: ModuleType, zoo: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    images = [ways.encoded(PIL.Image.new("RGB", SIZE, (n, n, n))) for n in (80, 90, 0, 0, 90)]
    shapes = [{"type": "rectangle", "points": BOX}]
    agent = [found[0] for found in ways.Agent.of(ways.load("lose"), images, (), monkeypatch).track(shapes, 5)]
    default = [found.shapes[0] for found in zoo["lose"].browser(images).track(shapes, range(5))]
    as_null = [found.shapes[0] for found in zoo["lose-null"].browser(images).track(shapes, range(5))]
    assert agent == as_null
    assert [shape is None for shape in agent] == [False, True, True, False]
    assert default == [agent[0], agent[0], agent[0], agent[3]]


def test_an_answer_for_the_older_ui(ways: ModuleType, zoo: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    images = [ways.encoded(PIL.Image.new("RGB", SIZE, (9, 9, 9)))]
    points = [(20, 20), (80, 60)]
    agent = ways.Agent.of(ways.load("click"), images, (), monkeypatch)
    expected, _ = agent.interact(SIZE, pos_points=points, neg_points=[], obj_bbox=[])
    assert len(expected) == 2
    for generation in ("G1", "G3"):
        browser = zoo["click-mask"].browser(images, ways.Generation(generation))
        (shown,), _ = browser.interact(SIZE, points)
        assert shown.confidence == 1
        assert np.array_equal(shown.bitmap, max(expected, key=lambda found: found.confidence).bitmap)


def test_the_table_lists_what_is_asserted_and_nothing_else(repository: Path, ways: ModuleType) -> None:
    text = (repository / "docs" / "differences.md").read_text()
    listed = re.findall(r"^\| ([a-z-]+) \|", text, re.MULTILINE)[1:]
    assert len(listed) == len(set(listed))
    assert set(listed) == ROWS.keys() | OTHERS
    cases = {check.__name__.replace("_", "-") for check in ways.load("different").CASES}
    assert cases == ROWS.keys()
