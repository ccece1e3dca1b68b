"""`python -m tools.ultralytics_family`: `cvat_functions.ultralytics_yolo` beside Ultralytics' own `predict`, by hand.

Ultralytics' package is AGPL-3.0 and no dependency of this project: run this in an environment of its own that has it.
Networks of each kind are made from Ultralytics' descriptions with random weights, saved as it saves them, recognised as
`generate --model` does, loaded by the function, and asked about one picture. Exits 1 where the answers differ.
"""

import math
import sys
import tempfile
from pathlib import Path
from typing import Any

import attrs
import cvat_sdk.auto_annotation as cvataa
import numpy as np
import PIL.Image
import torch
from cvat_sdk.masks import decode_mask

from cvat_nuclio.models.recognise import recognise

KINDS = ("yolo11n.yaml", "yolov8n.yaml", "yolo26n.yaml", "yolo11n-seg.yaml", "yolo11n-pose.yaml", "yolo11n-obb.yaml",
         "yolo11n-cls.yaml", "rtdetr-l.yaml")  # fmt: skip


@attrs.frozen
class Context(cvataa.DetectionFunctionContext):  # type: ignore[misc]
    """Everything that a network of random weights finds."""

    frame_name: str = "frame.png"
    conf_threshold: float | None = 0.001
    conv_mask_to_poly: bool = False


def main() -> int:
    """One line for each kind; the status."""
    noise = np.random.default_rng(0).integers(0, 255, (12, 20, 3), np.uint8)
    picture = PIL.Image.fromarray(noise).resize((500, 300))
    bad = 0
    for kind in KINDS:
        with tempfile.TemporaryDirectory() as folder:
            equal, count = compare(kind, Path(folder), picture)
        bad += not equal
        print(f"{kind}: {count} found, {'as predict' if equal else 'NOT as predict'}")
    return int(bad > 0)


def compare(kind: str, folder: Path, picture: PIL.Image.Image) -> tuple[bool, int]:
    """Whether both find the same, and how much."""
    import ultralytics

    torch.manual_seed(0)
    network = (ultralytics.RTDETR if kind.startswith("rtdetr") else ultralytics.YOLO)(kind)
    lively(network.model)
    network.save(str(folder / "best.pt"))
    chosen = recognise(str(folder / "best.pt"))
    if chosen.module != "ultralytics_yolo":
        return False, 0

    from cvat_functions import ultralytics_yolo

    function = ultralytics_yolo.create(str(folder / "best.pt"), device="cpu")
    found = function.detect(Context(), picture)
    again = (ultralytics.RTDETR if kind.startswith("rtdetr") else ultralytics.YOLO)(str(folder / "best.pt"))
    wanted = again.predict(picture, conf=0.001, verbose=False, retina_masks=True, device="cpu")[0]
    return same(found, wanted, picture), len(found)


def lively(model: Any) -> None:
    """Biases for classes that random weights would never reach."""
    with torch.no_grad():
        for name, value in model.named_parameters():
            if value.ndim == 1 and "cv3" in name and name.endswith("bias"):
                value.add_(4)


def same(found: list[Any], wanted: Any, picture: PIL.Image.Image) -> bool:
    """Compared by what CVAT keeps: corners, turns, points, masks, names."""
    if wanted.probs is not None:
        return bool(len(found) == 1 and found[0].label_id == wanted.probs.top1)
    if wanted.obb is not None:
        turns = [math.degrees(turn) % 360 for turn in wanted.obb.xywhr[:, 4].tolist()]
        return len(found) == len(turns) > 0 and np.allclose([shape.rotation for shape in found], turns)
    numbers = wanted.boxes.cls.int().tolist()
    if wanted.keypoints is not None:
        points = [[element.points for element in shape.elements] for shape in found]
        return len(points) > 0 and np.allclose(points, wanted.keypoints.xy.numpy())
    if wanted.masks is not None:
        size = {"image_width": picture.width, "image_height": picture.height}
        masks = [decode_mask(shape.points, **size) for shape in found]
        full = [mask.numpy() > 0 for mask in wanted.masks.data if mask.any()]
        return len(masks) == len(full) > 0 and all((a == b).all() for a, b in zip(masks, full, strict=True))
    boxes = [shape.points for shape in found]
    labels = [shape.label_id for shape in found]
    return len(boxes) > 0 and labels == numbers and np.allclose(boxes, wanted.boxes.xyxy.numpy())


if __name__ == "__main__":
    sys.exit(main())
