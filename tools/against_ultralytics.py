"""Compares `cvat_functions.ultralytics_yolo` and `yolo_onnx` with ultralytics' own `predict`, by hand.

    pip install --no-deps --target build/ultralytics ultralytics ultralytics-thop
    pip install --no-deps --target build/ultralytics clip-anytorch ftfy regex wcwidth "setuptools<81"  # YOLOE's words
    PYTHONPATH=build/ultralytics python -m tools.against_ultralytics [NAME...]

Networks of each kind are made from ultralytics' descriptions with random weights, saved as it saves them, recognised as
`generate --model` does, loaded by the function and asked about one picture; and exported to ONNX in each way. Nothing
is downloaded. ultralytics is AGPL-3.0: it is no dependency, and nothing of it is in the repository. Exit status 1 where
an answer differs. Leaves a YOLO11n of 640 x 640 in build/yolo for `tools.function_times`.

World and YOLOE are given words. YOLOE reads them by MobileCLIP, which is a random one here, and by CLIP's tokenizer.
The sum of World's CLIP is checked, so that no random one can stand in: its embeddings are random, and lie where they
would be kept.
"""

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import PIL.Image
import torch
from cvat_sdk.masks import decode_mask

from aa_runtime import FunctionSource, load
from cvat_nuclio.models.recognise import recognise
from tools.random_weights import YOLO

SIDE = 320
EVERYTHING, FOUND = 1e-3, 40
"""The threshold for a checkpoint; how many objects that for a graph lets through."""
PIXELS, OVERLAP = 1e-3, 0.95
"""The most that coordinates may differ; the least that masks overlap on average: borders are sampled otherwise."""
WORDS = ["helmet", "person with a bag", "cat"]

NMS: dict[str, object] = {"nms": True, "conf": 0.01}
END2END: dict[str, object] = {"nms": False}
FREE: dict[str, object] = {"dynamic": True}
TASKS = {"-seg": "segment", "-pose": "pose", "-obb": "obb", "": "detect"}
#: Those that find what words name.
OPEN = ("yolov8s-world", "yolov8s-worldv2", "yoloe-11s", "yoloe-11s-seg")
#: How ultralytics exports the graphs of each network.
NETWORKS: Mapping[str, tuple[Mapping[str, object], ...]] = {
    **{f"yolo11n{suffix}": ({}, FREE, NMS, NMS | FREE) for suffix in TASKS},
    **{f"yolov8n{suffix}": ({}, NMS) for suffix in TASKS},
    **{f"yolo26n{suffix}": ({}, END2END, END2END | FREE) for suffix in TASKS},
    "yolov10n": ({}, END2END),
    **dict.fromkeys(("yolo11n-cls", "rtdetr-l", *OPEN), ()),
}

Compared = tuple[str, int, float]
"""A name, how many were found, and the largest difference in pixels; of masks the mean of what does not overlap."""


def compared(name: str, picture: PIL.Image.Image) -> Iterator[Compared]:
    """A network as a checkpoint, and in each form that it is exported to."""
    yield checkpoint(name, picture)
    task = next(TASKS[suffix] for suffix in TASKS if name.endswith(suffix))
    for export in NETWORKS[name]:
        file = exported(name, export, picture)
        yield compare(file, "yolo_onnx", {"weights": str(file.resolve())}, loaded(file, task=task), picture)


def loaded(file: Path | str, kind: str = "YOLO", **options: Any) -> Any:
    """A network as ultralytics' own class has it."""
    import ultralytics

    return getattr(ultralytics, "RTDETR" if "rtdetr" in str(file) else kind)(str(file), **options)


def exported(name: str, export: Mapping[str, object], picture: PIL.Image.Image, side: int = SIDE) -> Path:
    """The graph of a random network, as ultralytics writes it."""
    torch.manual_seed(0)
    network = loaded(f"{name}.yaml")
    _widen(network.model, picture, "dynamic" in export)
    written = network.export(format="onnx", imgsz=side, simplify=False, opset=17, verbose=False, **export)
    return Path(written).rename("-".join([name, *(f"{key}_{value}" for key, value in export.items())]) + ".onnx")


def checkpoint(name: str, picture: PIL.Image.Image) -> Compared:
    """A checkpoint; one that reads words is refused without them, before they lie beside it."""
    torch.manual_seed(0)
    network, file = loaded(f"{name}.yaml"), Path(f"{name}.pt")
    _liven(network.model)
    network.save(str(file))
    if recognise(str(file)).module != "ultralytics_yolo":
        return f"{name}.pt is not recognised", 0, np.inf
    parameters = {"model": str(file.resolve()), "device": "cpu"}
    if name not in OPEN:
        return compare(file, "ultralytics_yolo", parameters, loaded(file), picture, EVERYTHING)
    parameters["labels"] = "; ".join(WORDS)
    if not is_refused(parameters):
        return f"{name}.pt is not refused", 0, np.inf
    return compare(file, "ultralytics_yolo", parameters, with_words(name, network.model, file), picture, EVERYTHING)


def _liven(network: Any) -> None:
    """Biases for classes that random weights would never reach."""
    with torch.no_grad():
        for name, value in network.named_parameters():
            if value.ndim == 1 and "cv3" in name and name.endswith("bias"):
                value.add_(4)
            elif value.shape == (1,) and name.endswith("bias"):
                value.fill_(0)  # of the likeness to words: -10 at first


def _widen(network: Any, picture: PIL.Image.Image, is_free: bool) -> None:
    """Spreads what the last layers answer about this picture; by itself every score would be the same."""
    from ultralytics.data.augment import LetterBox

    # As ultralytics feeds it to the graph.
    pixels = LetterBox((SIDE, SIDE), auto=is_free, stride=32)(image=np.asarray(picture))
    batch = torch.from_numpy(pixels.transpose(2, 0, 1)[None].astype(np.float32) / 255)
    # As they are made, networks this deep answer nothing but their last layers' biases.
    for part in network.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.momentum = 1.0
    with torch.no_grad():
        network.train()(batch)
    for name in ("cv2", "cv3", "cv4", "one2one_cv2", "one2one_cv3", "one2one_cv4"):
        for branch in getattr(network.model[-1], name, None) or ():
            last = [part for part in branch.modules() if isinstance(part, torch.nn.Conv2d)][-1]
            # Scores up to 0.9, most near none; so that none is another's like.
            mean, most = (-4, 2) if name.endswith("cv3") else (0, 4)
            _rescale(network, last, batch, mean, most)


def _rescale(network: Any, layer: torch.nn.Conv2d, batch: torch.Tensor, mean: float, most: float) -> None:
    """Gives a layer's answers this mean and this maximum."""
    seen: list[torch.Tensor] = []
    hook = layer.register_forward_hook(lambda part, given, answer: seen.append(answer))
    with torch.no_grad():
        layer.weight.normal_(0, 1)
        network.eval()(batch)
        hook.remove()
        if not seen:  # of a head that predictions do not use
            return
        answers = seen[-1] if layer.bias is None else seen[-1] - layer.bias[None, :, None, None]
        factor = (most - mean) / float(answers.max() - answers.mean())
        layer.weight.mul_(factor)
        if layer.bias is not None:
            layer.bias.fill_(mean - factor * float(answers.mean()))


def is_refused(parameters: Mapping[str, str]) -> bool:
    """Whether words that nothing here can read are told with what to do."""
    try:
        load(FunctionSource(module="cvat_functions.ultralytics_yolo", parameters=parameters))
    except RuntimeError as error:
        return "cvat-nuclio generate DIR -p labels=" in str(error)
    return False


def with_words(name: str, model: Any, file: Path) -> Any:
    """The network as its own class has it with the words, whose embeddings are YOLOE's by a random MobileCLIP in the
    current folder, and World's random and kept beside the file."""
    from cvat_functions import ultralytics_words
    from cvat_functions.shared import kept

    if name.startswith("yoloe"):
        torch.jit.script(Reader()).save("mobileclip_blt.ts")
        theirs = loaded(file, "YOLOE")
        theirs.set_classes(WORDS, model.eval().get_text_pe(WORDS))
        return theirs
    made = torch.nn.functional.normalize(torch.randn(1, len(WORDS), 512), dim=-1)
    kept(ultralytics_words.kept_beside(file), ultralytics_words._key(file, WORDS), made.numpy)
    theirs = loaded(file, "YOLOWorld")
    theirs.model.get_text_pe = lambda *given, **options: made
    theirs.set_classes(WORDS)
    return theirs


class Reader(torch.nn.Module):  # type: ignore[misc]
    """A MobileCLIP that has learnt nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.words = torch.nn.Embedding(49408, 512)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """(texts, 77) → (texts, 512)."""
        return torch.nn.functional.normalize(self.words(tokens).mean(1), dim=-1)


def compare(
    file: Path,
    module: str,
    parameters: Mapping[str, Any],
    theirs: Any,
    picture: PIL.Image.Image,
    threshold: float | None = None,
) -> Compared:
    """ultralytics' answer for a picture beside the function's."""
    function = load(FunctionSource(module=f"cvat_functions.{module}", parameters={**parameters, "imgsz": SIDE}))
    if "labels" in parameters and [label.name for label in function.spec.labels] != WORDS:
        return f"{file.name} has other labels", 0, np.inf

    def predict(confidence: float) -> Any:
        options = {"imgsz": SIDE, "verbose": False, "save": False, "retina_masks": True, "device": "cpu"}
        return theirs.predict(picture, conf=confidence, **options)[0]

    threshold = _between(predict(EVERYTHING)) if threshold is None else threshold
    context = SimpleNamespace(conf_threshold=threshold, conv_mask_to_poly=False, frame_name="picture")
    found, wanted = function.detect(context, picture), predict(threshold)
    return file.name, len(found), difference(found, wanted, picture.size)


def _between(answer: Any) -> float:
    """A threshold between two scores, so that rounding decides nothing."""
    scores = np.sort(_objects(answer).conf.numpy())[::-1]
    last = min(FOUND, len(scores) - 1)
    return float(scores[last - 1] + scores[last]) / 2


def _objects(answer: Any) -> Any:
    return answer.boxes if answer.obb is None else answer.obb


def difference(found: list[Any], wanted: Any, size: tuple[int, int]) -> float:
    """By what CVAT keeps: corners, points, masks; infinite where there are others, none, or of other classes."""
    if wanted.probs is not None:
        return 0.0 if [shape.label_id for shape in found] == [wanted.probs.top1] else np.inf
    if not found or [shape.label_id for shape in found] != _objects(wanted).cls.int().tolist():
        return np.inf
    each = [_of_one(shape, wanted, index, size) for index, shape in enumerate(found)]
    if wanted.masks is not None:
        mean = float(np.mean(each))
        return 0.0 if mean <= 1 - OVERLAP else mean
    return max(each)


def _of_one(shape: Any, wanted: Any, index: int, size: tuple[int, int]) -> float:
    if wanted.obb is not None:
        return _of_rotated(shape, wanted.obb.xyxyxyxy[index].numpy())
    if wanted.keypoints is not None:
        given = np.array([element.points for element in shape.elements])
        return float(np.abs(given - wanted.keypoints.xy[index].numpy()).max())
    if wanted.masks is not None:
        mask = decode_mask(shape.points, image_width=size[0], image_height=size[1])
        other = wanted.masks.data[index].numpy() > 0
        return 1 - float((mask & other).sum() / (mask | other).sum())
    return float(np.abs(np.array(shape.points) - wanted.boxes.xyxy[index].numpy()).max())


def _of_rotated(shape: Any, wanted: npt.NDArray[np.float32]) -> float:
    """By the corners, whichever of them comes first."""
    x1, y1, x2, y2 = shape.points
    corners = cv2.boxPoints((((x1 + x2) / 2, (y1 + y2) / 2), (x2 - x1, y2 - y1), shape.rotation))
    return min(
        float(np.abs(np.roll(order, turn, 0) - wanted).max()) for order in (corners, corners[::-1]) for turn in range(4)
    )


@contextmanager
def own_folder() -> Iterator[None]:
    """What one network leaves, as YOLOE leaves what reads words, another must not find."""
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        yield


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NETWORKS))
    parser.add_argument("--picture", type=Path, default=Path("build/demo/coffee.png"), help="%(default)s")
    args = parser.parse_args()
    if not args.picture.is_file():
        parser.error(f"there is no {args.picture}: `make demo` lays it, or name another by --picture")
    picture = PIL.Image.open(args.picture).convert("RGB")
    os.environ |= {"YOLO_OFFLINE": "true", "YOLO_AUTOINSTALL": "false"}
    YOLO.parent.mkdir(parents=True, exist_ok=True)
    failed = 0
    with own_folder():
        shutil.move(exported("yolo11n", {}, picture, side=640), YOLO)
    for network in args.names or NETWORKS:
        with own_folder():
            for name, found, apart in compared(network, picture):
                failed += apart > PIXELS
                print(f"{'DIFFERS' if apart > PIXELS else 'ok':8}{name:50}{found:4}{apart:12.6f}", flush=True)
    print(f"{failed} with other answers than ultralytics'")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
