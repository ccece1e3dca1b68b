"""What the page costs: `python -m tools.page_speed`, with the extras `browser` and `demo` installed.

Prints the bytes that it loads, the frames a second while a picture of 12 MP is moved and zoomed, and the milliseconds
of clicks. The frames are counted by the browser's own clock of animation frames; without a GPU it renders in software.
"""

import contextlib
import itertools
import os
import statistics
import tempfile
from pathlib import Path
from typing import Any

import PIL.Image

from tools.page_browser import opened, place, until

SAMPLES = Path("generator/cvat_nuclio/playground/page/samples")
SIZE = (4000, 3000)
SECONDS = 4
COUNT = """(seconds) => new Promise((done) => {
    const times = [];
    const tick = (now) => {
        times.push(now);
        if (now - times[0] < 1000 * seconds) requestAnimationFrame(tick); else done(times);
    };
    requestAnimationFrame(tick);
})"""
MOVE = """([kind, seconds]) => {
    const stage = app.stage, start = performance.now();
    const step = (now) => {
        if (now - start > 1000 * seconds) return;
        const turn = (now - start) / 150;
        if (kind === "pan") stage.pan(6 * Math.cos(turn), 6 * Math.sin(turn));
        else stage.zoom(1 + 0.03 * Math.cos(turn));
        requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
}"""


def main() -> None:
    """Prints one line for each measure."""
    with tempfile.TemporaryDirectory() as folder:
        large = Path(folder) / "large.jpg"
        with PIL.Image.open(SAMPLES / "coffee.jpg") as photo:
            photo.resize(SIZE, PIL.Image.Resampling.BICUBIC).save(large, quality=90)
        with opened(["serverless/opencv/grabcut"], viewport={"width": 1440, "height": 900}) as page:
            loaded(page)
            page.set_input_files("#files", str(large))
            until(page, "app.stage.slides.length")
            clicks(page)
            for kind, scale in (("pan", "whole"), ("pan", 1), ("zoom", "whole")):
                frames(page, kind, scale)


def loaded(page: Any) -> None:
    """Bytes of the page's own files; samples are pictures that nobody must load."""
    root = SAMPLES.parent
    own = [file for file in root.rglob("*") if file.is_file() and file.parent != SAMPLES]
    print(f"page: {sum(file.stat().st_size for file in own):,} bytes in {len(own)} files")


def clicks(page: Any) -> None:
    """The first click and four further ones, as the page shows them."""
    times: list[float] = []
    for x, y in ((1930, 1200), (1700, 900), (2200, 1100), (1900, 1500), (2100, 800)):
        before = page.evaluate("app.kind.times.length")
        page.mouse.click(*place(page, x, y))
        until(page, f"app.kind.times.length > {before}")
        times.append(page.evaluate("app.kind.times.at(-1)"))
    further = statistics.median(times[1:])
    print(f"click: first {times[0]:.0f} ms, further {further:.0f} ms (GrabCut on 12 MP)")


def processor_time() -> float:
    """Seconds that the programs under this one have worked: the browser above all."""
    stats = {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            _, parent, *rest = file.read_text().rpartition(") ")[2].split()
            stats[int(file.parent.name)] = (int(parent), int(rest[9]) + int(rest[10]))

    def is_ours(number: int) -> bool:
        return number == os.getpid() or (number in stats and is_ours(stats[number][0]))

    return sum(ticks for number, (_, ticks) in stats.items() if is_ours(number)) / os.sysconf("SC_CLK_TCK")


def frames(page: Any, kind: str, scale: Any) -> None:
    """Frames a second while the picture moves, with the mask on it."""
    page.evaluate("app.stage.fit()")
    if scale != "whole":
        page.evaluate("(scale) => app.stage.zoom(scale / app.stage.scale)", scale)
    before = processor_time()
    page.evaluate(MOVE, [kind, SECONDS])
    times = page.evaluate(COUNT, SECONDS - 0.5)
    apart = sorted(after - before for before, after in itertools.pairwise(times))
    rate = 1000 * len(apart) / sum(apart)
    late = apart[int(len(apart) * 0.95)]
    each = 1000 * (processor_time() - before) / len(times)
    shown = "the whole picture" if scale == "whole" else "at 100%"
    print(f"{kind}, {shown}: {rate:.1f} frames/s; 95% within {late:.1f} ms; {each:.1f} ms of a core each")


if __name__ == "__main__":
    main()
