"""`cvat_functions.mask_rcnn_openvino` over graphs with the outputs of three families and answers known beforehand."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from cvat_sdk.masks import decode_mask

onnx = pytest.importorskip("onnx")
openvino = pytest.importorskip("openvino")

from tools import tiny_onnx  # noqa: E402

#: Boxes in the 640 x 320 picture, labels as the graph counts (1 is the first name), scores.
FOUND = [
    ((100.0, 40.0, 300.0, 200.0), 2, 0.9),
    ((400.0, 100.0, 700.0, 310.0), 1, 0.6),
    ((10.0, 10.0, 60.0, 60.0), 3, 0.1),
]


def left_half(side: int) -> np.ndarray:
    mask = np.zeros((side, side), np.float32)
    mask[:, : side // 2] = 1
    return mask


def rows_outputs() -> dict[str, np.ndarray]:
    """Open Model Zoo's TensorFlow networks: relative corners, a mask for each of 3 classes, an end mark."""
    rows = np.zeros((5, 7), np.float32)
    rows[3:, 0] = -1
    masks = np.zeros((5, 3, 33, 33), np.float32)
    for place, (box, label, score) in enumerate(FOUND):
        rows[place] = [0, label, score, *(np.reshape(box, (2, 2)) / (640, 320)).ravel()]
        masks[place, label - 1] = left_half(33)
    return {"reshape_do_2d": rows, "masks": masks}


def lists_outputs(whole: bool) -> dict[str, np.ndarray]:
    """torchvision's (masks of the whole input) or the ONNX Model Zoo's (masks of the boxes), for a 320 x 160 input."""
    boxes = np.array([box for box, _, _ in FOUND], np.float32) / 2
    if whole:
        masks = np.zeros((3, 1, 160, 320), np.float32)
        for place, (x1, y1, x2, y2) in enumerate(boxes.astype(int)):
            masks[place, 0, y1:y2, x1 : (x1 + x2) // 2] = 1
    else:
        masks = np.stack([left_half(28)[None]] * 3)
    labels, scores = np.array([label for _, label, _ in FOUND]), np.array([score for _, _, score in FOUND], np.float32)
    return {"boxes": boxes, "labels": labels, "scores": scores, "masks": masks}


def security_outputs() -> dict[str, np.ndarray]:
    """Open Model Zoo's instance-segmentation-security networks: labels count from 0."""
    boxes = np.array([[*np.array(box) / 2, score] for box, _, score in FOUND], np.float32)
    labels = np.array([label - 1 for _, label, _ in FOUND], np.int32)
    return {"labels": labels, "boxes": boxes, "masks": np.stack([left_half(28)] * 3)}


GRAPHS: dict[str, tuple[dict[str, np.ndarray], dict[str, Any]]] = {
    "rows": (rows_outputs(), {"image_tensor": [1, 3, 160, 320]}),
    # As mask_rcnn_inception_resnet_v2_atrous_coco's 800 x 1365: no whole number of the network's cells.
    "rows, sides no multiple of 32": (rows_outputs(), {"image_tensor": [1, 3, 150, 341]}),
    "rows with image_info": (rows_outputs(), {"image_tensor": [1, 3, 160, 320], "image_info": [1, 3]}),
    "lists, masks of the input": (lists_outputs(whole=True), {"images": [1, 3, 160, 320]}),
    "lists, masks of boxes": (lists_outputs(whole=False), {"image": [3, 160, 320]}),
    "lists, any size": (lists_outputs(whole=False), {"image": [3, "height", "width"]}),
    "security": (security_outputs(), {"image": [1, 3, 160, 320]}),
}


@pytest.fixture
def mask_rcnn(create: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    def mask_rcnn(outputs: dict[str, np.ndarray], inputs: dict[str, Any], form: str = "onnx", **more: Any) -> Any:
        file = tiny_onnx.constants(tmp_path / "tiny.onnx", outputs, inputs)
        if form == "xml":
            openvino.save_model(openvino.Core().read_model(file), tmp_path / "tiny.xml")
            file = tmp_path / "tiny.xml"
        (tmp_path / "names.txt").write_text("cat\ndog\nowl\n")
        return create("mask_rcnn_openvino", weights=str(file), labels=str(tmp_path / "names.txt"), **more)

    return mask_rcnn


@pytest.mark.parametrize("graph", GRAPHS)
@pytest.mark.parametrize("form", ["onnx", "xml"])
def test_every_family_gives_the_same_masks(mask_rcnn: Any, detection: Any, picture: Any, graph: str, form: str) -> None:
    sides = {"min_side": 160, "max_side": 320} if graph == "lists, any size" else {}
    function = mask_rcnn(*GRAPHS[graph], form=form, **sides)
    names = {label.id: label.name for label in function.spec.labels}
    assert {label.type for label in function.spec.labels} == {"mask"}
    shapes = function.detect(detection(), picture)
    assert [names[shape.label_id] for shape in shapes] == ["dog", "cat"]
    for shape, ((x1, y1, x2, y2), _, _) in zip(shapes, FOUND[:2], strict=True):
        mask = decode_mask(shape.points, image_width=640, image_height=320)
        wanted = np.zeros((320, 640), bool)
        wanted[int(y1) : int(y2), int(x1) : int(x1 + x2) // 2] = True
        assert (mask & wanted).sum() / (mask | wanted).sum() > 0.95


def test_thresholds_and_polygons(mask_rcnn: Any, detection: Any, picture: Any) -> None:
    function = mask_rcnn(*GRAPHS["rows"])
    assert len(function.detect(detection(conf_threshold=0.05), picture)) == 3
    (polygon,) = function.detect(detection(conf_threshold=0.7, conv_mask_to_poly=True), picture)
    corners = np.reshape(polygon.points, (-1, 2))
    np.testing.assert_allclose([*corners.min(0), *corners.max(0)], [100, 40, 199, 199], atol=4)


def test_bars_instead_of_stretching(mask_rcnn: Any, detection: Any) -> None:
    function = mask_rcnn(*GRAPHS["security"], keep_ratio=True)
    # 640 x 640 becomes 160 x 160 of the 320 x 160 input: its pixels are four of the picture's.
    (shape, *_) = function.detect(detection(), PIL.Image.new("RGB", (640, 640)))
    np.testing.assert_allclose(shape.points[-4:], [200, 80, 399, 399], atol=4)


@pytest.mark.parametrize(
    ("family", "seen"), [("rows", [60, 130, 250]), ("lists, masks of boxes", [250 / 255, 130 / 255, 60 / 255])]
)
def test_colours_as_each_family_wants_them(
    mask_rcnn: Any, detection: Any, monkeypatch: Any, family: str, seen: Any
) -> None:
    function = mask_rcnn(*GRAPHS[family])
    network, fed = function._network, []

    class Spy:
        fixed = network.fixed

        def __call__(self, pixels: np.ndarray) -> Any:
            fed.append(pixels)
            return network(pixels)

    monkeypatch.setattr(function, "_network", Spy())
    function.detect(detection(), PIL.Image.new("RGB", (640, 320), (250, 130, 60)))
    assert fed[0].shape == (160, 320, 3)
    np.testing.assert_allclose(fed[0][80, 160], seen, rtol=1e-6)


def test_coco_s_names_leave_out_the_blanks(create: Any, repository: Path, tmp_path: Path) -> None:
    file = tiny_onnx.constants(tmp_path / "tiny.onnx", *GRAPHS["rows"])
    names = repository / "serverless/openvino/mask-rcnn/nuclio/coco_90.txt"
    labels = create("mask_rcnn_openvino", weights=str(file), labels=str(names)).spec.labels
    assert len(labels) == 80
    assert {label.id: label.name for label in labels}[90] == "toothbrush"
    assert (labels[0].id, labels[0].name) == (1, "person")


def test_other_outputs_are_refused(mask_rcnn: Any) -> None:
    with pytest.raises(ValueError, match=r"the outputs \[\[1, 84, 2100\]\] are not those of a Mask R-CNN"):
        mask_rcnn({"output0": np.zeros((1, 84, 2100), np.float32)}, {"images": [1, 3, 160, 320]})


def test_a_class_without_a_name_is_an_error(mask_rcnn: Any, detection: Any, picture: Any) -> None:
    function = mask_rcnn(*GRAPHS["rows"], first=0)
    with pytest.raises(ValueError, match="found class 3"):
        function.detect(detection(conf_threshold=0.05), picture)


@pytest.mark.parametrize("missing", ["weights", "labels"])
def test_missing_files_say_where_to_put_them(create: Any, missing: str) -> None:
    given = {"weights": __file__, "labels": __file__, missing: "nowhere.txt"}
    with pytest.raises(FileNotFoundError, match=rf"no file '.*nowhere\.txt'.*-p {missing}=file:"):
        create("mask_rcnn_openvino", **given)
