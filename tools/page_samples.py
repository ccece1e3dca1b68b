"""Makes the page's three samples anew: `python -m tools.page_samples`, with the extra `demo` installed.

`coffee.jpg` is scikit-image's photograph `coffee` (CC0, Rachel Michetti) as JPEG. The letter is set here, and the clip
is a camera that pans and turns over the photograph, so that what lies on the table moves from frame to frame.
"""

import textwrap
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont

from tools.demo.media import PHOTOS, packaged

SAMPLES = Path("generator/cvat_nuclio/playground/page/samples")
FRAMES = 24
CLIP = (384, 256)
LETTER = (
    "Dear reader,",
    "this page is one of the samples that come with the tool. A detector of text finds each of its lines.",
    "Give it a page of your own next: drop it here, paste it, or open it. What you see then is what CVAT would keep of "
    "the answer; what it would drop is told beside it, with the reason.",
    "Yours, the tool",
)


def main() -> None:
    """Writes the samples, and a picture for the clip's button."""
    SAMPLES.mkdir(parents=True, exist_ok=True)
    with PIL.Image.open(packaged(*PHOTOS["coffee.png"][:2])) as photo:
        coffee = photo.convert("RGB")
    coffee.save(SAMPLES / "coffee.jpg", quality=82, optimize=True)
    letter().save(SAMPLES / "letter.png", optimize=True)
    frames = list(pan(np.asarray(coffee)[..., ::-1]))
    PIL.Image.fromarray(frames[-1][..., ::-1]).save(SAMPLES / "table.jpg", quality=70, optimize=True)
    video = cv2.VideoWriter(str(SAMPLES / "table.mp4"), cv2.VideoWriter.fourcc(*"mp4v"), 12, CLIP)
    for frame in frames:
        video.write(frame)
    video.release()


def letter() -> PIL.Image.Image:
    """Black on paper, 640 x 440."""
    page = PIL.Image.new("RGB", (640, 440), (246, 243, 235))
    draw = PIL.ImageDraw.Draw(page)
    y = 34
    for number, paragraph in enumerate(LETTER):
        size = 26 if number == 0 else 19
        font = PIL.ImageFont.load_default(size)
        for line in textwrap.wrap(paragraph, 60):
            draw.text((40, y), line, font=font, fill=(28, 30, 38))
            y += round(size * 1.5)
        y += 12
    return page.quantize(32).convert("P")


def pan(photo: cv2.typing.MatLike) -> list[cv2.typing.MatLike]:
    """The clip's frames, BGR: right and down over the photograph, nearer, and turned by some degrees."""
    frames = []
    for step in np.linspace(0, 1, FRAMES):
        turned = cv2.getRotationMatrix2D((300, 170), -6 + 12 * step, 0.72 + 0.1 * step)
        turned[:, 2] += (CLIP[0] / 2 - 300 + 50 - 100 * step, CLIP[1] / 2 - 170 + 20 - 40 * step)
        frames.append(cv2.warpAffine(photo, turned, CLIP, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT))
    return frames


if __name__ == "__main__":
    main()
