"""The same function through cvat-sdk's driver, cvat-cli's agent and a bundle: the same annotations."""

from types import ModuleType
from typing import Any

import numpy as np
import PIL.Image
import pytest

from cvat_nuclio.cvat import Generation
from cvat_nuclio.cvat.mapping import mapping_by_name

DETECTORS = ("shapes", "masks", "attributes", "skeletons", "context")
SIZE = (120, 90)


def gradient(size: tuple[int, int] = SIZE) -> PIL.Image.Image:
    return PIL.Image.linear_gradient("L").resize(size).convert("RGB")


def pictures() -> dict[str, tuple[PIL.Image.Image, str]]:
    """Images of every mode that CVAT hands on as they are."""
    grey = PIL.Image.linear_gradient("L").resize(SIZE)
    return {
        "png": (gradient(), "PNG"),
        "jpeg": (gradient(), "JPEG"),
        "grey": (grey, "JPEG"),
        "cmyk": (gradient().convert("CMYK"), "JPEG"),
        "alpha": (gradient().convert("RGBA"), "PNG"),
        "palette": (gradient().convert("P"), "PNG"),
        "sixteen": (grey.convert("I").point(lambda value: value * 200).convert("I;16"), "PNG"),
        "webp": (gradient(), "WEBP"),
        "bmp": (gradient(), "BMP"),
    }


@pytest.mark.parametrize("generation", list(Generation))
@pytest.mark.parametrize("name", DETECTORS)
def test_detectors(
    name: str, generation: Generation, ways: ModuleType, zoo: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    function = ways.load(name)
    images = [ways.encoded(image, kind) for image, kind in pictures().values()]
    browser = zoo[name].browser(images, generation)
    labels = browser.task.labels
    driver = ways.through_the_driver(function, images, labels, monkeypatch)
    mapping = mapping_by_name(browser.function.labels, labels, generation)
    agent = ways.Agent.of(function, images, labels, monkeypatch).annotate(mapping)
    job = browser.annotate()
    assert job.error is None
    assert not browser.server.drops.found
    stored = ways.plain(job.stored, labels)
    assert stored["shapes"] or stored["tags"]
    assert stored == ways.plain(driver, labels)
    assert stored == ways.plain(agent, labels)


@pytest.mark.parametrize("threshold", [0.01, 0.3, 0.5, 1.0])
def test_a_threshold_reaches_the_function(
    threshold: float, ways: ModuleType, zoo: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    images = [ways.encoded(gradient())]
    browser = zoo["context"].browser(images)
    labels = browser.task.labels
    driver = ways.through_the_driver(ways.load("context"), images, labels, monkeypatch, conf_threshold=threshold)
    job = browser.annotate(threshold=threshold)
    assert ways.plain(job.stored, labels) == ways.plain(driver, labels)


def test_a_frame_in_the_browser_is_what_the_job_stores(ways: ModuleType, zoo: dict[str, Any]) -> None:
    images = [ways.encoded(gradient())]
    for name in DETECTORS:
        browser = zoo[name].browser(images)
        labels = browser.task.labels
        shown = browser.detect()
        assert ways.plain(shown, labels) == ways.plain(browser.annotate().stored, labels)


PROMPTS: list[dict[str, Any]] = [
    {"positive": [(40, 40)]},
    {"positive": [(40, 40), (90.5, 20.25)]},
    {"positive": [(40, 40)], "negative": [(44, 10)]},
    {"positive": [(40, 40), (60, 60), (8, 8)], "negative": [(100, 10)], "box": ((30, 30), (64, 62))},
    {"positive": [(0, 0), (119, 89)]},
]


@pytest.mark.parametrize("prompts", PROMPTS)
def test_interactors(
    prompts: dict[str, Any], ways: ModuleType, zoo: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    _same_objects("click", prompts, ways, zoo, monkeypatch)


@pytest.mark.parametrize("box", [((10, 10), (50, 40)), ((0, 0), SIZE)])
def test_interactors_that_need_a_box(
    box: Any, ways: ModuleType, zoo: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    _same_objects("boxed", {"box": box}, ways, zoo, monkeypatch)


def _same_objects(
    name: str, prompts: dict[str, Any], ways: ModuleType, zoo: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    images = [ways.encoded(gradient())]
    browser = zoo[name].browser(images)
    positive, negative, box = (prompts.get(key) for key in ("positive", "negative", "box"))
    assert browser.interaction_hindrances(len(negative or ()), box) == []
    assert browser.waits_for(len(positive or ()), len(negative or ()), box) == ""
    shown, _ = browser.interact(SIZE, positive or (), negative or (), box)
    agent = ways.Agent.of(ways.load(name), images, (), monkeypatch)
    expected, _ = agent.interact(SIZE, pos_points=positive or [], neg_points=negative or [], obj_bbox=list(box or ()))
    assert shown
    assert [found.confidence for found in shown] == [found.confidence for found in expected]
    for one, other in zip(shown, expected, strict=True):
        assert np.array_equal(one.bitmap, other.bitmap)


def frames(brightness: list[int]) -> list[PIL.Image.Image]:
    return [PIL.Image.new("RGB", SIZE, (value, value, value)) for value in brightness]


SHAPES = [
    {"type": "rectangle", "points": [10.0, 20.0, 40.0, 50.0]},
    {"type": "polygon", "points": [10.0, 20.0, 40.0, 50.0, 10.0, 60.0]},
    {"type": "rectangle", "points": [1.5, 2.25, 9.0, 9.0]},
]


@pytest.mark.parametrize(
    ("name", "shapes", "generation"),
    [
        ("follow", SHAPES, Generation.G3),
        ("follow", SHAPES, Generation.G2),
        ("follow", [SHAPES[0], SHAPES[2]], Generation.G1),
        ("lose-null", [SHAPES[0]], Generation.G3),
    ],
)
def test_trackers(
    name: str,
    shapes: list[dict[str, Any]],
    generation: Generation,
    ways: ModuleType,
    zoo: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    images = [ways.encoded(image) for image in frames([80, 100, 60, 0, 20, 90, 120])]
    browser = zoo[name].browser(images, generation)
    tracked = [list(found.shapes) for found in browser.track(shapes, range(len(images)))]
    agent = ways.Agent.of(ways.load(name.partition("-")[0]), images, (), monkeypatch)
    assert tracked == agent.track(shapes, len(images))
    assert any(any(shapes) for shapes in tracked)


def test_the_spec_says_the_same_to_cvat(ways: ModuleType, zoo: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """What the agent registers on the server is what the bundle's annotations make CVAT list."""
    for name in (*DETECTORS, "click", "boxed", "follow"):
        function = ways.load(name)
        agent = ways.Agent.of(function, [], (), monkeypatch)
        registered = agent.driver.get_remote_function_fields(function.spec)
        listed = zoo[name].browser([]).function.to_dict()
        for key, value in registered.items():
            got = listed[key]
            assert _comparable(got) == _comparable(value), key


def _comparable(value: Any) -> Any:
    """Labels without what only one side writes: a svg, the wildcard type, values that a type has anyway."""
    if isinstance(value, list):
        return [_comparable(item) for item in value]
    if isinstance(value, dict):
        kept = {key: _comparable(item) for key, item in value.items() if key != "svg"}
        if kept.get("type") == "any":
            del kept["type"]
        if str(kept.get("input_type")) in ("text", "checkbox"):
            kept["values"] = []
        return kept
    return str(value) if hasattr(value, "value") else value
