"""The pictures of the page: `python -m tools.page_film`, with the extras `browser` and `demo` installed.

For the README a click that becomes a mask, filmed: docs/pictures/page.webp. A pointer shows where the mouse is. For
docs/page.md a tracker and a ReID function, as photographs.
"""

import io
from pathlib import Path
from typing import Any

import PIL.Image

from tools.page_browser import drag, opened, place, until

DEMO = ("opencv/grabcut", "opencv/correlation-tracker", "opencv/appearance-reid", "onnx/text-detection")
FILM = Path("docs/pictures/page.webp")
CLIP = Path("generator/cvat_nuclio/playground/page/samples/table.mp4")
BOXES = (((150, 40), (330, 190)), ((250, 180), (310, 250)))
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


def film_clicks(page: Any) -> None:
    """Three clicks on the cup, and writes the film."""
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


def photograph(page: Any, name: str) -> None:
    page.mouse.move(5, 5)
    page.wait_for_timeout(500)
    picture = PIL.Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    picture.save(FILM.with_name(f"page-{name}.jpg"), quality=82, optimize=True)


def stills(page: Any) -> None:
    """The cup and the spoon, followed through the clip and found again on another of its frames."""
    page.get_by_role("radio", name="Correlation").click()
    page.set_input_files("#files", str(CLIP))
    until(page, "app.stage.slides.length")
    for box in BOXES:
        drag(page, *box)
    page.click("#play")
    until(page, "app.answer.report && app.answer.report.done")
    photograph(page, "tracker")
    page.get_by_role("radio", name="Appearance").click()
    until(page, "app.stage.slides.length == 2")
    for slide, moved in ((0, 0), (1, -16)):
        for (x0, y0), (x1, y1) in BOXES:
            drag(page, (x0 + moved, y0 + moved / 2), (x1 + moved, y1 + moved / 2), slide)
    until(page, "app.answer.report && app.kind.joined().length == 2")
    photograph(page, "reid")


def main() -> None:
    """Writes all three."""
    bundles = [f"serverless/{name}" for name in DEMO]
    with opened(bundles, viewport=SIZE) as page:
        film_clicks(page)
    with opened(bundles, viewport=SIZE, color_scheme="dark") as page:
        stills(page)


if __name__ == "__main__":
    main()
