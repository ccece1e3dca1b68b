"""What a network of Ultralytics finds: boxes, rotated boxes, masks, skeletons or tags, by YOLO, RT-DETR, World, YOLOE.

Ultralytics' package is AGPL-3.0, or under a licence that you bought: it is no dependency of cvat-nuclio, and is in an
image only because you chose this function. `model` is a checkpoint (`best.pt`); Ultralytics makes an untrained network
of a description (`.yaml`), which is good for a trial alone.
`labels` are phrases for World and YOLOE, which find what words name; what reads them is needed once, where the function
is first loaded, and in no image (see `ultralytics_words`).

    cvat-cli function create-native NAME --function-module cvat_functions.ultralytics_yolo -p model=str:best.pt
"""

import math
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cvat_sdk.auto_annotation as cvataa
import PIL.Image

# Read when the package is imported. A checkpoint is a pickle: of classes that are none of Ultralytics' or PyTorch's
# nothing is made, and packages that it names are not installed. ULTRALYTICS_SAFE_LOAD=0 is for one that you trust.
os.environ.setdefault("ULTRALYTICS_SAFE_LOAD", "1")
os.environ.setdefault("YOLO_AUTOINSTALL", "false")

from ultralytics import YOLO

from cvat_functions.on_torch import device_of, report
from cvat_functions.shared import check_sum, classes_of, phrases, shapes_of, to_rgb
from cvat_functions.skeletons import labels_for, names_of, skeleton
from cvat_functions.ultralytics_words import teach

KINDS = {"detect": "rectangle", "obb": "rectangle", "segment": "mask", "classify": "tag", "pose": "skeleton"}
#: A point that is less sure than this is outside.
VISIBLE = 0.5


class Yolo:
    """The detector over one network."""

    def __init__(self, model: Any, device: Any, confidence: float, imgsz: int | None) -> None:
        self._model, self._device, self._confidence = model, device, confidence
        self._size = {} if imgsz is None else {"imgsz": imgsz}
        names, self._label_of = classes_of(model.names)
        points = names_of(int(model.model.kpt_shape[0])) if model.task == "pose" else None
        self.spec = cvataa.DetectionFunctionSpec(labels=labels_for(names, KINDS[model.task], points))

    def detect(self, context: cvataa.DetectionFunctionContext, image: PIL.Image.Image) -> list[Any]:
        """Everything at least as sure as the context's threshold, else as `confidence`."""
        threshold = self._confidence if context.conf_threshold is None else context.conf_threshold
        found = self._model.predict(
            to_rgb(image), conf=threshold, device=self._device, verbose=False, retina_masks=True, **self._size
        )[0]
        if self._model.task == "classify":
            best = self._label_of.get(int(found.probs.top1))
            return [] if best is None or float(found.probs.top1conf) < threshold else [cvataa.tag(best)]
        return list(self._shapes(found, context.conv_mask_to_poly))

    def _shapes(self, found: Any, as_polygons: bool) -> Iterator[Any]:
        if found.obb is not None:
            for (x, y, width, height, turn), number in zip(found.obb.xywhr.tolist(), found.obb.cls.int(), strict=True):
                corners = [x - width / 2, y - height / 2, x + width / 2, y + height / 2]
                if (label := self._label_of.get(int(number))) is not None:
                    yield cvataa.rectangle(label, corners, rotation=math.degrees(turn) % 360)
            return
        for index, number in enumerate(found.boxes.cls.int().tolist()):
            label = self._label_of.get(number)
            if label is None:
                continue
            if found.keypoints is not None:
                points = found.keypoints.data[index].cpu().numpy()
                yield skeleton(label, points[:, :2], points[:, 2] if points.shape[1] == 3 else None, VISIBLE)
            elif found.masks is not None:
                yield from shapes_of(label, found.masks.data[index].cpu().numpy() > 0, as_polygons)
            else:
                yield cvataa.rectangle(label, found.boxes.xyxy[index].tolist())


def create(
    model: str, labels: str | None = None, sha256: str | None = None, confidence: float = 0.25,
    imgsz: int | None = None, device: str | None = None,
) -> Yolo:  # fmt: skip
    """The detector with the weights of `model`; `imgsz` in pixels, by itself the network's own.

    On CUDA where torch sees it, unless `device` says otherwise. Raises as `teach`.
    """
    started, place = time.monotonic(), device_of(device)
    check_sum(model, sha256)
    network = YOLO(model)
    teach(network, Path(model), None if labels is None else phrases(labels))
    function = Yolo(network, place, confidence, imgsz)
    report(f"{model}: {network.task}, {len(function.spec.labels)} labels", place, started)
    return function
