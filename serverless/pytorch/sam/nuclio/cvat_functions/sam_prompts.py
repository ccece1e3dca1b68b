"""What a user clicked, as the networks of transformers' SAM family take it."""

from typing import Any

import cvat_sdk.auto_annotation as cvataa
import numpy as np
import torch


def tensors_of(
    prompts: cvataa.InteractionPrompts, scale: tuple[float, float], device: torch.device
) -> dict[str, torch.Tensor]:
    """`input_points` (1, 1, N, 2) with `input_labels` (1, 1, N), `input_boxes` (1, 1, 4), each where it was given.

    `scale`: the network's pixels in one of the picture's, across and down. A box's corners may come in any order.
    """

    def tensor(values: Any, *shape: int) -> torch.Tensor:
        return torch.as_tensor(np.array(values, np.float32) * scale, dtype=torch.float32).reshape(shape)

    given: dict[str, torch.Tensor] = {}
    if points := [*prompts.pos_points, *prompts.neg_points]:
        labels = [1] * len(prompts.pos_points) + [0] * len(prompts.neg_points)
        given["input_points"] = tensor(points, 1, 1, -1, 2)
        given["input_labels"] = torch.tensor(labels, dtype=torch.int32).reshape(1, 1, -1)
    if prompts.bounding_box is not None:
        given["input_boxes"] = tensor(np.sort(prompts.bounding_box, axis=0), 1, 1, 4)
    return {name: value.to(device) for name, value in given.items()}
