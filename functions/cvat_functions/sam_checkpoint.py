"""Segment Anything (SAM) as an interactor, from the checkpoints of facebookresearch/segment-anything
(`sam_vit_b_01ec64.pth`, its larger sisters, and models fine-tuned from them).

    cvat-cli function create-native NAME --function-module cvat_functions.sam_checkpoint \
        -p weights=str:sam_vit_b_01ec64.pth
"""

import time

from transformers import SamImageProcessorPil, SamProcessor

from cvat_functions.on_torch import device_of, report
from cvat_functions.sam_interactor import Interactor
from cvat_functions.sam_original import load_model
from cvat_functions.shared import file_of


def create(weights: str, device: str | None = None) -> Interactor:
    """The interactor with the checkpoint in the file `weights`; on CUDA where torch sees it, unless `device` says
    otherwise."""
    started, place = time.monotonic(), device_of(device)
    file = file_of(weights, "weights")
    network = load_model(file)
    side = network.config.vision_config.image_size
    # Pillow's resampling, as the original has it.
    pictures = SamImageProcessorPil(size={"longest_edge": side}, pad_size={"height": side, "width": side})
    function = Interactor(network, SamProcessor(pictures), place)
    report(f"{file.name}: SAM", place, started)
    return function
