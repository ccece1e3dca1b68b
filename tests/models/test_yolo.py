"""`cvat_functions.yolo_onnx` over graphs that have the inputs, outputs and metadata of real exports and known answers.

The pictures are 640 x 320 and the graphs 320 x 320, so that the network sees half the size and 80 rows of grey above:
`seen` is that arithmetic, written out once more, independently of the function's.
"""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from cvat_sdk.masks import decode_mask

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from tools import tiny_onnx  # noqa: E402

from cvat_functions.shared import to_rgb  # noqa: E402
from cvat_functions.suppression import nms, prob_iou  # noqa: E402

NAMES = {0: "cat", 1: "dog", 2: "owl"}
#: Cells of a 320 x 320 input at strides 8, 16 and 32.
ANCHORS = 40 * 40 + 20 * 20 + 10 * 10
ULTRALYTICS = {"author": "Ultralytics", "stride": 32, "names": NAMES, "imgsz": [320, 320], "batch": 1}

#: label, box in the picture, score
FOUND = [
    (1, (100.0, 40.0, 300.0, 200.0), 0.9),
    (0, (320.0, 60.0, 620.0, 310.0), 0.8),
    (2, (10.0, 10.0, 50.0, 90.0), 0.4),
]
#: Overlaps the first of FOUND by 0.9 with the same label; the next one by as much with another label; one too unsure.
DUPLICATE = (1, (100.0, 40.0, 300.0, 184.0), 0.7)
OTHER_LABEL = (2, (100.0, 40.0, 300.0, 184.0), 0.6)
UNSURE = (0, (500.0, 20.0, 560.0, 70.0), 0.2)
ANSWER = [FOUND[0], FOUND[1], OTHER_LABEL, FOUND[2]]


def seen(box: tuple[float, ...]) -> list[float]:
    x1, y1, x2, y2 = box
    return [x1 / 2, y1 / 2 + 80, x2 / 2, y2 / 2 + 80]


def centred(box: tuple[float, ...]) -> list[float]:
    x1, y1, x2, y2 = seen(box)
    return [(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1]


def scores(label: int, score: float) -> list[float]:
    return [score if index == label else 0.01 for index in range(len(NAMES))]


def v8(extra: int = 0) -> np.ndarray:
    """[1, 4 + classes + extra, anchors], as v8 and later export it."""
    output = np.zeros((1, 4 + len(NAMES) + extra, ANCHORS), np.float32)
    for place, (label, box, score) in enumerate([*FOUND, DUPLICATE, OTHER_LABEL, UNSURE]):
        output[0, :7, 37 * place + 5] = [*centred(box), *scores(label, score)]
    return output


def v5(extra: int = 0) -> np.ndarray:
    """[1, 3 x anchors, 5 + classes + extra], as v5 and v7 export it; a class's score is multiplied by objectness."""
    output = np.zeros((1, 3 * ANCHORS, 5 + len(NAMES) + extra), np.float32)
    for place, (label, box, score) in enumerate([*FOUND, DUPLICATE, OTHER_LABEL, UNSURE]):
        output[0, 37 * place + 5, :8] = [*centred(box), 0.95, *scores(label, score / 0.95)]
    return output


def v6() -> np.ndarray:
    """[1, anchors, 5 + classes]: no class's score needs the objectness, which is 1 for every box."""
    output = v5()[:, :ANCHORS]
    output[:, :, 5:] *= 0.95
    output[:, :, 4] = 1
    return output


def final(extra: int = 0) -> np.ndarray:
    """[1, 300, 6 + extra], suppressed in the graph and filled up with zeros."""
    output = np.zeros((1, 300, 6 + extra), np.float32)
    for place, (label, box, score) in enumerate([*ANSWER, UNSURE]):
        output[0, place, :6] = [*seen(box), score, label]
    return output


def v7_rows() -> np.ndarray:
    return np.array([[0, *seen(box), label, score] for label, box, score in [*ANSWER, UNSURE]], np.float32)


def v7_lists() -> dict[str, np.ndarray]:
    rows = final()[:, :100]
    return {
        "num_dets": np.array([[5]], np.int32),
        "det_boxes": rows[..., :4],
        "det_scores": rows[..., 4],
        "det_classes": rows[..., 5].astype(np.int32),
    }


GRAPHS: dict[str, tuple[dict[str, np.ndarray], dict[str, object]]] = {
    "v8": ({"output0": v8()}, {**ULTRALYTICS, "task": "detect"}),
    "v8 with NMS": ({"output0": final()}, {**ULTRALYTICS, "task": "detect", "args": {"batch": 1, "nms": True}}),
    "v10": ({"output0": final()}, {**ULTRALYTICS, "task": "detect", "end2end": True}),
    "v5": ({"output0": v5()}, {"stride": 32, "names": list(NAMES.values())}),
    "v5, older": ({"output": v5(), "345": np.zeros((1, 3, 40, 40, 8), np.float32)}, {"names": NAMES}),
    "v6": ({"outputs": v6()}, {"names": NAMES}),
    "v7 rows": ({"output": v7_rows()}, {"names": NAMES}),
    "v7 lists": (v7_lists(), {"names": NAMES}),
}


@pytest.fixture
def yolo(create: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    """The function over a graph with constant outputs."""

    def yolo(outputs: dict[str, np.ndarray], metadata: dict[str, object], **parameters: Any) -> Any:
        shape = parameters.pop("shape", [1, 3, 320, 320])
        more = {name: parameters.pop(name) for name in ("free", "half") if name in parameters}
        file = tiny_onnx.constants(tmp_path / "tiny.onnx", outputs, {"images": shape}, metadata, **more)
        return create("yolo_onnx", weights=str(file), **parameters)

    return yolo


@pytest.mark.parametrize("graph", GRAPHS)
def test_every_layout_gives_the_same_boxes(yolo: Any, detection: Any, picture: PIL.Image.Image, graph: str) -> None:
    outputs, metadata = GRAPHS[graph]
    function = yolo(outputs, metadata)
    shapes = function.detect(detection(), picture)
    assert [label.name for label in function.spec.labels] == ["cat", "dog", "owl"]
    assert {label.type for label in function.spec.labels} == {"rectangle"}
    assert [shape.label_id for shape in shapes] == [label for label, _, _ in ANSWER]
    assert {shape.type.value for shape in shapes} == {"rectangle"}
    np.testing.assert_allclose([shape.points for shape in shapes], [box for _, box, _ in ANSWER], atol=1e-3)


def test_the_request_s_threshold_wins(yolo: Any, detection: Any, picture: PIL.Image.Image) -> None:
    function = yolo(*GRAPHS["v8"])
    assert len(function.detect(detection(conf_threshold=0.7), picture)) == 2
    assert len(function.detect(detection(conf_threshold=0.1), picture)) == 5
    assert len(function.detect(detection(conf_threshold=0.95), picture)) == 0


def test_free_dimensions_are_read_by_running(yolo: Any, detection: Any, picture: PIL.Image.Image) -> None:
    function = yolo(*GRAPHS["v8"], shape=["batch", 3, "height", "width"], free={"output0": ["b", "c", "a"]})
    # The constant boxes are for a padded input; this input is not padded: 80 rows lower means 160 in the picture.
    points = function.detect(detection(), picture)[0].points
    np.testing.assert_allclose(points, [100, 200, 300, 320], atol=1e-3)


def test_half_precision_graph(yolo: Any, detection: Any, picture: PIL.Image.Image) -> None:
    outputs, metadata = GRAPHS["v8"]
    shapes = yolo({"output0": outputs["output0"].astype(np.float16)}, metadata, half=True).detect(detection(), picture)
    np.testing.assert_allclose([shape.points for shape in shapes], [box for _, box, _ in ANSWER], atol=0.5)


@pytest.mark.parametrize("head", ["v8", "final"])
def test_rotated_boxes(yolo: Any, detection: Any, picture: PIL.Image.Image, head: str) -> None:
    metadata = {**ULTRALYTICS, "task": "obb", "end2end": head == "final"}
    # Angle in radians; ultralytics' may be negative, CVAT's rotation may not.
    places = [((200.0, 150.0, 80.0, 40.0), 0.9, math.pi / 6), ((500.0, 160.0, 60.0, 30.0), 0.8, -math.pi / 4)]
    output = np.zeros((1, 8, ANCHORS) if head == "v8" else (1, 300, 7), np.float32)
    for place, ((x, y, w, h), score, angle) in enumerate(places):
        box = [x / 2, y / 2 + 80, w / 2, h / 2]
        if head == "v8":
            output[0, :, place] = [*box, *scores(1, score), angle]
            output[0, :, place + 9] = [*box, *scores(1, score - 0.3), angle + 0.02]
        else:
            output[0, place] = [*box, score, 1, angle]
    shapes = yolo({"output0": output}, metadata).detect(detection(), picture)
    assert [shape.rotation for shape in shapes] == [pytest.approx(30), pytest.approx(315)]
    np.testing.assert_allclose([s.points for s in shapes], [[160, 130, 240, 170], [470, 145, 530, 175]], atol=1e-3)


@pytest.mark.parametrize("head", ["v8", "v5", "final"])
def test_masks_and_polygons(yolo: Any, detection: Any, picture: PIL.Image.Image, head: str) -> None:
    output = {"v8": v8, "v5": v5, "final": final}[head](2)
    channels = output[0] if head == "v8" else output[0].T
    channels[-2:] = [[3.0], [-1.0]]
    # 80 x 80 prototypes: the first is 1 left of the input's middle and -1 right of it, the second is small noise.
    halves = np.where(np.arange(80) < 40, 1.0, -1.0) * np.ones((80, 1))
    prototypes = np.stack([halves, np.random.default_rng(0).normal(0, 0.1, (80, 80))])[None].astype(np.float32)
    metadata = {"names": NAMES} if head == "v5" else {**ULTRALYTICS, "task": "segment", "end2end": head == "final"}
    function = yolo({"output0": output, "output1": prototypes}, metadata)
    assert {label.type for label in function.spec.labels} == {"mask"}

    shapes = function.detect(detection(), picture)
    # The second of ANSWER lies right of the middle: its mask is empty, and an empty mask is no object.
    expected = [entry for entry in ANSWER if entry[1][0] < 320]
    assert [shape.label_id for shape in shapes] == [label for label, _, _ in expected]
    for shape, (_, (x1, y1, x2, y2), _) in zip(shapes, expected, strict=True):
        mask = decode_mask(shape.points, image_width=640, image_height=320)
        wanted = np.zeros((320, 640), bool)
        wanted[int(y1) : int(y2), int(x1) : min(int(x2), 320)] = True
        assert (mask & wanted).sum() / (mask | wanted).sum() > 0.97

    polygons = function.detect(detection(conv_mask_to_poly=True), picture)
    assert [shape.type.value for shape in polygons] == ["polygon"] * 3
    corners = np.reshape(polygons[0].points, (-1, 2))
    np.testing.assert_allclose([*corners.min(0), *corners.max(0)], [100, 40, 299, 199], atol=1.5)


@pytest.mark.parametrize("head", ["v8", "final"])
def test_skeletons(yolo: Any, detection: Any, picture: PIL.Image.Image, head: str) -> None:
    output = {"v8": v8, "final": final}[head](9)
    points = [[20.0, 100.0, 0.9], [70.0, 120.0, 0.2], [-5.0, 90.0, 0.8]]
    (output[0] if head == "v8" else output[0].T)[-9:] = np.reshape(points, (9, 1))
    metadata = {**ULTRALYTICS, "task": "pose", "kpt_shape": [3, 3], "end2end": head == "final"}
    function = yolo({"output0": output}, {**metadata, "kpt_names": {0: ["head", "paw", "tail"]}})
    label = function.spec.labels[0]
    assert label.type == "skeleton"
    assert [sublabel.name for sublabel in label.sublabels] == ["head", "paw", "tail"]
    skeleton = function.detect(detection(), picture)[0]
    assert skeleton.label_id == 1
    # Outside the picture is clipped to its border; a point less sure than one half is outside in CVAT's sense.
    assert [element.points for element in skeleton.elements] == [[40, 40], [140, 80], [0, 20]]
    assert [element.outside for element in skeleton.elements] == [False, True, False]


def test_seventeen_keypoints_are_coco_s(yolo: Any) -> None:
    metadata = {**ULTRALYTICS, "task": "pose", "kpt_shape": [17, 3]}
    names = [sublabel.name for sublabel in yolo({"output0": v8(51)}, metadata).spec.labels[0].sublabels]
    assert names[:3] == ["nose", "left_eye", "right_eye"]
    assert names[-2:] == ["left_ankle", "right_ankle"]
    assert len(set(names)) == 17


def test_the_network_sees_rgb_in_unit_range_between_grey_bars(create: Any, detection: Any, tmp_path: Path) -> None:
    # The graph's one box is [grey, red, blue + 1, green + 1] x 100, read from a bar's and the picture's first pixel.
    pixels = np.array([[0, 0, 0, 0], [0, 0, 80, 0], [0, 2, 80, 0], [0, 1, 80, 0]], np.int64)
    text = """look (float[1, 3, 320, 320] images) => (float[1, 1, 6] output0) {
        read = GatherND (images, pixels)
        plus = Constant <value_floats = [0.0, 0.0, 1.0, 1.0]> ()
        moved = Add (read, plus)
        hundred = Constant <value_float = 100.0> ()
        box = Mul (moved, hundred)
        rest = Constant <value_floats = [1.0, 0.0]> ()
        row = Concat <axis = 0> (box, rest)
        shape = Constant <value_ints = [1, 1, 6]> ()
        output0 = Reshape (row, shape)
    }"""
    file = tiny_onnx.graph(tmp_path / "look.onnx", text, {"pixels": pixels}, {**ULTRALYTICS, "end2end": True})
    orange = PIL.Image.new("RGB", (640, 320), (255, 153, 51))
    x1, y1, x2, y2 = create("yolo_onnx", weights=str(file)).detect(detection(), orange)[0].points
    grey, red, blue, green = x1 / 2, y1 / 2 + 80, x2 / 2, y2 / 2 + 80
    np.testing.assert_allclose([grey, red, blue, green], [100 * 114 / 255, 100, 120, 160], atol=1e-3)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "1", "I;16"])
def test_any_mode_of_picture(yolo: Any, detection: Any, mode: str) -> None:
    image = PIL.Image.new(mode, (640, 320))
    assert len(yolo(*GRAPHS["v10"]).detect(detection(), image)) == 4


def test_sixteen_bits_are_scaled() -> None:
    image = PIL.Image.fromarray(np.full((4, 5), 0x8080, np.uint16))
    assert (np.asarray(to_rgb(image)) == 128).all()


def test_labels_from_a_file(yolo: Any, detection: Any, picture: PIL.Image.Image, tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("Katze\nHund\n\nEule \n", encoding="utf-8")
    function = yolo({"output": v5()}, {}, labels=str(tmp_path / "names.txt"))
    assert [label.name for label in function.spec.labels] == ["Katze", "Hund", "Eule"]
    assert len(function.detect(detection(), picture)) == 4


def test_a_missing_file_says_where_to_put_it(create: Any) -> None:
    with pytest.raises(FileNotFoundError, match=r"no file '.*nowhere.onnx'.*lay it there.*-p weights=file:"):
        create("yolo_onnx", weights="nowhere.onnx")


@pytest.mark.parametrize(
    ("outputs", "metadata", "message"),
    [
        ({"output": v5()}, {}, "does not name its classes"),
        ({"output0": v8()}, {"names": {0: "one"}}, "has 7 channels, but 1 labels"),
        ({"output0": np.zeros((1, 3), np.float32)}, {**ULTRALYTICS, "task": "classify"}, "task is 'classify'"),
        ({"output": np.zeros((1, 3, 40, 40, 8), np.float32)}, {"names": NAMES}, "--grid"),
        ({"output": v5()[:, :ANCHORS]}, {"names": NAMES}, "as YOLOX does"),
        ({"output0": final() / 640}, {**ULTRALYTICS, "end2end": True}, r"between 0 and 1.*best\.pt"),
        ({"output0": final()}, {**ULTRALYTICS, "task": "detect", "head": "RTDETRDecoder"}, "as RT-DETR's do"),
    ],
)
def test_a_graph_that_cannot_be_read_is_refused_at_start(yolo: Any, outputs: Any, metadata: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        yolo(outputs, metadata)


def test_a_graph_of_bytes_is_refused(create: Any, tmp_path: Path) -> None:
    """YOLO-NAS is exported so."""
    file = tmp_path / "bytes.onnx"
    info = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.UINT8, [1, 3, 32, 32])
    node = onnx.helper.make_node("Identity", ["x"], ["y"])
    taken = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.UINT8, [1, 3, 32, 32])
    opset = onnx.helper.make_opsetid("", tiny_onnx.OPSET)
    graph = onnx.helper.make_graph([node], "bytes", [taken], [info])
    onnx.save(onnx.helper.make_model(graph, opset_imports=[opset], ir_version=tiny_onnx.IR_VERSION), file)
    with pytest.raises(ValueError, match=r"tensor\(uint8\)"):
        create("yolo_onnx", weights=str(file))


def test_a_class_without_a_label_is_an_error(yolo: Any, detection: Any, picture: PIL.Image.Image) -> None:
    function = yolo({"output": v7_rows()}, {"names": {0: "cat"}})
    with pytest.raises(ValueError, match="class 2, but there are 1 labels"):
        function.detect(detection(), picture)


@pytest.mark.parametrize("task", ["detect", "pose"])
def test_classes_of_one_name_share_a_label_and_those_without_get_none(
    yolo: Any, detection: Any, picture: PIL.Image.Image, task: str
) -> None:
    """Names come as the training had them: twice, empty, with blanks around them that CVAT takes off, too long."""
    names = {0: "cat", 1: " cat ", 2: ""}
    output = v8(51) if task == "pose" else v8()
    more = {"kpt_shape": [17, 3]} if task == "pose" else {}
    function = yolo({"output0": output}, {**ULTRALYTICS, "task": task, **more, "names": names})
    assert [(label.name, label.id) for label in function.spec.labels] == [("cat", 0)]
    assert [shape.label_id for shape in function.detect(detection(), picture)] == [0, 0]
    function = yolo({"output0": output}, {**ULTRALYTICS, "task": task, **more, "names": {0: "", 1: "b", 2: "c" * 99}})
    assert [(label.name, label.id) for label in function.spec.labels] == [("b", 1), ("c" * 64, 2)]
    with pytest.raises(ValueError, match="names none of its classes"):
        yolo({"output0": output}, {**ULTRALYTICS, "task": task, **more, "names": {0: "", 1: "N/A", 2: " "}})


@pytest.mark.parametrize("graph", ["v8", "v5", "v8 with NMS", "v7 rows", "v7 lists"])
def test_a_graph_of_several_pictures_answers_for_the_first(
    yolo: Any, detection: Any, picture: PIL.Image.Image, graph: str
) -> None:
    """`yolo export batch=4` fixes their number; the other pictures' objects are not this one's."""
    outputs, metadata = GRAPHS[graph]
    four = {name: np.concatenate([output] + 3 * [output[:, ::-1]]) for name, output in outputs.items()}
    if graph == "v7 rows":
        strangers = v7_rows() + np.array([1, 9, 9, 9, 9, 0, 0], np.float32)
        four = {"output": np.concatenate([v7_rows(), strangers])}
    shapes = yolo(four, metadata, shape=[4, 3, 320, 320]).detect(detection(), picture)
    np.testing.assert_allclose([shape.points for shape in shapes], [box for _, box, _ in ANSWER], atol=1e-3)


def test_suppression_is_the_textbook_s() -> None:
    random = np.random.default_rng(4)
    corners = random.uniform(0, 100, (150, 2))
    sizes = random.uniform(10, 60, (150, 2))
    labels = random.integers(0, 2, 150)
    rows = np.column_stack([corners, corners + sizes, np.linspace(1, 0.1, 150), labels]).astype(np.float32)

    def overlap(a: np.ndarray, b: np.ndarray) -> float:
        side_x = min(a[2], b[2]) - max(a[0], b[0])
        side_y = min(a[3], b[3]) - max(a[1], b[1])
        common = max(side_x, 0) * max(side_y, 0)
        return common / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common)

    kept: list[int] = []
    for index, row in enumerate(rows):
        if all(rows[k][5] != row[5] or overlap(rows[k], row) <= 0.45 for k in kept):
            kept.append(index)
    assert 20 < len(kept) < 120
    assert nms(rows, 0.45, 1000) == kept
    assert nms(rows, 0.45, 10) == kept[:10]


def test_prob_iou_is_one_minus_the_hellinger_distance() -> None:
    boxes = np.array([[0, 0, 20, 8, 0.3], [3, 2, 16, 10, 1.2], [30, -5, 12, 9, 2.0]], np.float64)
    step = 0.1
    grid = np.stack(np.meshgrid(np.arange(-60, 60, step), np.arange(-60, 60, step)), -1)

    def density(box: np.ndarray) -> np.ndarray:
        c, s = math.cos(box[4]), math.sin(box[4])
        turned = (grid - box[:2]) @ np.array([[c, -s], [s, c]])
        variance = box[2:4] ** 2 / 12
        return np.exp(-(turned**2 / variance).sum(-1) / 2) / (2 * math.pi * math.sqrt(variance.prod()))

    for other in (1, 2):
        affinity = np.sqrt(density(boxes[0]) * density(boxes[other])).sum() * step * step
        expected = 1 - math.sqrt(max(1 - affinity, 0))
        assert prob_iou(boxes[0], boxes[other : other + 1])[0] == pytest.approx(expected, abs=1e-3)
    assert prob_iou(boxes[0], boxes[:1])[0] == pytest.approx(1, abs=1e-6)
