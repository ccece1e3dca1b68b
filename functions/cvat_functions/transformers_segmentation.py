"""Objects and regions with masks, by any segmentation network of transformers: Mask2Former, MaskFormer, EoMT,
RF-DETR, SegFormer, UPerNet, DPT, BEiT, MobileViT.

`task` is instance, panoptic or semantic; by itself, what the network's name says, and instances where it says nothing.
A semantic answer is one mask for each label that is in the picture.

    cvat-cli function create-native NAME --function-module cvat_functions.transformers_segmentation \
        -p model=str:facebook/mask2former-swin-tiny-coco-instance
"""

import inspect
from collections.abc import Iterator
from typing import Any

import cvat_sdk.auto_annotation as cvataa
import numpy as np
import PIL.Image
import torch
from transformers import (
    AutoConfig,
    AutoImageProcessor,
    AutoModelForInstanceSegmentation,
    AutoModelForSemanticSegmentation,
    AutoModelForUniversalSegmentation,
)

from cvat_functions.hub import Loaded, load, pretrained
from cvat_functions.shared import Bitmap, labels_of, shapes_of, to_rgb

TASKS = ("instance", "panoptic", "semantic")
KINDS = (AutoModelForSemanticSegmentation, AutoModelForUniversalSegmentation, AutoModelForInstanceSegmentation)


class Segmenter:
    """The detector over one network and its preprocessing."""

    def __init__(self, loaded: Loaded, task: str, confidence: float) -> None:
        self._loaded, self._task, self._confidence = loaded, task, confidence
        labels, self._label_of = labels_of(loaded.network.config.id2label, "mask", ["background"])
        self.spec = cvataa.DetectionFunctionSpec(labels=labels)
        self._decode = getattr(loaded.processor, f"post_process_{task}_segmentation")
        # Networks whose instances may overlap: a map of one number a pixel would cut them.
        apart = task == "instance" and "return_binary_maps" in inspect.signature(self._decode).parameters
        self._options = {"return_binary_maps": True} if apart else {}

    @torch.inference_mode()
    def detect(self, context: cvataa.DetectionFunctionContext, image: PIL.Image.Image) -> list[Any]:
        """Masks in no order; the threshold counts for instances and panoptic segments."""
        threshold = self._confidence if context.conf_threshold is None else context.conf_threshold
        answer = self._loaded.network(**self._loaded.inputs(images=to_rgb(image)))
        found = self._regions(answer, threshold, (image.height, image.width))
        return [
            shape
            for number, bitmap in found
            if number in self._label_of
            for shape in shapes_of(self._label_of[number], bitmap, context.conv_mask_to_poly)
        ]

    def _regions(self, answer: Any, threshold: float, size: tuple[int, int]) -> Iterator[tuple[int, Bitmap]]:
        """Each class with a bitmap of the picture's size."""
        if self._task == "semantic":
            classes = self._decode(answer, target_sizes=[size])[0].cpu().numpy()
            yield from ((int(number), classes == number) for number in np.unique(classes))
            return
        found = self._decode(answer, threshold=threshold, target_sizes=[size], **self._options)[0]
        segments = np.asarray(found["segmentation"].cpu())
        for index, info in enumerate(found["segments_info"]):
            yield int(info["label_id"]), segments[index] > 0 if segments.ndim == 3 else segments == info["id"]


def task_of(loaded: Loaded, model: str) -> str:
    """What the network is for: by its class or its preprocessing where they say it, else by its name."""
    mapped = type(loaded.network.config)
    # EoMT cuts a picture into parts for regions alone: no object of two parts could be put together.
    if mapped in AutoModelForSemanticSegmentation._model_mapping or getattr(loaded.processor, "do_split_image", False):
        return "semantic"
    if mapped not in AutoModelForUniversalSegmentation._model_mapping:
        return "instance"
    return next((task for task in TASKS if task in model.lower()), "semantic" if "ade" in model.lower() else "instance")


def create(
    model: str, revision: str | None = None, sha256: str | None = None, task: str | None = None,
    confidence: float = 0.5, device: str | None = None,
) -> Segmenter:  # fmt: skip
    """The detector with the weights of `model`; on CUDA where torch sees it, unless `device` says otherwise.

    ValueError for a `task` that is none.
    """
    if task and task not in TASKS:
        raise ValueError(f"task is {task!r}: {', '.join(TASKS)}")
    config = pretrained(AutoConfig, model, revision)
    kind = next((kind for kind in KINDS if type(config) in kind._model_mapping), AutoModelForInstanceSegmentation)
    loaded = load(kind, AutoImageProcessor, model, revision, sha256, device)
    return Segmenter(loaded, task or task_of(loaded, model), confidence)
