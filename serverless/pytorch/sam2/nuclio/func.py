"""Segment Anything 2 (SAM 2) as an interactor: points, a box, or both, to a mask.

Any SAM 2 or 2.1 in the form of the Hugging Face hub: `facebook/sam2.1-hiera-tiny`, its larger sisters, or a folder
with `config.json` and `model.safetensors`. The picture is embedded once in `preprocess_image`, so that each further
click costs milliseconds.

    cvat-cli function create-native NAME --function-file func.py -p model=str:facebook/sam2.1-hiera-tiny
"""

import os
import sys
import time
from pathlib import Path
from typing import Any, Final

import attrs
import cvat_sdk.auto_annotation as cvataa
import numpy as np
import numpy.typing as npt
import PIL.Image
import torch
import torch.nn.functional
from cvat_sdk.masks import encode_mask
from transformers import Sam2Model

#: ImageNet's, for values between 0 and 1.
MEAN: Final = (0.485, 0.456, 0.406)
DEVIATION: Final = (0.229, 0.224, 0.225)


@attrs.frozen(eq=False)
class Embedded:
    """A picture as the encoder leaves it: three levels of (1, C, h, w), finest first, and the picture's size."""

    levels: list[torch.Tensor]
    size: tuple[int, int]


class Sam2Function:
    """The interactor over one model."""

    spec = cvataa.InteractionFunctionSpec(min_pos_points=0, min_neg_points=0, min_bounding_boxes=0)

    def __init__(self, model: Sam2Model, device: torch.device) -> None:
        self._model = model.to(device).eval()
        self._device = device
        self._side = int(self._model.prompt_encoder.image_embedding_size[0]) * 16

    @torch.inference_mode()
    def preprocess_image(self, context: cvataa.InteractionFunctionContext, image: PIL.Image.Image) -> Embedded:
        """Embeds the picture, stretched to the network's square; all but milliseconds of the work."""
        square = to_rgb(image).resize((self._side, self._side), PIL.Image.Resampling.BILINEAR)
        pixels = (np.asarray(square, np.float32) / 255 - MEAN) / DEVIATION
        batch = torch.from_numpy(pixels).to(self._device, torch.float32).permute(2, 0, 1)[None]
        return Embedded(self._model.get_image_embeddings(batch), image.size)

    @torch.inference_mode()
    def detect(
        self, context: cvataa.InteractionFunctionContext, pp_image: Embedded, prompts: cvataa.InteractionPrompts
    ) -> list[cvataa.InteractionResultShape]:
        """One mask, or none.

        One click says little: of the three masks that SAM 2 then offers, the one that it rates best is taken. With
        more prompts it is SAM 2's single mask, as its authors advise. No confidence is given: CVAT hides what is below
        0.5, and SAM 2's rating is of the mask's outline, not of whether the click was understood.
        """
        given = self._prompts(pp_image.size, prompts)
        if given is None:
            return []
        single = "input_points" in given and given["input_points"].shape[2] == 1 and "input_boxes" not in given
        answer = self._model(image_embeddings=[*pp_image.levels], multimask_output=single, **given)
        best = int(answer.iou_scores[0, 0].argmax())
        width, height = pp_image.size
        logits = answer.pred_masks[0, 0, best][None, None].float()
        bitmap = torch.nn.functional.interpolate(logits, (height, width), mode="bilinear")[0, 0] > 0
        mask: npt.NDArray[np.bool_] = np.asarray(bitmap.cpu())
        if not mask.any():
            return []
        return [cvataa.InteractionResultShape(type="mask", points=encode_mask(mask))]

    def _prompts(self, size: tuple[int, int], prompts: cvataa.InteractionPrompts) -> dict[str, torch.Tensor] | None:
        scale = np.divide(self._side, size)

        def tensor(values: Any, *shape: int) -> torch.Tensor:
            return torch.as_tensor(np.array(values, np.float32) * scale, dtype=torch.float32).reshape(shape)

        points = [*prompts.pos_points, *prompts.neg_points]
        if not prompts.pos_points and prompts.bounding_box is None:
            return None
        given: dict[str, torch.Tensor] = {}
        if points:
            labels = [1] * len(prompts.pos_points) + [0] * len(prompts.neg_points)
            given["input_points"] = tensor(points, 1, 1, -1, 2)
            given["input_labels"] = torch.tensor(labels, dtype=torch.int32).reshape(1, 1, -1)
        if prompts.bounding_box is not None:
            given["input_boxes"] = tensor(np.sort(prompts.bounding_box, axis=0), 1, 1, 4)
        return {name: value.to(self._device) for name, value in given.items()}


# As in other functions' files, too: cvat-cli loads one file, which has no neighbours to import.
def to_rgb(image: PIL.Image.Image) -> PIL.Image.Image:
    """Three bytes a pixel from any mode; sixteen bits are scaled, which Pillow's `convert` would cut off."""
    if image.mode == "F" or image.mode.startswith("I"):
        grey = np.asarray(image, np.float32)
        image = PIL.Image.fromarray((grey / (257 if grey.max() > 255 else 1)).clip(0, 255).astype(np.uint8))
    return image.convert("RGB")


def load_model(kind: Any, model: str) -> Any:
    """`kind` with the weights of a folder beside this module, or else of a folder or a model of the hub."""
    beside = Path(__file__).resolve().parent / model
    source = str(beside) if (beside / "config.json").is_file() else model
    try:
        return kind.from_pretrained(source, dtype=torch.float32)
    except OSError as fault:
        cache = os.environ.get("HF_HOME", "~/.cache/huggingface")
        raise FileNotFoundError(
            f"no model {model!r} beside the function, in the working directory or in the cache of the Hugging Face hub "
            f"({cache}): let the image fetch it while it is built (generate --bake), lay its folder with config.json "
            "and model.safetensors beside the function, or name another with -p model=str:FOLDER"
        ) from fault


def describe(device: torch.device) -> str:
    """The device, for the log."""
    if device.type != "cuda":
        return f"cpu, {torch.get_num_threads()} threads"
    free, total = torch.cuda.mem_get_info(device)
    return f"{torch.cuda.get_device_name(device)}, {free / 2**30:.1f} of {total / 2**30:.1f} GiB free"


def create(model: str = "facebook/sam2.1-hiera-tiny", device: str | None = None) -> Sam2Function:
    """The interactor with the weights of `model`; on CUDA where torch sees it, unless `device` says otherwise."""
    started = time.monotonic()
    chosen = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    function = Sam2Function(load_model(Sam2Model, model), chosen)
    seconds = time.monotonic() - started
    print(f"{model}: SAM 2 loaded in {seconds:.1f} s, on {describe(chosen)}", file=sys.stderr, flush=True)
    return function
