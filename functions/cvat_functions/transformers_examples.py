"""Objects that look like the examples: OWLv2 of transformers, asked with pictures instead of words.

`examples` is a folder of cut-out pictures and `examples.json`, a list of `{"label": NAME, "file": PICTURE}`, as
`cvat-nuclio generate --model MODEL --examples-from-task ID` writes it.

    cvat-cli function create-native NAME --function-module cvat_functions.transformers_examples \
        -p model=str:google/owlv2-base-patch16-ensemble -p examples=str:examples
"""

import contextlib
import hashlib
import json
import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import cvat_sdk.auto_annotation as cvataa
import numpy as np
import PIL.Image
import torch
from transformers import AutoProcessor, Owlv2ForObjectDetection

from cvat_functions.hub import pretrained, verify
from cvat_functions.on_torch import device_of, report
from cvat_functions.shared import to_rgb

#: What the network makes of the examples, kept beside them: each costs it as much as a whole picture.
KEPT = "queries.npz"


class Finder:
    """The detector over one network, its preprocessing and a folder of examples."""

    def __init__(self, model: Any, processor: Any, examples: Path, device: torch.device, limits: tuple[float, float]):
        self._model, self._processor, self._device = model.to(device).eval(), processor, device
        self._confidence, self._overlap = limits
        rows = json.loads((examples / "examples.json").read_text("utf-8"))
        names = list(dict.fromkeys(str(row["label"]) for row in rows))
        if not names:
            raise ValueError(f"{examples / 'examples.json'} lists no example")
        self._label_of = torch.tensor([names.index(row["label"]) for row in rows], device=device)
        labels = [cvataa.label_spec(name, number, type="rectangle") for number, name in enumerate(names)]
        self.spec = cvataa.DetectionFunctionSpec(labels=labels)
        self._queries = self._kept(examples, [examples / str(row["file"]) for row in rows])[None].to(device)

    @torch.inference_mode()
    def detect(self, context: cvataa.DetectionFunctionContext, image: PIL.Image.Image) -> list[Any]:
        """Boxes surer than the context's threshold, else than `confidence`; of a label's that overlap the surest."""
        threshold = self._confidence if context.conf_threshold is None else context.conf_threshold
        features, grid = self._features(image)
        by_example = self._model.class_predictor(features, self._queries)[0]
        by_label = [by_example[..., self._label_of == label.id].amax(-1) for label in self.spec.labels]
        answer = SimpleNamespace(logits=torch.stack(by_label, -1), pred_boxes=self._model.box_predictor(features, grid))
        found = self._processor.image_processor.post_process_object_detection(
            answer, threshold=threshold, target_sizes=[(image.height, image.width)]
        )[0]
        boxes, scores, numbers = (found[key].float().cpu().numpy() for key in ("boxes", "scores", "labels"))
        sizes = np.hstack([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]]).astype(float)
        if not len(boxes):
            return []
        kept = cv2.dnn.NMSBoxesBatched(
            sizes.tolist(), scores.tolist(), numbers.astype(int).tolist(), threshold, self._overlap
        )
        return [cvataa.rectangle(int(numbers[index]), boxes[index].tolist()) for index in kept]

    def _features(self, image: PIL.Image.Image) -> tuple[Any, Any]:
        """The network's features of each patch, in a row (1, patches, width) and as a grid."""
        pixels = self._processor.image_processor(images=to_rgb(image), return_tensors="pt")["pixel_values"]
        grid = self._model.image_embedder(pixel_values=pixels.to(self._device))[0]
        return grid.flatten(1, 2), grid

    @torch.inference_mode()
    def _query(self, file: Path) -> torch.Tensor:
        """The embedding (width,) of what is the likeliest object in an example."""
        with PIL.Image.open(file) as picture:
            return self._model.embed_image_query(*self._features(picture))[0][0, 0].cpu()

    def _kept(self, examples: Path, files: list[Path]) -> torch.Tensor:
        """The examples' embeddings (examples, width): those kept beside them if they are of this network."""
        key, place = self._key(files), examples / KEPT
        if place.is_file():
            with np.load(place, allow_pickle=False) as stored:
                if str(stored["key"]) == key:
                    return torch.from_numpy(stored["queries"])
        queries = torch.stack([self._query(file) for file in files])
        new = place.with_name(f".{os.getpid()}.{KEPT}")
        # A folder that is not to be written costs the time again, nothing else.
        with contextlib.suppress(OSError):
            np.savez(new, key=key, queries=queries.numpy())
            new.replace(place)
        return queries

    def _key(self, files: list[Path]) -> str:
        """The sum of the weights and of the pictures."""
        found = hashlib.sha256()
        for _, weight in sorted(self._model.state_dict().items()):
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
    started, place = time.monotonic(), device_of(device)
    verify(model, sha256, revision)
    network = pretrained(Owlv2ForObjectDetection, model, revision, dtype=torch.float32)
    processor = pretrained(AutoProcessor, model, revision)
    function = Finder(network, processor, Path(examples), place, (confidence, overlap))
    report(f"{model}: {len(function.spec.labels)} labels by example", place, started)
    return function
