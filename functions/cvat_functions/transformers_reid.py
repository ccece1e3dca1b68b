"""ReID by the features of any vision network of transformers: DINOv3, DINOv2, SigLIP, CLIP, ViT, ConvNeXt and theirs.

Each box is cut out, resized as the network wants it, and described by its pooled features. `cvat-cli` has no ReID.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import PIL.Image
import torch
from transformers import AutoImageProcessor, AutoModel

from aa_runtime import ReIDFunctionContext, ReIDFunctionSpec
from cvat_functions.hub import Loaded, load
from cvat_functions.shared import Box, pixels_of, to_rgb

#: Boxes in one pass of the network.
BATCH = 32


class Embedder:
    """The ReID function over one network and its preprocessing."""

    def __init__(self, loaded: Loaded) -> None:
        # CLIP and SigLIP have a second network for words.
        self._loaded, self._network = loaded, getattr(loaded.network, "vision_model", loaded.network)
        self.spec = ReIDFunctionSpec(embedding_size=self._features([PIL.Image.new("RGB", (64, 64))]).shape[1])

    def embed(
        self,
        context: ReIDFunctionContext,
        image: PIL.Image.Image,
        boxes: Sequence[Box],
    ) -> npt.NDArray[np.float32]:
        """One row per box, (len(boxes), spec.embedding_size)."""
        picture = to_rgb(image)
        crops = [picture.crop(pixels_of(box)) for box in boxes]
        return np.concatenate([self._features(crops[at : at + BATCH]) for at in range(0, len(crops), BATCH)])

    @torch.inference_mode()
    def _features(self, crops: list[PIL.Image.Image]) -> npt.NDArray[np.float32]:
        answer = self._network(**self._loaded.inputs(images=crops))
        pooled = getattr(answer, "pooler_output", None)
        if pooled is None:
            pooled = answer.last_hidden_state[:, 0]
        return np.asarray(pooled.flatten(1).float().cpu())


def create(
    model: str, revision: str | None = None, sha256: str | None = None, device: str | None = None
) -> Embedder:  # fmt: skip
    """The function with the weights of `model`; on CUDA where torch sees it, unless `device` says otherwise."""
    return Embedder(load(AutoModel, AutoImageProcessor, model, revision, sha256, device))
