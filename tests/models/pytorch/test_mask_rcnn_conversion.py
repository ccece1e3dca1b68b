"""`cvat_functions.mask_rcnn_openvino` over torchvision's own network, converted by OpenVINO."""

from typing import Any

import numpy as np
import pytest
from cvat_sdk.masks import decode_mask

torch = pytest.importorskip("torch")
torchvision = pytest.importorskip("torchvision")
openvino = pytest.importorskip("openvino")

from tools import openvino_mask_rcnn, random_checkpoints  # noqa: E402

#: Two engines add up in another order, as wide as the processor's registers: measured, a probability moves by 0.0002
#: through this network. A pixel as near to the level as this may fall on either side.
UNDECIDED = 0.01


@pytest.fixture
def single_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a processor has bfloat16 or float16, OpenVINO computes in it unless told otherwise."""
    compile_model = openvino.Core.compile_model

    def compile_exactly(core: Any, model: Any, device: str, config: dict[str, Any]) -> Any:
        return compile_model(core, model, device, {**config, "INFERENCE_PRECISION_HINT": "f32"})

    monkeypatch.setattr(openvino.Core, "compile_model", compile_exactly)


@pytest.mark.filterwarnings("ignore")  # what tracing says of torchvision's code
@pytest.mark.usefixtures("single_precision")
def test_torchvision_s_network_converted_by_openvino(create: Any, detection: Any, picture: Any, tmp_path: Any) -> None:
    torch.manual_seed(0)
    model = torchvision.models.detection.maskrcnn_resnet50_fpn(
        weights=None, weights_backbone=None, num_classes=4, min_size=160, max_size=320, box_detections_per_img=5
    ).eval()
    random_checkpoints.opinionated(model)
    # Random networks move boxes until nothing is left of them: these stay where the anchors are.
    with torch.no_grad():
        for layer in (model.rpn.head.bbox_pred, model.roi_heads.box_predictor.bbox_pred):
            layer.weight.zero_()
            layer.bias.zero_()
    # Weights in half precision, as an IR has them by default, move probabilities by 0.04, and boxes change places.
    file = openvino_mask_rcnn.save(model, 320, 160, tmp_path / "torchvision.xml", half=False)
    (tmp_path / "names.txt").write_text("cat\ndog\nowl\n")
    function = create("mask_rcnn_openvino", weights=str(file), labels=str(tmp_path / "names.txt"))
    seen = picture.resize((320, 160))
    shapes = function.detect(detection(), seen)
    with torch.inference_mode():
        (wanted,) = model([torchvision.transforms.functional.to_tensor(seen)])
    probabilities = wanted["masks"][:, 0].numpy()
    for (x1, y1, x2, y2), mask in zip(wanted["boxes"].numpy(), probabilities, strict=True):
        # torchvision's spill over the box's border.
        mask[: int(y1)], mask[int(np.ceil(y2)) :] = 0, 0
        mask[:, : int(x1)], mask[:, int(np.ceil(x2)) :] = 0, 0
    probabilities = [mask for mask in probabilities if (mask > 0.5).any()]
    assert len(shapes) == len(probabilities) > 1
    seen_pixels = sum((mask > 0.5).sum() for mask in probabilities)
    undecided = [abs(mask - 0.5) < UNDECIDED for mask in probabilities]
    assert seen_pixels > 200
    assert sum(near.sum() for near in undecided) < 0.1 * seen_pixels
    for shape, mask, near in zip(shapes, probabilities, undecided, strict=True):
        given = decode_mask(shape.points, image_width=320, image_height=160)
        assert not ((given ^ (mask > 0.5)) & ~near).any()
