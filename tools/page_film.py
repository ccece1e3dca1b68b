"""The README's first picture: `python -m tools.page_film`, with the extras `browser` and `demo` installed.

A click that becomes a mask, filmed from the page itself: docs/pictures/page.webp. A pointer shows where the mouse is.
"""

import io
from pathlib import Path
from typing import Any

import PIL.Image

from tools.page_browser import opened, place, until

DEMO = ("opencv/grabcut", "opencv/correlation-tracker", "opencv/appearance-reid", "onnx/text-detection")
FILM = Path("docs/pictures/page.webp")
SIZE = {"width": 1120, "height": 660}
SHORT, LONG = 60, 1600
# Into the cup, on its red side, and at the saucer's right.
CLICKS = ((290, 140), (250, 225), (450, 240))
POINTER = """() => {
    const pointer = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    pointer.setAttribute("viewBox", "0 0 16 24");
    pointer.innerHTML = '<path d="M1 1v17l4-4 3 8 3-1-3-8h6z" fill="#fff" stroke="#000" stroke-width="1.4"/>';
    const style = { position: "fixed", left: "-40px", width: "17px", zIndex: 99, pointerEvents: "none" };
    Object.assign(pointer.style, style);
    document.body.append(pointer);
    const follow = ({ clientX: x, clientY: y }) => Object.assign(pointer.style, { left: `${x}px`, top: `${y}px` });
    addEventListener("pointermove", follow, true);
}"""


class Film:
    """Photographs with the milliseconds that each stands."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.frames: list[PIL.Image.Image] = []
        self.times: list[int] = []
        self.at = (SIZE["width"] * 0.7, SIZE["height"] * 0.95)

    def take(self, milliseconds: int) -> None:
        self.frames.append(PIL.Image.open(io.BytesIO(self.page.screenshot())).convert("RGB"))
        self.times.append(milliseconds)

    def move(self, x: float, y: float, steps: int = 9) -> None:
        """The mouse on its way, slower at both ends."""
        start = self.at
        for step in range(1, steps + 1):
            share = step / steps
            eased = share * share * (3 - 2 * share)
            self.at = (start[0] + (x - start[0]) * eased, start[1] + (y - start[1]) * eased)
            self.page.mouse.move(*self.at)
            self.take(SHORT)

    def answered(self, calls: int) -> None:
        """Waits for the answer; then it is looked at."""
        until(self.page, f"app.kind.times.length == {calls}")
        self.page.wait_for_timeout(300)
        self.take(LONG)


def main() -> None:
    """Films, and writes the file."""
    with opened([f"serverless/{name}" for name in DEMO], viewport=SIZE) as page:
        page.evaluate(POINTER)
        film = Film(page)
        sample = page.locator(".sample").first
        page.wait_for_timeout(500)
        film.take(700)
        box = sample.bounding_box()
        film.move(box["x"] + 90, box["y"] + 60)
        page.mouse.click(*film.at)
        until(page, "app.stage.slides.length")
        page.wait_for_timeout(300)
        film.take(500)
        for number, at in enumerate(CLICKS, start=1):
            film.move(*place(page, *at))
            page.mouse.click(*film.at)
            film.take(300)
            film.answered(number)
        film.times[-1] = 3000
    film.frames[0].save(
        FILM, save_all=True, append_images=film.frames[1:], duration=film.times, loop=0, quality=72, method=6
    )
    print(f"{FILM}: {FILM.stat().st_size:,} bytes, {len(film.frames)} pictures")


if __name__ == "__main__":
    main()
