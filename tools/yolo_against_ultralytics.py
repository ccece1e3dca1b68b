"""Compares `cvat_functions.yolo_onnx` with ultralytics' own predictions, over graphs that ultralytics exports.

    uv pip install --no-deps --target build/ultralytics ultralytics ultralytics-thop
    PYTHONPATH=build/ultralytics YOLO_OFFLINE=true python -m tools.yolo_against_ultralytics

The networks are random, with their heads widened so that they are sure of something; nothing is downloaded. ultralytics
is AGPL-3.0: it is no dependency, and nothing of it is in the repository. Exit status 1 where an answer differs. Leaves
a YOLO11n of 640 x 640 in build/yolo for `tools.function_times`.
"""

import argparse
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import chdir
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt
import PIL.Image
import torch
from cvat_sdk.masks import decode_mask

from aa_runtime import FunctionSource, load

FOLDER = Path("build/yolo")
SIDE = 320
FOUND = 40
"""How many objects the threshold lets through."""
PIXELS, OVERLAP = 1e-3, 0.95
"""The most that coordinates may differ; the least that masks overlap on average: borders are sampled otherwise."""

SUFFIXES = {"detect": "", "segment": "-seg", "pose": "-pose", "obb": "-obb"}
NMS: dict[str, object] = {"nms": True, "conf": 0.01}
END2END: dict[str, object] = {"nms": False}
FREE: dict[str, object] = {"dynamic": True}
#: By family: how ultralytics exports its graphs, for each of the tasks.
EXPORTS: Mapping[str, tuple[Mapping[str, object], ...]] = {
    "yolo11n": ({}, FREE, NMS, NMS | FREE),
    "yolov8n": ({}, NMS),
    "yolo26n": ({}, END2END, END2END | FREE),
}
#: A size that a user would have, for measurements.
USUAL = Path("build/yolo/yolo11n-640.onnx")
DETECT_ONLY: Mapping[str, tuple[Mapping[str, object], ...]] = {"yolov10n": ({}, END2END)}


@attrs.frozen
class Compared:
    name: str
    found: int
    difference: float
    """The largest, in pixels; of masks the mean of what does not overlap."""
    is_alike: bool


def graphs() -> Iterator[tuple[str, str, Mapping[str, object]]]:
    for family, exports in EXPORTS.items():
        for task in SUFFIXES:
            yield from ((family, task, export) for export in exports)
    for family, exports in DETECT_ONLY.items():
        yield from ((family, "detect", export) for export in exports)


def exported(family: str, task: str, export: Mapping[str, object], picture: PIL.Image.Image, side: int = SIDE) -> Path:
    """The graph of a random network, as ultralytics writes it."""
    from ultralytics import YOLO

    torch.manual_seed(0)
    network = YOLO(f"{family}{SUFFIXES[task]}.yaml", verbose=False)
    _widen(network.model, picture, "dynamic" in export)
    written = network.export(format="onnx", imgsz=side, simplify=False, opset=17, verbose=False, **export)
    name = "-".join([family, task, *(f"{key}_{value}" for key, value in export.items() if key != "conf")])
    return Path(written).rename(f"{name}.onnx")


def _letterboxed(picture: PIL.Image.Image, is_free: bool) -> torch.Tensor:
    """The picture as ultralytics feeds it to the graph."""
    from ultralytics.data.augment import LetterBox

    pixels = LetterBox((SIDE, SIDE), auto=is_free, stride=32)(image=np.asarray(picture))
    return torch.from_numpy(pixels.transpose(2, 0, 1)[None].astype(np.float32) / 255)


def _widen(network: Any, picture: PIL.Image.Image, is_free: bool) -> None:
    """Spreads what the last layers answer about this picture; by itself every score would be the same."""
    head = network.model[-1]
    batch = _letterboxed(picture, is_free)
    # As they are made, networks this deep answer nothing but their last layers' biases.
    for part in network.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.momentum = 1.0
    with torch.no_grad():
        network.train()(batch)
    for name in ("cv2", "cv3", "cv4", "one2one_cv2", "one2one_cv3", "one2one_cv4"):
        for branch in getattr(head, name, None) or ():
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


def compare(graph: Path, task: str, picture: PIL.Image.Image) -> Compared:
    """ultralytics' answer for a picture beside the function's, both from the same graph."""
    from ultralytics import YOLO

    theirs = YOLO(str(graph), task=task)
    pixels = np.asarray(picture)[..., ::-1]

    def predict(confidence: float) -> Any:
        return theirs.predict(pixels, conf=confidence, imgsz=SIDE, verbose=False, save=False, retina_masks=True)[0]

    scores = np.sort(_boxes(predict(1e-3)).conf.numpy())[::-1]
    # Between two scores, so that rounding decides nothing.
    last = min(FOUND, len(scores) - 1)
    threshold = float(scores[last - 1] + scores[last]) / 2
    parameters = {"weights": str(graph.resolve()), "imgsz": SIDE}
    function = load(FunctionSource(module="cvat_functions.yolo_onnx", parameters=parameters))
    context = SimpleNamespace(conf_threshold=threshold, conv_mask_to_poly=False, frame_name="picture")
    ours, answer = function.detect(context, picture), predict(threshold)
    count = len(_boxes(answer))
    if len(ours) != count or count == 0:
        return Compared(graph.stem, len(ours), np.inf, False)
    differences = [_difference(task, shape, answer, index, picture.size) for index, shape in enumerate(ours)]
    difference = float(np.mean(differences) if task == "segment" else max(differences))
    return Compared(graph.stem, count, difference, difference <= (1 - OVERLAP if task == "segment" else PIXELS))


def _boxes(answer: Any) -> Any:
    return answer.boxes if answer.obb is None else answer.obb


def _difference(task: str, shape: Any, answer: Any, index: int, size: tuple[int, int]) -> float:
    """Of one object; infinite where its class is another."""
    if shape.label_id != int(_boxes(answer).cls[index]):
        return np.inf
    if task == "obb":
        return _of_rotated(shape, answer.obb.xyxyxyxy[index].numpy())
    if task == "pose":
        given = np.array([element.points for element in shape.elements])
        return float(np.abs(given - answer.keypoints.xy[index].numpy()).max())
    if task == "segment":
        given = decode_mask(shape.points, image_width=size[0], image_height=size[1])
        wanted = answer.masks.data[index].numpy() > 0
        return 1 - float((given & wanted).sum() / (given | wanted).sum())
    return float(np.abs(np.array(shape.points) - answer.boxes.xyxy[index].numpy()).max())


def _of_rotated(shape: Any, wanted: npt.NDArray[np.float32]) -> float:
    """By the corners, whichever of them comes first."""
    x1, y1, x2, y2 = shape.points
    centre, angle = np.array([x1 + x2, y1 + y2]) / 2, np.radians(shape.rotation)
    along = np.array([np.cos(angle), np.sin(angle)]) * (x2 - x1) / 2
    across = np.array([-np.sin(angle), np.cos(angle)]) * (y2 - y1) / 2
    corners = np.array(
        [centre + along + across, centre + along - across, centre - along - across, centre - along + across]
    )
    return min(
        float(np.abs(np.roll(order, turn, 0) - wanted).max()) for order in (corners, corners[::-1]) for turn in range(4)
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("picture", type=Path, nargs="?", default=Path("build/demo-torch/coffee.png"))
    picture = PIL.Image.open(parser.parse_args().picture.resolve()).convert("RGB")
    os.environ.setdefault("YOLO_OFFLINE", "true")
    FOLDER.mkdir(parents=True, exist_ok=True)
    results = []
    with chdir(FOLDER):
        exported("yolo11n", "detect", {}, picture, side=640).rename(USUAL.name)
        for family, task, export in graphs():
            result = compare(exported(family, task, export, picture), task, picture)
            results.append(result)
            print(
                f"{'ok' if result.is_alike else 'DIFFERS':8}{result.name:50}{result.found:4}{result.difference:12.6f}",
                flush=True,
            )
    failed = sum(not result.is_alike for result in results)
    print(f"{len(results)} graphs, {failed} of them with other answers than ultralytics'")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
