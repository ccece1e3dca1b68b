import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cvat_sdk.auto_annotation as cvataa
import numpy as np
import PIL.Image
import pytest
from cvat_sdk import models
from cvat_sdk.masks import encode_mask

LABELS = [
    cvataa.label_spec("car", 1, attributes=[cvataa.number_attribute_spec("doors", 1, ["0", "10", "1"])]),
    cvataa.label_spec("box", 2, type="rectangle"),
    cvataa.label_spec("scene", 3, type="tag"),
    cvataa.label_spec("blob", 4, type="mask"),
    cvataa.skeleton_label_spec(
        "sk",
        5,
        [
            cvataa.keypoint_spec("nose", 1, attributes=[cvataa.checkbox_attribute_spec("vis", 1)]),
            cvataa.keypoint_spec("tail", 2),
            cvataa.keypoint_spec("paw", 3),
        ],
    ),
]

Find = Callable[..., tuple[int, Any, list[dict[str, Any]]]]


@pytest.fixture
def find(worker: Callable[..., Any], detector: Callable[..., Any], picture: str) -> Find:
    """Status, body and log of one request to a function that answers `annotations`."""

    def call(annotations: Any, labels: Any = LABELS) -> tuple[int, Any, list[dict[str, Any]]]:
        driver = worker(detector(labels, annotations))
        status, body = driver.post({"image": picture})
        return status, body, driver.log

    return call


@pytest.fixture
def items(find: Find) -> Callable[..., list[dict[str, Any]]]:
    def call(*annotations: Any) -> list[dict[str, Any]]:
        status, body, _ = find(list(annotations))
        assert status == 200, body
        assert isinstance(body, list)
        return body

    return call


def keypoints(*places: tuple[float, ...], **last: Any) -> list[Any]:
    points = [cvataa.keypoint(i + 1, list(place)) for i, place in enumerate(places)]
    for name, value in last.items():
        setattr(points[-1], name, value)
    return points


CUBOID = [10.0, 10, 10, 50, 40, 10, 40, 50, 50, 5, 50, 45, 60, 5, 60, 45]


@pytest.mark.parametrize(
    ("shape_type", "points"),
    [
        ("rectangle", [10.0, 20.0, 50.0, 60.0]),
        ("polygon", [10.0, 20.0, 50.0, 60.0, 10.0, 60.0]),
        ("polyline", [10.0, 20.0, 50.0, 60.0]),
        ("points", [10.0, 20.0]),
        ("ellipse", [30.0, 40.0, 50.0, 20.0]),
        ("cuboid", CUBOID),
    ],
)
def test_every_shape_type(items: Any, shape_type: str, points: list[float]) -> None:
    expected = {"label": "car", "type": shape_type, "points": points, "attributes": []}
    assert items(cvataa.shape(1, type=shape_type, points=points)) == [expected]


def test_a_tag(items: Any) -> None:
    assert items(cvataa.tag(3)) == [{"label": "scene", "type": "tag", "attributes": []}]


def test_nothing_found_is_an_empty_array(items: Any) -> None:
    assert items() == []


def test_a_mask_has_crop_box_and_polygon(items: Any) -> None:
    bitmap = np.zeros((80, 100), bool)
    bitmap[10:14, 20:25] = True
    bitmap[10, 20] = False
    (item,) = items(cvataa.mask(4, encode_mask(bitmap)))
    assert item["mask"] == [0, 1, 1, 1, 1, *[1] * 15, 20, 10, 24, 13]
    assert (item["label"], item["type"], item["attributes"]) == ("blob", "mask", [])
    ring = list(zip(item["points"][::2], item["points"][1::2], strict=True))
    assert (24, 10) in ring
    assert (20, 10) not in ring
    assert len(ring) == 5


def test_a_mask_without_a_polygon_has_no_points(items: Any) -> None:
    # CVAT takes the key as a polygon when the user asked for one: `points: []` then fails the job.
    bitmap = np.zeros((80, 100), bool)
    bitmap[10, 20:25] = True
    (item,) = items(cvataa.mask(4, encode_mask(bitmap)))
    assert item["mask"] == [1, 1, 1, 1, 1, 20, 10, 24, 10]
    assert "points" not in item


def test_a_mask_is_cropped_to_the_image(items: Any) -> None:
    (item,) = items(cvataa.mask(4, [0, 9, 98, -1, 100, 1]))
    assert item["mask"] == [1, 1, 1, 1, 98, 0, 99, 1]


def test_masks_among_other_items_stay_json(items: Any) -> None:
    mask = cvataa.mask(4, [0, 9, 10, 10, 12, 12])
    found = items(cvataa.tag(3), mask, cvataa.rectangle(1, [1.0, 2.0, 3.0, 4.0]), mask)
    assert [item["type"] for item in found] == ["tag", "mask", "rectangle", "mask"]


def test_a_skeleton(items: Any) -> None:
    elements = keypoints((10, 10), (50, 50), (80, 10), outside=True)
    elements[0].attributes = [models.AttributeValRequest(spec_id=1, value="True")]
    (item,) = items(cvataa.skeleton(5, elements))
    assert item == {
        "label": "sk",
        "type": "skeleton",
        "attributes": [],
        "elements": [
            {
                "label": "nose",
                "type": "points",
                "points": [10, 10],
                "outside": False,
                "attributes": [{"name": "vis", "value": "true"}],
            },
            {"label": "tail", "type": "points", "points": [50, 50], "outside": False, "attributes": []},
            {"label": "paw", "type": "points", "points": [80, 10], "outside": True, "attributes": []},
        ],
    }


def test_a_keypoint_that_is_not_finite_is_outside_at_the_mean(items: Any) -> None:
    nan = float("nan")
    (item,) = items(cvataa.skeleton(5, keypoints((10, 20), (nan, 50), (30, 40))))
    assert item["elements"][1]["points"] == [20, 30]
    assert [element["outside"] for element in item["elements"]] == [False, True, False]


def test_a_keypoint_without_coordinates_is_outside_at_the_mean(items: Any) -> None:
    """Found nothing, as NaN says it."""
    bare = models.SubLabeledShapeRequest(type="points", label_id=2, frame=0)
    first, empty, last = keypoints((10, 20), (), (30, 40))
    for lost in (empty, bare):
        (item,) = items(cvataa.skeleton(5, [first, lost, last]))
        assert item["elements"][1]["points"] == [20, 30]
        assert [element["outside"] for element in item["elements"]] == [False, True, False]


@pytest.mark.parametrize("shape_type", ["polygon", "polyline", "points"])
def test_a_shape_without_points_ends_nothing(find: Find, shape_type: str) -> None:
    status, body, log = find([cvataa.shape(1, type=shape_type, points=[]), cvataa.rectangle(1, [1.0, 2, 3, 4])])
    assert (status, len(body)) == (200, 1)
    assert log[-1]["message"] == "1 annotations kept, left out: 1 without extent"


def test_a_skeleton_is_never_outside_as_a_whole(items: Any) -> None:
    """CVAT keeps `outside` on a skeleton that is shown, and then hides it: its keypoints tell alone."""
    (item,) = items(cvataa.skeleton(5, keypoints((1, 2), (3, 4), (5, 6)), outside=True))
    assert "outside" not in item


def test_keypoints_are_moved_into_the_image(items: Any) -> None:
    (item,) = items(cvataa.skeleton(5, keypoints((-5, 20), (101, 50), (30, 400))))
    assert [element["points"] for element in item["elements"]] == [[0, 20], [100, 50], [30, 80]]


def test_a_skeleton_of_which_nothing_is_visible_is_left_out(find: Find) -> None:
    nan = float("nan")
    elements = keypoints((1, 2), (3, 4), (5, 6))
    for element in elements:
        element.outside = True
    skeletons = [cvataa.skeleton(5, elements), cvataa.skeleton(5, keypoints((nan, 1), (1, nan), (nan, nan)))]
    status, body, log = find(skeletons)
    assert (status, body) == (200, [])
    assert "0 annotations kept, left out: 1 without a visible element, 1 not finite" in log[-1]["message"]


def test_attributes_are_strings_by_name(items: Any) -> None:
    shape = cvataa.rectangle(1, [1.0, 2, 3, 4], attributes=[models.AttributeValRequest(spec_id=1, value="4.0")])
    assert items(shape)[0]["attributes"] == [{"name": "doors", "value": "4"}]


def test_groups_are_numbered_from_one_and_zero_is_none(items: Any) -> None:
    groups = [7, 0, 3, 7, None]
    shapes = [cvataa.rectangle(1, [1.0, 2, 3, 4], group=group) for group in groups]
    gone = cvataa.rectangle(1, [-9.0, 2, -3, 4], group=99)
    found = items(gone, *shapes, cvataa.rectangle(1, [1.0, 2, 3, 4]))
    assert [item.get("group_id") for item in found] == [1, None, 2, 1, None, None]
    assert sum("group_id" in item for item in found) == 3


def test_rotation_of_rectangles_and_ellipses_only(items: Any) -> None:
    shapes = [
        cvataa.rectangle(1, [10.0, 20, 50, 60], rotation=30.5),
        cvataa.shape(1, type="ellipse", points=[30.0, 40, 50, 20], rotation=30.5),
        cvataa.polygon(1, [10.0, 20, 50, 60, 10, 60], rotation=30.5),
        cvataa.rectangle(1, [10.0, 20, 50, 60], rotation=360.0),
    ]
    assert [item.get("rotation") for item in items(*shapes)] == [30.5, 30.5, None, None]


def test_confidence_is_a_string(items: Any) -> None:
    scores = [0.9300000071525574, 1.0, 0.0]
    found = items(*(cvataa.rectangle(1, [1.0, 2, 3, 4], score=score) for score in scores))
    assert [item["confidence"] for item in found] == ["0.93", "1", "0"]


def test_outside_is_kept(items: Any) -> None:
    assert items(cvataa.rectangle(1, [1.0, 2, 3, 4], outside=True))[0]["outside"] is True


def test_counts_what_is_left_out_in_one_line(find: Find) -> None:
    inf = float("inf")
    status, body, log = find(
        [
            cvataa.rectangle(1, [1.0, 2, 3, 4]),
            cvataa.rectangle(1, [-9.0, 2, -3, 4]),
            cvataa.rectangle(1, [200.0, 2, 300, 4]),
            cvataa.rectangle(1, [1.0, 2, inf, 4]),
            cvataa.polygon(1, [1.0, 2, 3, 4]),
            cvataa.mask(4, [1, 0, 0, 0, 0]),
        ]
    )
    assert status == 200
    assert len(body) == 1
    (line,) = log
    assert line["message"] == ("1 annotations kept, left out: 2 outside the image, 1 not finite, 2 without extent")


def test_numbers_of_numpy_and_of_models_that_skip_validation(find: Find) -> None:
    shape = cvataa.rectangle(1, [1.0, 2.0, 3.0, 4.0], score=0.5)
    shape.points[:] = [np.float32(1.5), np.int64(2), np.float64(3), 4]
    shape._data_store["rotation"] = np.float32(-90)
    shape._data_store["score"] = np.float32(0.25)
    shape._data_store["group"] = np.int64(4)
    status, body, _ = find([shape])
    assert status == 200
    assert body[0]["rotation"] == 270
    assert body[0]["confidence"] == "0.25"
    assert body[0]["group_id"] == 1
    assert body[0]["points"] == [1.5, 2, 3, 4]


def test_any_iterable_will_do(find: Find) -> None:
    for form in (tuple, iter, list):
        status, body, _ = find(form([cvataa.tag(3)]))
        assert (status, len(body)) == (200, 1)


def shape_with(name: str, value: object) -> Any:
    return cvataa.rectangle(1, [1.0, 2, 3, 4], **{name: value})


def element_with(name: str, value: object) -> Any:
    return cvataa.skeleton(5, keypoints((1, 2), (3, 4), (5, 6), **{name: value}))


BAD = {
    "an object of type 'NoneType' (expected a sequence)": None,
    "an object of type 'int' (expected 'LabeledImageRequest' or 'LabeledShapeRequest')": [5],
    "an object of type 'dict' (expected 'LabeledImageRequest' or 'LabeledShapeRequest')": [{"label": "car"}],
    "an object of type 'str' (expected 'LabeledImageRequest' or 'LabeledShapeRequest')": "abc",
    "shape with unknown label ID (9)": [cvataa.rectangle(9, [1.0, 2, 3, 4])],
    "tag with unknown label ID (9)": [cvataa.tag(9)],
    "shape with preset id": [shape_with("id", 5)],
    "shape with preset source": [shape_with("source", "auto")],
    "tag with preset source": [cvataa.tag(3, source="auto")],
    "shape with unexpected frame number (3)": [
        models.LabeledShapeRequest(type="rectangle", label_id=1, frame=3, points=[1.0, 2, 3, 4])
    ],
    "shape of type 'polygon' (expected 'rectangle')": [cvataa.polygon(2, [1.0, 2, 3, 4, 5, 9])],
    "shape of type 'rectangle' (expected 'tag')": [cvataa.rectangle(3, [1.0, 2, 3, 4])],
    "tag (expected shape of type 'mask')": [cvataa.tag(4)],
    "attribute with unknown ID (8)": [shape_with("attributes", [models.AttributeValRequest(spec_id=8, value="1")])],
    "attribute value ('11') that is unsuitable for its attribute (1)": [
        shape_with("attributes", [models.AttributeValRequest(spec_id=1, value="11")])
    ],
    "non-skeleton shape with elements": [shape_with("elements", keypoints((1, 2)))],
    "skeleton with fewer elements than expected (2 vs 3)": [cvataa.skeleton(5, keypoints((1, 2), (3, 4)))],
    "skeleton with fewer elements than expected (0 vs 3)": [cvataa.skeleton(5, [])],
    "shape with unknown sublabel ID (7)": [element_with("label_id", 7)],
    "skeleton with multiple elements with same sublabel": [element_with("label_id", 1)],
    "shape element with preset id": [element_with("id", 1)],
    "shape element with preset source": [element_with("source", "auto")],
    "shape element with unexpected frame number (2)": [element_with("frame", 2)],
    "skeleton element with other than one point": [element_with("points", [1.0, 2, 3, 4])],
    "skeleton with element type other than 'points' (rectangle)": [element_with("type", models.ShapeType("rectangle"))],
    "rectangle with wrong points: a rectangle has 4 numbers, not 5": [cvataa.rectangle(1, [1.0, 2, 3, 4, 5])],
    "rectangle with wrong points: a rectangle has 4 numbers, not 0": [
        models.LabeledShapeRequest(type="rectangle", label_id=1, frame=0)
    ],
    "mask whose encoded bitmap does not match its bounding box": [cvataa.mask(4, [3.0, 10, 10, 12, 12])],
    "mask with too few elements in its points": [models.LabeledShapeRequest(type="mask", label_id=4, frame=0)],
}


@pytest.mark.parametrize("words", BAD)
def test_what_breaks_the_interface_is_a_500_that_says_what(find: Find, words: str) -> None:
    status, body, log = find(BAD[words])
    assert status == 500
    assert body["error"]["type"] == "function"
    assert body["error"]["message"] == f"function output {words}"
    assert words in log[-1]["message"]


def test_the_function_gets_what_cvats_agent_gives_it(
    worker: Callable[..., Any], detector: Callable[..., Any], encode: Callable[..., str]
) -> None:
    function = detector(LABELS, [])
    image = PIL.Image.fromarray((np.arange(600).reshape(20, 30) * 100).astype(np.uint16))
    assert worker(function).post({"image": encode(image), "threshold": 0.25})[0] == 200
    assert worker(function).post({"image": encode(image.convert("L").convert("P"), "GIF")})[0] == 200
    (first, first_image), (second, second_image) = function.calls
    assert isinstance(first, cvataa.DetectionFunctionContext)
    assert (first.conf_threshold, second.conf_threshold) == (0.25, None)
    assert (first.conv_mask_to_poly, first.frame_name) == (False, "frame")
    assert first_image.mode == "I;16"
    assert np.array_equal(np.asarray(first_image), np.asarray(image))
    assert second_image.mode == "P"


# What the recorded server stored of these items, and what the runtime makes of the same annotation.
RECORDED = [
    "shape.rectangle.floats",
    "shape.ellipse.rotation",
    "shape.cuboid",
    "shape.polyline",
    "shape.points",
    "shape.tag",
    "shape.rectangle.rotation_45.5",
    "skeleton.full",
    "skeleton.outside_one",
    "mask.first_pixel_set",
    "mask.all_one",
    "mask.with_polygon_points.conv_off",
]


def annotation_of(item: dict[str, Any], size: tuple[int, int]) -> tuple[list[Any], Any]:
    """Labels and annotation of an AA function that means what `item` says."""
    if item["type"] == "tag":
        return [cvataa.label_spec(item["label"], 1)], cvataa.tag(1)
    if item["type"] == "skeleton":
        names = [element["label"] for element in item["elements"]]
        label = cvataa.skeleton_label_spec(item["label"], 1, [cvataa.keypoint_spec(n, i) for i, n in enumerate(names)])
        elements = [
            cvataa.keypoint(i, list(map(float, element["points"])), outside=element.get("outside", False))
            for i, element in enumerate(item["elements"])
        ]
        return [label], cvataa.skeleton(1, elements)
    if item["type"] == "mask":
        x1, y1, x2, y2 = item["mask"][-4:]
        bitmap = np.zeros(size[::-1], bool)
        bitmap[y1 : y2 + 1, x1 : x2 + 1] = np.reshape(item["mask"][:-4], (y2 - y1 + 1, x2 - x1 + 1))
        points = encode_mask(bitmap, [x1, y1, x2 + 1, y2 + 1])
        return [cvataa.label_spec(item["label"], 1)], cvataa.mask(1, points)
    rotation = {"rotation": float(item["rotation"])} if "rotation" in item else {}
    points = list(map(float, item["points"]))
    return [cvataa.label_spec(item["label"], 1)], cvataa.shape(1, type=item["type"], points=points, **rotation)


@pytest.fixture(scope="session")
def recorded(recordings: Path) -> dict[str, Any]:
    return {v["id"]: v for v in json.loads((recordings / "vectors" / "detector.json").read_text())}


@pytest.mark.parametrize("case", RECORDED)
@pytest.mark.parametrize("version", ["2024-07", "2.54.1"])
def test_writes_the_items_that_the_recorded_server_stored(
    find: Find, recorded: dict[str, Any], case: str, version: str
) -> None:
    vector = recorded[f"detector.{case}.batch@{version}"]
    assert vector["outcome"]["accepted"]["job_status"] == "finished"
    (item,) = vector["response"]["body"]
    labels, annotation = annotation_of(item, (100, 80))
    status, body, _ = find([annotation], labels)
    assert status == 200
    (written,) = body
    comparable = {k: v for k, v in item.items() if k not in ("confidence", "elements", "points")}
    assert {k: v for k, v in written.items() if k in comparable} == comparable
    if item["type"] != "mask":
        assert written.get("points") == item.get("points")
    for mine, theirs in zip(written.get("elements", []), item.get("elements", []), strict=True):
        assert {k: mine[k] for k in theirs} == theirs
    assert set(written) <= {"label", "type", "attributes", "points", "mask", "elements", "rotation"}


def test_spec_without_attributes_or_types() -> None:
    from aa_runtime.labels import labels_by_id

    labels = labels_by_id(cvataa.DetectionFunctionSpec(labels=[cvataa.label_spec("x", 4)]))
    assert labels[4] == type(labels[4])(name="x", type="any", attributes={}, sublabels={})


def test_the_answer_is_compact(worker: Callable[..., Any], detector: Callable[..., Any], picture: str) -> None:
    driver = worker(detector(LABELS, [cvataa.rectangle(1, [1.0, 2, 3, 4])]))
    response = driver.handler.handle(None, SimpleNamespace(body={"image": picture}))
    assert response.body == '[{"label":"car","type":"rectangle","attributes":[],"points":[1.0,2.0,3.0,4.0]}]'
