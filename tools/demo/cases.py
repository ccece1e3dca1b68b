"""What the demo asks of each function, and how it tells the answers."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from cvat_nuclio.nuclio.function_yaml import FunctionYaml
from tools import random_weights

DEMO = Path("build/demo")
OCR, OCR_NAME = "serverless/onnx/text-detection/nuclio", "ch_PP-OCRv4_det_infer"
#: Smaller pictures and fewer objects: random weights would find a hundred.
FEW = ("min_size=int:320", "max_size=int:480", "box_detections_per_img=int:5")

Answer = Mapping[str, Any]
"""What `cvat-nuclio invoke --json` prints."""


@attrs.frozen
class Asked:
    """What a function of a kind is sent: pictures in `build/demo/`, `*` as in a shell; and how its answer is told in a
    few words."""

    images: Sequence[str]
    prompts: Sequence[str]
    suffix: str
    """Of the picture of the answer."""
    tell: Callable[[Answer], str]


@attrs.frozen
class Case:
    """One function: its bundle's folder, and what makes it of what."""

    folder: str
    generate: Sequence[str]
    """The words of the command after `cvat-nuclio`."""
    kind: str
    asked: Asked

    @property
    def name(self) -> str:
        return self.folder.rpartition("/")[2]

    @property
    def picture(self) -> str:
        """Of its answer."""
        return f"{DEMO}/{self.name}.{self.asked.suffix}"

    def invoke(self, target: str) -> list[str]:
        """The command that sends what CVAT would send; `target` is a bundle's folder, or a URL."""
        images = [f"{DEMO}/{image}" for image in self.asked.images]
        return ["invoke", target, *images, *self.asked.prompts, "--output", self.picture]


def _options(name: str, *values: str) -> list[str]:
    return [word for value in values for word in (name, value)]


def _shapes(answer: Answer) -> str:
    counts = Counter(shape["label"] for shape in answer["kept"])
    return ", ".join(f"{count} × {label}" for label, count in counts.items())


def _pixels(answer: Answer) -> str:
    shapes = answer["answers"][0]["shapes"]
    pixels = sum(sum(shape["points"][1:-4:2]) for shape in shapes)
    return f"{len(shapes)} mask of {pixels:,} pixels"


def _tracks(answer: Answer) -> str:
    frames = Counter(shape["track"] for shape in answer["kept"])
    return f"{len(frames)} objects on {max(frames.values()) - 1} more frames"


def _matches(answer: Answer) -> str:
    (matching,) = answer["answers"]
    pairs = sum(index >= 0 for index in matching)
    return f"{pairs} of {len(answer['requests'][0]['boxes0'])} boxes found again"


ASKED = {
    "detector": Asked(["coffee.png"], [], "png", _shapes),
    "interactor": Asked(["coffee.png"], ["--box", "70,10,490,392", "--pos", "290,160"], "png", _pixels),
    "tracker": Asked(
        ["frames/*.png"], _options("--shape", "rectangle:65,106,302,268", "rectangle:408,53,494,173"), "gif", _tracks
    ),
    # The same five things, in another order on the second frame: a man, a window, a sign, a poster, a motorcycle.
    "reid": Asked(
        ["frames/106.png", "frames/136.png"],
        [
            *_options(
                "--box0", "378,23,463,137", "37,72,274,234", "232,60,293,105", "330,20,372,90", "530,150,640,272"
            ),
            *_options("--box1", "535,125,640,272", "345,0,385,70", "385,0,472,117", "44,50,281,212", "240,35,300,80"),
        ],
        "png",
        _matches,
    ),
}


def without_weights() -> Iterator[Case]:
    """One function of each kind; text detection's weights are in the repository."""
    text = ("-p", f"weights=file:{OCR}/{OCR_NAME}.onnx", "--add", f"{OCR}/LICENSE.{OCR_NAME}")
    for name, module, kind, *options in (
        ("text-detection", "text_detection_onnx", "detector", *text),
        ("grabcut", "grabcut", "interactor"),
        ("correlation-tracker", "correlation_tracker", "tracker"),
        ("appearance-reid", "appearance_reid", "reid"),
    ):
        folder = f"{DEMO}/bundles/{name}"
        words = ["generate", f"cvat_functions.{module}", "--output", folder, *options]
        asked = attrs.evolve(ASKED[kind], images=["page.png"]) if kind == "detector" else ASKED[kind]
        yield Case(folder, words, kind, asked)


def with_random_weights(folder: Path) -> Iterator[Case]:
    """Every function of `serverless/` that needs weights, over small random ones in `folder`."""
    for bundle in random_weights.small():
        copy = folder / "serverless" / bundle
        few = _options("-p", *FEW) if bundle.endswith(("detection", "segmentation")) else []
        kind = FunctionYaml.open(copy).kind
        asked = attrs.evolve(ASKED[kind], images=["frames/07*.png"]) if kind == "tracker" else ASKED[kind]
        yield Case(str(copy), ["generate", str(copy), *few], kind, asked)
