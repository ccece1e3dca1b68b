"""Weights of the right names and shapes with random values, laid where a function's unmodified loading code looks.

They find nothing sensible: they are for tests, for `make demo-torch`, and for generating bundles where the real ones
cannot be downloaded.
"""

import math
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt


def torchvision(
    torch_home: Path,
    model_name: str,
    weights_name: str = "DEFAULT",
    change: Callable[[Any], object] | None = None,
) -> Any:
    """Writes `model_name`'s checkpoint under `TORCH_HOME`, after `change`, and returns the model itself.

    torchvision looks at a checkpoint's hash only when it downloads it.
    """
    import torch
    import torchvision.models

    weights = torchvision.models.get_model_weights(model_name)[weights_name]
    torch.manual_seed(0)
    # Detectors would otherwise download the weights of their backbones.
    backbone = {"weights_backbone": None} if "rcnn" in model_name else {}
    model = torchvision.models.get_model(
        model_name, weights=None, num_classes=len(weights.meta["categories"]), **backbone
    )
    if change is not None:
        change(model)
    folder = torch_home / "hub" / "checkpoints"
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(model.state_dict(), folder / Path(urlsplit(weights.url).path).name)
    return model.eval()


def checkpoint(table: str, section: str) -> dict[str, Any]:
    """A state dict with the names and shapes of `tools/checkpoints/TABLE.txt`; a weight's values follow from its name.

    Matrices are drawn around 0 by their size, vectors around 1 for norms' weights and variances and around 0 otherwise.
    """
    import torch

    return {name: torch.from_numpy(_values(name, shape)) for name, shape in names(table, section).items()}


def names(table: str, section: str) -> dict[str, tuple[int, ...]]:
    """The names and shapes of one section of `tools/checkpoints/TABLE.txt`."""
    text = (Path(__file__).parent / "checkpoints" / f"{table}.txt").read_text(encoding="utf-8")
    lines = text.split(f"[{section}]\n")[1].split("\n\n")[0].splitlines()
    found = {}
    for line in lines:
        pattern, sizes = line.split()
        shape = () if sizes == "scalar" else tuple(int(size) for size in sizes.split("x"))
        found.update(dict.fromkeys(_expanded(pattern), shape))
    return found


def _expanded(pattern: str) -> Iterator[str]:
    before, brace, rest = pattern.partition("{")
    if not brace:
        yield pattern
        return
    numbers, _, after = rest.partition("}")
    for part in numbers.split(","):
        first, _, last = part.partition("-")
        for number in range(int(first), int(last or first) + 1):
            yield f"{before}{number}{after}"


def _values(name: str, shape: tuple[int, ...]) -> npt.NDArray[Any]:
    random = np.random.default_rng(zlib.crc32(name.encode()))
    if name.endswith("num_batches_tracked"):
        return np.zeros(shape, np.int64)
    # As wide as keeps a signal's size from layer to layer.
    centred = random.normal(0, math.sqrt(2 / math.prod(shape[1:])) if len(shape) > 1 else 0.08, shape)
    is_scale = len(shape) == 1 and name.endswith(("weight", "running_var"))
    return (centred + is_scale).astype(np.float32)


def sam2(folder: Path, image_size: int = 128) -> Any:
    """A small SAM 2.1 for videos, saved as the Hugging Face hub's folders are; returns the model."""
    import torch
    from transformers import Sam2VideoConfig, Sam2VideoModel

    cells = image_size // 4
    vision = {
        "model_type": "sam2_vision_model",
        "backbone_config": {
            "model_type": "sam2_hiera_det_model",
            "hidden_size": 8,
            "image_size": [image_size, image_size],
            "blocks_per_stage": [1, 1, 2, 1],
            "embed_dim_per_stage": [8, 16, 32, 64],
            "num_attention_heads_per_stage": [1, 2, 4, 8],
            "window_size_per_stage": [8, 4, 4, 2],
            "window_positional_embedding_background_size": [4, 4],
            "global_attention_blocks": [3],
        },
        "backbone_channel_list": [64, 32, 16, 8],
        "backbone_feature_sizes": [[cells, cells], [cells // 2, cells // 2], [cells // 4, cells // 4]],
        "fpn_hidden_size": 128,
    }
    config = Sam2VideoConfig(
        vision_config=vision,
        prompt_encoder_config={"hidden_size": 128, "image_size": image_size},
        mask_decoder_config={"hidden_size": 128, "mlp_dim": 64, "iou_head_hidden_dim": 32, "num_attention_heads": 2},
        image_size=image_size,
        memory_attention_hidden_size=128,
        memory_attention_feed_forward_hidden_size=64,
        memory_attention_num_layers=2,
        memory_attention_rope_feat_sizes=[cells // 4, cells // 4],
        memory_encoder_hidden_size=128,
        memory_encoder_output_channels=64,
        mask_downsampler_embed_dim=128,
        memory_fuser_embed_dim=128,
        memory_fuser_intermediate_dim=64,
    )
    torch.manual_seed(0)
    model = Sam2VideoModel(config).eval()
    with torch.no_grad():
        for name, value in model.named_parameters():
            if value.ndim > 1:
                value.copy_(torch.from_numpy(_values(name, tuple(value.shape))))
        # Random weights would see no object at all.
        model.mask_decoder.pred_obj_score_head.proj_out.bias.fill_(5)
    model.save_pretrained(folder)
    return model
