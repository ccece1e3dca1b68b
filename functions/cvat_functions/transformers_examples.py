"""Objects that look like the examples: OWLv2 of transformers, asked with pictures instead of words.

`examples` is a folder of cut-out pictures and `examples.json`, a list of `{"label": NAME, "file": PICTURE}`, as
`cvat-nuclio generate --model MODEL --examples-from-task ID` writes it.

    cvat-cli function create-native NAME --function-module cvat_functions.transformers_examples \
        -p model=str:google/owlv2-base-patch16-ensemble -p examples=str:examples
"""

import hashlib
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import cvat_sdk.auto_annotation as cvataa
import numpy as np
import PIL.Image
import torch
from transformers import AutoImageProcessor, Owlv2ForObjectDetection

from cvat_functions.hub import Loaded, load
from cvat_functions.shared import Floats, kept, spec_of, to_rgb

#: What the network makes of the examples, kept beside them: each costs it as much as a whole picture.
KEPT = "queries.npz"


class Finder:
    """The detector over one network and a folder of examples."""

    def __init__(self, loaded: Loaded, examples: Path, confidence: float, overlap: float) -> None:
        self._loaded, self._confidence, self._overlap = loaded, confidence, overlap
        rows = json.loads((examples / "examples.json").read_text("utf-8"))
        names = list(dict.fromkeys(str(row["label"]) for row in rows))
        if not names:
            raise ValueError(f"{examples / 'examples.json'} lists no example")
        self.spec = spec_of(names, "rectangle")
        self._label_of = torch.tensor([names.index(row["label"]) for row in rows], device=loaded.device)
        files = [examples / str(row["file"]) for row in rows]
        queries = kept(examples / KEPT, self._key(files), lambda: np.stack([self._query(file) for file in files]))
        self._queries = torch.from_numpy(queries)[None].to(loaded.device)

    @torch.inference_mode()
    def detect(self, context: cvataa.DetectionFunctionContext, image: PIL.Image.Image) -> list[Any]:
        """Boxes surer than the context's threshold, else than `confidence`; of a label's that overlap the surest."""
        threshold = self._confidence if context.conf_threshold is None else context.conf_threshold
        features, grid = self._features(image)
        by_example = self._loaded.network.class_predictor(features, self._queries)[0]
        by_label = [by_example[..., self._label_of == label.id].amax(-1) for label in self.spec.labels]
        places = self._loaded.network.box_predictor(features, grid)
        answer = SimpleNamespace(logits=torch.stack(by_label, -1), pred_boxes=places)
        found = self._loaded.processor.post_process_object_detection(
            answer, threshold=threshold, target_sizes=[(image.height, image.width)]
        )[0]
        boxes, scores, numbers = (found[key].float().cpu().numpy() for key in ("boxes", "scores", "labels"))
        if not len(boxes):
            return []
        sizes = np.hstack([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]]).astype(float)
        best = cv2.dnn.NMSBoxesBatched(
            sizes.tolist(), scores.tolist(), numbers.astype(int).tolist(), threshold, self._overlap
        )
        return [cvataa.rectangle(int(numbers[index]), boxes[index].tolist()) for index in best]

    def _features(self, image: PIL.Image.Image) -> tuple[torch.Tensor, torch.Tensor]:
        """The network's features of each patch, in a row (1, patches, width) and as a grid."""
        pixels = self._loaded.inputs(images=to_rgb(image))["pixel_values"]
        grid = self._loaded.network.image_embedder(pixel_values=pixels)[0]
        return grid.flatten(1, 2), grid

    @torch.inference_mode()
    def _query(self, file: Path) -> Floats:
        """The embedding (width,) of what is the likeliest object in an example."""
        with PIL.Image.open(file) as picture:
            return np.asarray(self._loaded.network.embed_image_query(*self._features(picture))[0][0, 0].cpu())

    def _key(self, files: list[Path]) -> str:
        """The sum of the weights and of the pictures."""
        found = hashlib.sha256()
        for _, weight in sorted(self._loaded.network.state_dict().items()):
            found.update(weight.cpu().contiguous().numpy().tobytes())
        for file in files:
            found.update(hashlib.sha256(file.read_bytes()).digest())
        return found.hexdigest()


def create(
    model: str, examples: str, revision: str | None = None, sha256: str | None = None, confidence: float = 0.6,
    overlap: float = 0.3, device: str | None = None,
) -> Finder:  # fmt: skip
    """The detector of what the folder `examples` shows, with the weights of `model`, an OWLv2.

    `overlap` is the share of their union above which two boxes of a label are one object. On CUDA where torch sees it,
    unless `device` says otherwise.
    """
    loaded = load(Owlv2ForObjectDetection, AutoImageProcessor, model, revision, sha256, device)
    return Finder(loaded, Path(examples), confidence, overlap)
