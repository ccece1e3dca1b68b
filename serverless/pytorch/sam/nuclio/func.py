"""Segment Anything (SAM) as an interactor: points, a box, or both, to a mask.

Reads the checkpoints of facebookresearch/segment-anything (`sam_vit_b_01ec64.pth` and its larger sisters, and models
fine-tuned from them) into the architecture that transformers carries; sizes are read from the checkpoint.
The picture is embedded once in `preprocess_image`, so that each further click costs milliseconds.

    cvat-cli function create-native NAME --function-file func.py -p weights=str:sam_vit_b_01ec64.pth
"""

import re
import sys
import time
from collections.abc import Mapping
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
from transformers import SamConfig, SamModel

MEAN: Final = (123.675, 116.28, 103.53)
DEVIATION: Final = (58.395, 57.12, 57.375)
#: Not told by any shape: the heads of the mask decoder's attention, equal in all of SAM's models.
DECODER_HEADS: Final = 8

#: Pairs of a pattern in the checkpoint's names and what transformers calls it; each is tried in this order.
RENAMED: Final = [
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"^image_encoder\.", "vision_encoder."),
        (r"^(vision_encoder\.)blocks\.", r"\1layers."),
        (r"\.patch_embed\.proj\.", ".patch_embed.projection."),
        (r"\.neck\.0\.", ".neck.conv1."),
        (r"\.neck\.1\.", ".neck.layer_norm1."),
        (r"\.neck\.2\.", ".neck.conv2."),
        (r"\.neck\.3\.", ".neck.layer_norm2."),
        (r"\.norm(\d)\.", r".layer_norm\1."),
        (r"\.norm_final_attn\.", ".layer_norm_final_attn."),
        (r"\.pe_layer\.positional_encoding_gaussian_matrix$", ".shared_embedding.positional_embedding"),
        (r"\.point_embeddings\.", ".point_embed."),
        (r"\.mask_downscaling\.0\.", ".mask_embed.conv1."),
        (r"\.mask_downscaling\.1\.", ".mask_embed.layer_norm1."),
        (r"\.mask_downscaling\.3\.", ".mask_embed.conv2."),
        (r"\.mask_downscaling\.4\.", ".mask_embed.layer_norm2."),
        (r"\.mask_downscaling\.6\.", ".mask_embed.conv3."),
        (r"\.output_upscaling\.0\.", ".upscale_conv1."),
        (r"\.output_upscaling\.1\.", ".upscale_layer_norm."),
        (r"\.output_upscaling\.3\.", ".upscale_conv2."),
        # Three layers: in, one hidden, out.
        (r"(_mlps\.\d+|iou_prediction_head)\.layers\.0\.", r"\1.proj_in."),
        (r"(_mlps\.\d+|iou_prediction_head)\.layers\.1\.", r"\1.layers.0."),
        (r"(_mlps\.\d+|iou_prediction_head)\.layers\.2\.", r"\1.proj_out."),
    )
]


def renamed(name: str) -> str:
    """What transformers calls a weight of the original checkpoint."""
    for pattern, replacement in RENAMED:
        name = pattern.sub(replacement, name)
    return name


def read_config(shapes: Mapping[str, tuple[int, ...]]) -> SamConfig:
    """The model's sizes, from the names and shapes of an original checkpoint. KeyError names what is not there."""
    dimension, _, patch, _ = shapes["image_encoder.patch_embed.proj.weight"]
    grid = shapes["image_encoder.pos_embed"][1]
    depth = _count(shapes, r"image_encoder\.blocks\.(\d+)\.")
    # A block that looks at the whole picture has relative positions for the whole grid, another for its window.
    spans = [(shapes[f"image_encoder.blocks.{block}.attn.rel_pos_h"][0] + 1) // 2 for block in range(depth)]
    windows = {span for span in spans if span != grid}
    hidden = shapes["prompt_encoder.no_mask_embed.weight"][1]
    vision = {
        "hidden_size": dimension,
        "image_size": grid * patch,
        "patch_size": patch,
        "num_hidden_layers": depth,
        "num_attention_heads": dimension // shapes["image_encoder.blocks.0.attn.rel_pos_h"][1],
        "mlp_dim": shapes["image_encoder.blocks.0.mlp.lin1.weight"][0],
        "global_attn_indexes": [block for block, span in enumerate(spans) if span == grid],
        "window_size": windows.pop() if windows else 0,
        "output_channels": shapes["image_encoder.neck.0.weight"][0],
        "num_pos_feats": shapes["prompt_encoder.pe_layer.positional_encoding_gaussian_matrix"][1],
        "layer_norm_eps": 1e-6,
    }
    prompt = {
        "hidden_size": hidden,
        "image_size": grid * patch,
        "patch_size": patch,
        "mask_input_channels": shapes["prompt_encoder.mask_downscaling.3.weight"][0],
    }
    down = shapes["mask_decoder.transformer.final_attn_token_to_image.q_proj.weight"][0]
    decoder = {
        "hidden_size": hidden,
        "mlp_dim": shapes["mask_decoder.transformer.layers.0.mlp.lin1.weight"][0],
        "num_hidden_layers": _count(shapes, r"mask_decoder\.transformer\.layers\.(\d+)\."),
        "num_attention_heads": DECODER_HEADS,
        "attention_downsample_rate": hidden // down,
        "num_multimask_outputs": shapes["mask_decoder.mask_tokens.weight"][0] - 1,
        "iou_head_depth": _count(shapes, r"mask_decoder\.iou_prediction_head\.layers\.(\d+)\."),
        "iou_head_hidden_dim": shapes["mask_decoder.iou_prediction_head.layers.0.weight"][0],
        "layer_norm_eps": 1e-5,
    }
    return SamConfig(vision_config=vision, prompt_encoder_config=prompt, mask_decoder_config=decoder)


def _count(names: Mapping[str, object], pattern: str) -> int:
    return 1 + max(int(found[1]) for name in names if (found := re.match(pattern, name)))


def load_model(file: Path) -> SamModel:
    """The model with a checkpoint's weights. ValueError for a file that is not a SAM checkpoint."""
    # mmap: the weights are not in memory twice while they are read.
    state = torch.load(file, map_location="cpu", weights_only=True, mmap=True)
    try:
        config = read_config({name: tuple(value.shape) for name, value in state.items()})
    except (AttributeError, KeyError, ValueError) as fault:
        raise ValueError(f"{file.name} is not a checkpoint of segment-anything: {fault}") from fault
    # Made without memory; the checkpoint's tensors become the model's, so that nothing is initialised only to be lost.
    with torch.device("meta"):
        model = SamModel(config)
    weights = {renamed(name): value for name, value in state.items()}
    shared = weights["prompt_encoder.shared_embedding.positional_embedding"]
    model.load_state_dict({**weights, "shared_image_embedding.positional_embedding": shared}, assign=True)
    return model.eval()


@attrs.frozen(eq=False)
class Embedded:
    """A picture as the encoder leaves it: (1, C, h, w), the picture's size, and the size it was scaled to."""

    features: torch.Tensor
    size: tuple[int, int]
    scaled: tuple[int, int]


class SamFunction:
    """The interactor over one model."""

    spec = cvataa.InteractionFunctionSpec(min_pos_points=0, min_neg_points=0, min_bounding_boxes=0)

    def __init__(self, model: SamModel, device: torch.device) -> None:
        self._model = model.to(device)
        self._device = device
        self._side: int = model.vision_encoder.image_size

    @torch.inference_mode()
    def preprocess_image(self, context: cvataa.InteractionFunctionContext, image: PIL.Image.Image) -> Embedded:
        """Embeds the picture; all but milliseconds of the work."""
        ratio = self._side / max(image.size)
        scaled = (max(int(image.width * ratio + 0.5), 1), max(int(image.height * ratio + 0.5), 1))
        pixels = np.array(to_rgb(image).resize(scaled, PIL.Image.Resampling.BILINEAR), np.float32)
        normal = torch.from_numpy((pixels - MEAN) / DEVIATION).to(self._device, torch.float32).permute(2, 0, 1)
        bars = (0, self._side - scaled[0], 0, self._side - scaled[1])
        batch = torch.nn.functional.pad(normal, bars)[None]
        return Embedded(self._model.get_image_embeddings(batch), image.size, scaled)

    @torch.inference_mode()
    def detect(
        self, context: cvataa.InteractionFunctionContext, pp_image: Embedded, prompts: cvataa.InteractionPrompts
    ) -> list[cvataa.InteractionResultShape]:
        """One mask, or none.

        One click says little: of the three masks that SAM then offers, the one that it rates best is taken. With more
        prompts it is SAM's single mask, as its authors advise. No confidence is given: CVAT hides what is below
        0.5, and SAM's rating is of the mask's outline, not of whether the click was understood.
        """
        given = self._prompts(pp_image, prompts)
        if given is None:
            return []
        single = "input_points" in given and given["input_points"].shape[2] == 1 and "input_boxes" not in given
        answer = self._model(image_embeddings=pp_image.features, multimask_output=single, **given)
        best = int(answer.iou_scores[0, 0].argmax())
        bitmap = self._full_size(answer.pred_masks[0, 0, best], pp_image)
        if not bitmap.any():
            return []
        return [cvataa.InteractionResultShape(type="mask", points=encode_mask(bitmap))]

    def _prompts(self, image: Embedded, prompts: cvataa.InteractionPrompts) -> dict[str, torch.Tensor] | None:
        scale = np.divide(image.scaled, image.size)

        def tensor(values: Any, *shape: int) -> torch.Tensor:
            return torch.as_tensor(np.array(values, np.float32) * scale, dtype=torch.float32).reshape(shape)

        points = [*prompts.pos_points, *prompts.neg_points]
        if not prompts.pos_points and prompts.bounding_box is None:
            return None
        given: dict[str, torch.Tensor] = {}
        if points:
            labels = [1] * len(prompts.pos_points) + [0] * len(prompts.neg_points)
            given["input_points"] = tensor(points, 1, 1, -1, 2)
            given["input_labels"] = torch.tensor(labels).reshape(1, 1, -1)
        if prompts.bounding_box is not None:
            given["input_boxes"] = tensor(np.sort(prompts.bounding_box, axis=0), 1, 1, 4)
        return {name: value.to(self._device) for name, value in given.items()}

    def _full_size(self, logits: torch.Tensor, image: Embedded) -> npt.NDArray[np.bool_]:
        padded = torch.nn.functional.interpolate(logits[None, None].float(), (self._side, self._side), mode="bilinear")
        inner = padded[..., : image.scaled[1], : image.scaled[0]]
        width, height = image.size
        full = torch.nn.functional.interpolate(inner, (height, width), mode="bilinear")[0, 0]
        return np.asarray((full > 0).cpu())


# As in other functions' files, too: cvat-cli loads one file, which has no neighbours to import.
def to_rgb(image: PIL.Image.Image) -> PIL.Image.Image:
    """Three bytes a pixel from any mode; sixteen bits are scaled, which Pillow's `convert` would cut off."""
    if image.mode == "F" or image.mode.startswith("I"):
        grey = np.asarray(image, np.float32)
        image = PIL.Image.fromarray((grey / (257 if grey.max() > 255 else 1)).clip(0, 255).astype(np.uint8))
    return image.convert("RGB")


def find(name: str, option: str) -> Path:
    """The file `name` beside this module, where `generate --add` puts it, or else as the working directory has it."""
    beside = Path(__file__).resolve().parent
    for folder in (beside, Path.cwd()):
        if (folder / name).is_file():
            return folder / name
    raise FileNotFoundError(
        f"no file {name!r} in {beside} or in the working directory: lay it beside the function (generate --add FILE), "
        f"mount a volume that has it, or name another with -p {option}=str:FILE"
    )


def describe(device: torch.device) -> str:
    """The device, for the log."""
    if device.type != "cuda":
        return f"cpu, {torch.get_num_threads()} threads"
    free, total = torch.cuda.mem_get_info(device)
    return f"{torch.cuda.get_device_name(device)}, {free / 2**30:.1f} of {total / 2**30:.1f} GiB free"


def create(weights: str = "sam_vit_b_01ec64.pth", device: str | None = None) -> SamFunction:
    """The interactor with the checkpoint in `weights`; on CUDA where torch sees it, unless `device` says otherwise."""
    file = find(weights, "weights")
    started = time.monotonic()
    chosen = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    function = SamFunction(load_model(file), chosen)
    seconds = time.monotonic() - started
    print(f"{file.name}: SAM loaded in {seconds:.1f} s, on {describe(chosen)}", file=sys.stderr, flush=True)
    return function
