"""Cuts out what points and a box mark, by any promptable segmentation of transformers: SAM, SAM-HQ, SAM 2 and 2.1,
EdgeTAM, SAM 3's tracker.

    cvat-cli function create-native NAME --function-module cvat_functions.transformers_sam \
        -p model=str:facebook/sam2.1-hiera-small
"""

import time
from typing import Final

import torch
from transformers import (
    AutoModelForMaskGeneration,
    Sam2Processor,
    Sam3TrackerProcessor,
    SamHQProcessor,
    SamProcessor,
)

from cvat_functions.hub import pretrained, verify
from cvat_functions.on_torch import device_of, report
from cvat_functions.sam_interactor import Interactor

#: By the network's class. A repository may name another: SAM 2's name the one for video.
PROCESSORS: Final = {
    "SamModel": SamProcessor,
    "SamHQModel": SamHQProcessor,
    "Sam2Model": Sam2Processor,
    "EdgeTamModel": Sam2Processor,
    "Sam3TrackerModel": Sam3TrackerProcessor,
}


def create(
    model: str, revision: str | None = None, sha256: str | None = None, device: str | None = None
) -> Interactor:  # fmt: skip
    """The interactor with the weights of `model`; on CUDA where torch sees it, unless `device` says otherwise."""
    started, place = time.monotonic(), device_of(device)
    verify(model, sha256, revision)
    network = pretrained(AutoModelForMaskGeneration, model, revision, dtype=torch.float32)
    processor = pretrained(PROCESSORS[type(network).__name__], model, revision)
    function = Interactor(network, processor, place)
    report(f"{model}: {type(network).__name__}", place, started)
    return function
