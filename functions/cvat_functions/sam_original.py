"""facebookresearch/segment-anything's checkpoints in transformers' words: sizes, names."""

import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import torch
from transformers import SamConfig, SamModel

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
    # mmap: the weights are not in memory twice while they are read; what PyTorch wrote before 1.6 cannot be mapped.
    state = torch.load(file, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(file))
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
