"""Makes the pictures in `docs/pictures/` from what `make demo` left: `python -m tools.demo.pictures`."""

from pathlib import Path

import PIL.Image
import PIL.ImageSequence

DEMO = Path("build/demo")
PICTURES = Path("docs/pictures")
STRIP = (0, 4, 6, 20, 28, 60)
"""Frames of the shot: whole, nearly hidden, hidden, found again, the last."""


def main() -> None:
    """Writes the pictures, none above 300 KB."""
    PICTURES.mkdir(parents=True, exist_ok=True)
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


def save(picture: PIL.Image.Image, name: str) -> None:
    picture = picture.convert("RGB")
    picture.thumbnail((1200, 1200))
    picture.save(PICTURES / f"{name}.jpg", quality=85, optimize=True)


if __name__ == "__main__":
    main()
