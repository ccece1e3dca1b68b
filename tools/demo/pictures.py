"""Makes the functions' pictures in `docs/pictures/` from what the demos left: `python -m tools.demo.pictures`."""

from collections.abc import Sequence
from pathlib import Path

import PIL.Image
import PIL.ImageSequence

from .cases import DEMO, without_weights

PICTURES = Path("docs/pictures")
STRIP = (0, 4, 6, 20, 28, 60)
"""Frames of the shot: whole, nearly hidden, hidden, found again, the last."""


def main() -> None:
    """One picture for each function, below 300 KB; of random weights' answers below 60 KB."""
    real = {case.name for case in without_weights()}
    for file in sorted(DEMO.glob("*.json")):
        (answer,) = (file.with_suffix(suffix) for suffix in (".png", ".gif") if file.with_suffix(suffix).exists())
        with PIL.Image.open(answer) as film:
            frames = [frame.convert("RGB") for frame in PIL.ImageSequence.Iterator(film)]
        shown = [frames[number] for number in STRIP] if len(frames) > max(STRIP) else frames
        picture = strip(shown, columns=3 if len(shown) == len(STRIP) else min(2, len(shown)))
        side, quality = (1200, 85) if file.stem in real else (640 if picture.width < 2 * picture.height else 1280, 70)
        picture.thumbnail((side, side))
        picture.save(PICTURES / f"{file.stem}.jpg", quality=quality, optimize=True)


def strip(frames: Sequence[PIL.Image.Image], columns: int) -> PIL.Image.Image:
    """The frames in rows of `columns`."""
    width, height = frames[0].size
    sheet = PIL.Image.new("RGB", (width * columns, height * -(-len(frames) // columns)))
    for number, frame in enumerate(frames):
        sheet.paste(frame, (number % columns * width, number // columns * height))
    return sheet


if __name__ == "__main__":
    main()
