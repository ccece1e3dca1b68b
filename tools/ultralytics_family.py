"""`python -m tools.ultralytics_family`: `cvat_functions.ultralytics_yolo` beside Ultralytics' own `predict`, by hand.

Ultralytics' package is AGPL-3.0 and no dependency of this project: run this in an environment of its own that has it.
Networks of each kind are made from Ultralytics' descriptions with random weights, saved as it saves them, recognised as
`generate --model` does, loaded by the function, and asked about one picture. Exits 1 where the answers differ.

World and YOLOE are given words. YOLOE reads them by MobileCLIP, which is a random one here, and by CLIP's tokenizer:
`pip install clip-anytorch` has it, as Ultralytics' own package of that name has. The sum of World's CLIP is checked, so
that no random one can stand in: its embeddings are random, and lie where they would be kept.
"""

import contextlib
import math
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import attrs
import cvat_sdk.auto_annotation as cvataa
import numpy as np
import PIL.Image
import torch
from cvat_sdk.masks import decode_mask

from cvat_nuclio.models.recognise import recognise

WORDS = ["helmet", "person with a bag", "cat"]
OPEN = ("yolov8s-world.yaml", "yolov8s-worldv2.yaml", "yoloe-11s.yaml", "yoloe-11s-seg.yaml")
KINDS = ("yolo11n.yaml", "yolov8n.yaml", "yolo26n.yaml", "yolo11n-seg.yaml", "yolo11n-pose.yaml", "yolo11n-obb.yaml",
         "yolo11n-cls.yaml", "rtdetr-l.yaml", *OPEN)  # fmt: skip


@attrs.frozen
class Context(cvataa.DetectionFunctionContext):  # type: ignore[misc]
    """Everything that a network of random weights finds."""

    frame_name: str = "frame.png"
    conf_threshold: float | None = 0.001
    conv_mask_to_poly: bool = False


def main() -> int:
    """One line for each kind; the status."""
    noise = np.random.default_rng(0).integers(0, 255, (12, 20, 3), np.uint8)
    picture = PIL.Image.fromarray(noise).resize((500, 300))
    bad = 0
    for kind in KINDS:
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            equal, count = compare(kind, Path(folder), picture)
        bad += not equal
        print(f"{kind}: {count} found, {'as predict' if equal else 'NOT as predict'}")
    return int(bad > 0)


def compare(kind: str, folder: Path, picture: PIL.Image.Image) -> tuple[bool, int]:
    """Whether both find the same, and how much."""
    import ultralytics

    torch.manual_seed(0)
    network = (ultralytics.RTDETR if kind.startswith("rtdetr") else ultralytics.YOLO)(kind)
    lively(network.model)
    network.save(str(folder / "best.pt"))
    chosen = recognise(str(folder / "best.pt"))
    if chosen.module != "ultralytics_yolo":
        return False, 0

    from cvat_functions import ultralytics_yolo

    words = "; ".join(WORDS) if kind in OPEN else None
    if kind in OPEN and not refused(folder / "best.pt"):
        return False, 0
    expected = embeddings(kind, network.model, folder / "best.pt") if kind in OPEN else None
    function = ultralytics_yolo.create(str(folder / "best.pt"), labels=words, device="cpu")
    found = function.detect(Context(), picture)
    again = of_library(kind, folder / "best.pt", expected)
    if kind in OPEN and [label.name for label in function.spec.labels] != WORDS:
        return False, 0
    wanted = again.predict(picture, conf=0.001, verbose=False, retina_masks=True, device="cpu")[0]
    return same(found, wanted, picture), len(found)


def of_library(kind: str, file: Path, embeddings: torch.Tensor | None) -> Any:
    """The network as its own class loads it, with the words as it sets them."""
    import ultralytics

    classes = {"rtdetr": ultralytics.RTDETR, "yoloe-": ultralytics.YOLOE}
    again = (ultralytics.YOLOWorld if "world" in kind else classes.get(kind[:6], ultralytics.YOLO))(str(file))
    if embeddings is not None and "world" in kind:
        again.model.get_text_pe = lambda *given, **options: embeddings
        again.set_classes(WORDS)
    elif embeddings is not None:
        again.set_classes(WORDS, embeddings)
    return again


def refused(file: Path) -> bool:
    """Whether words that nothing here can read are told with what to do."""
    from cvat_functions import ultralytics_yolo

    os.environ["YOLO_OFFLINE"] = "true"
    try:
        ultralytics_yolo.create(str(file), labels="; ".join(WORDS), device="cpu")
    except RuntimeError as error:
        return "cvat-nuclio generate DIR -p labels=" in str(error)
    return False


def embeddings(kind: str, model: Any, file: Path) -> torch.Tensor:
    """(1, words, width): YOLOE's by a random MobileCLIP in the current folder, World's random and kept."""
    from cvat_functions import ultralytics_words
    from cvat_functions.shared import kept

    if "world" in kind:
        made = torch.nn.functional.normalize(torch.randn(1, len(WORDS), 512), dim=-1)
        key = ultralytics_words._key(file, WORDS)
        kept(ultralytics_words.kept_beside(file), key, made.numpy)
        return made
    torch.jit.script(Reader()).save("mobileclip_blt.ts")
    return model.eval().get_text_pe(WORDS)


class Reader(torch.nn.Module):  # type: ignore[misc]
    """A MobileCLIP that has learnt nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.words = torch.nn.Embedding(49408, 512)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """(texts, 77) → (texts, 512)."""
        return torch.nn.functional.normalize(self.words(tokens).mean(1), dim=-1)


def lively(model: Any) -> None:
    """Biases for classes that random weights would never reach."""
    with torch.no_grad():
        for name, value in model.named_parameters():
            if value.ndim == 1 and "cv3" in name and name.endswith("bias"):
                value.add_(4)
            elif value.shape == (1,) and name.endswith("bias"):
                value.fill_(0)  # of the likeness to words: -10 at first


def same(found: list[Any], wanted: Any, picture: PIL.Image.Image) -> bool:
    """Compared by what CVAT keeps: corners, turns, points, masks, names."""
    if wanted.probs is not None:
        return bool(len(found) == 1 and found[0].label_id == wanted.probs.top1)
    if wanted.obb is not None:
        turns = [math.degrees(turn) % 360 for turn in wanted.obb.xywhr[:, 4].tolist()]
        return len(found) == len(turns) > 0 and np.allclose([shape.rotation for shape in found], turns)
    numbers = wanted.boxes.cls.int().tolist()
    if wanted.keypoints is not None:
        points = [[element.points for element in shape.elements] for shape in found]
        return len(points) > 0 and np.allclose(points, wanted.keypoints.xy.numpy())
    if wanted.masks is not None:
        size = {"image_width": picture.width, "image_height": picture.height}
        masks = [decode_mask(shape.points, **size) for shape in found]
        full = [mask.numpy() > 0 for mask in wanted.masks.data if mask.any()]
        return len(masks) == len(full) > 0 and all((a == b).all() for a, b in zip(masks, full, strict=True))
    boxes = [shape.points for shape in found]
    labels = [shape.label_id for shape in found]
    return len(boxes) > 0 and labels == numbers and np.allclose(boxes, wanted.boxes.xyxy.numpy())


if __name__ == "__main__":
    sys.exit(main())
