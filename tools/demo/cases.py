"""What the demo asks of each function."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

import attrs

from .media import SHOT

OCR, OCR_NAME = "serverless/onnx/text-detection/nuclio", "ch_PP-OCRv4_det_infer"

Answer = Mapping[str, Any]
"""What `cvat-nuclio invoke --json` prints."""


@attrs.frozen(kw_only=True)
class Case:
    """One function: where it is, what it is sent, and how its answer is told in a few words."""

    folder: str
    """Its folder in `serverless/`, and so where its bundle goes."""
    module: str
    """Of `cvat_functions`."""
    options: Sequence[str] = ()
    """What `generate` is told beside."""
    images: Sequence[str]
    """In `build/demo/`; `*` as in a shell."""
    prompts: Sequence[str] = ()
    picture: str
    tell: Callable[[Answer], str]

    @property
    def name(self) -> str:
        """The bundle's folder, and the function's id."""
        return self.folder.split("/")[-1]


def milliseconds(answer: Answer) -> float:
    """The median call's time, as CVAT would wait for it."""
    return float(median(answer["milliseconds"]))


def _lines(answer: Answer) -> str:
    return f"{len(answer['kept'])} lines of text"


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


def _options(name: str, *values: str) -> list[str]:
    return [word for value in values for word in (name, value)]


CASES = (
    Case(
        folder="onnx/text-detection",
        module="text_detection_onnx",
        options=("-p", f"weights=file:{OCR}/{OCR_NAME}.onnx", "--add", f"{OCR}/LICENSE.{OCR_NAME}"),
        images=("page.png",),
        picture="text-detection.png",
        tell=_lines,
    ),
    Case(
        folder="opencv/grabcut",
        module="grabcut",
        images=("coffee.png",),
        prompts=("--box", "70,10,490,392", "--pos", "290,160"),
        picture="grabcut.png",
        tell=_pixels,
    ),
    Case(
        folder="opencv/correlation-tracker",
        module="correlation_tracker",
        images=("frames/*.png",),
        prompts=_options("--shape", "rectangle:65,106,302,268", "rectangle:408,53,494,173"),
        picture="correlation-tracker.gif",
        tell=_tracks,
    ),
    Case(
        folder="opencv/appearance-reid",
        module="appearance_reid",
        images=("frames/106.png", f"frames/{SHOT.stop - 1}.png"),
        # The same five things, in another order on the second frame: a man, a window, a sign, a poster, a motorcycle.
        prompts=[
            *_options(
                "--box0", "378,23,463,137", "37,72,274,234", "232,60,293,105", "330,20,372,90", "530,150,640,272"
            ),
            *_options("--box1", "535,125,640,272", "345,0,385,70", "385,0,472,117", "44,50,281,212", "240,35,300,80"),
        ],
        picture="appearance-reid.png",
        tell=_matches,
    ),
)
