"""Makes the pictures in `docs/pictures/` from what the demos left.

python -m tools.demo.pictures            # after `make demo`
python -m tools.demo.pictures --torch    # after `make demo-torch`: random weights, small pictures
"""

import argparse
from pathlib import Path

import PIL.Image
import PIL.ImageSequence

DEMO = Path("build/demo")
PICTURES = Path("docs/pictures")
STRIP = (0, 4, 6, 20, 28, 60)
"""Frames of the shot: whole, nearly hidden, hidden, found again, the last."""

DEMO_TORCH = Path("build/demo-torch")
#: Those drawn at twice the width: two frames are side by side.
WIDE = {"person-reid"}
SMALL = 640


def main() -> None:
    """Writes the pictures, none above 300 KB; of random weights' answers none above 60 KB."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--torch", action="store_true", help="those of `make demo-torch`")
    PICTURES.mkdir(parents=True, exist_ok=True)
    (of_random_weights if parser.parse_args().torch else of_demo)()


def of_random_weights() -> None:
    """One picture for each function of `make demo-torch`; four frames of those that follow something."""
    for file in sorted(DEMO_TORCH.glob("*.json")):
        film = file.with_suffix(".gif")
        with PIL.Image.open(film if film.exists() else file.with_suffix(".png")) as picture:
            frames = [frame.convert("RGB") for frame in PIL.ImageSequence.Iterator(picture)]
        shown = strip([frames[number] for number in (0, 1, 3, 5)], columns=2) if film.exists() else frames[0]
        save(shown, file.stem, SMALL * (1 + (file.stem in WIDE)), quality=70)


def of_demo() -> None:
    """One picture for each function of `make demo`, and the README's."""
    for name in ("text-detection", "grabcut", "appearance-reid"):
        with PIL.Image.open(DEMO / f"{name}.png") as picture:
            save(picture, name)
    with PIL.Image.open(DEMO / "correlation-tracker.gif") as film:
        frames = [frame.convert("RGB") for frame in PIL.ImageSequence.Iterator(film)]
    save(strip([frames[number] for number in STRIP], columns=3), "correlation-tracker")
    overview()


def overview() -> None:
    """`demo.jpg`, the README's one picture: text and cut-out side by side, the tracker's strip below."""
    width = 1200
    with (
        PIL.Image.open(PICTURES / "text-detection.jpg") as text,
        PIL.Image.open(PICTURES / "grabcut.jpg") as cut,
        PIL.Image.open(PICTURES / "correlation-tracker.jpg") as film,
    ):
        ratios = [text.width / text.height, cut.width / cut.height]
        height = round(width / sum(ratios))
        left = round(height * ratios[0])
        sheet = PIL.Image.new("RGB", (width, height + film.height * width // film.width))
        sheet.paste(text.resize((left, height)), (0, 0))
        sheet.paste(cut.resize((width - left, height)), (left, 0))
        sheet.paste(film.resize((width, sheet.height - height)), (0, height))
    save(sheet, "demo")


def strip(frames: list[PIL.Image.Image], columns: int) -> PIL.Image.Image:
    """The frames in rows of `columns`."""
    width, height = frames[0].size
    sheet = PIL.Image.new("RGB", (width * columns, height * -(-len(frames) // columns)))
    for number, frame in enumerate(frames):
        sheet.paste(frame, (number % columns * width, number // columns * height))
    return sheet


def save(picture: PIL.Image.Image, name: str, side: int = 1200, quality: int = 85) -> None:
    picture = picture.convert("RGB")
    picture.thumbnail((side, side))
    picture.save(PICTURES / f"{name}.jpg", quality=quality, optimize=True)


if __name__ == "__main__":
    main()
