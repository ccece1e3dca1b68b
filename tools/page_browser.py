"""The page in a browser, for its tests and for the tools that photograph and measure it."""

import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cvat_nuclio.errors import UserError
from cvat_nuclio.serve import running

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 120.0
"""Seconds for what a busy machine does late."""
PLACE = """([x, y, slide]) => {
    const s = app.stage, r = s.canvas.getBoundingClientRect(), { x: left, y: top } = s.slides[slide];
    return [r.left + s.x + (left + x) * s.scale, r.top + s.y + (top + y) * s.scale];
}"""


def chromium() -> str:
    """The program: $CHROMIUM, or the system's. Raises UserError without one."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if not found:
        raise UserError("chromium is not installed", remedy="apt-get install chromium, or name one by CHROMIUM=PATH")
    return found


@contextmanager
def launched() -> Iterator[Any]:
    """Chromium without a window, by playwright. Raises UserError without one."""
    from playwright.sync_api import sync_playwright

    # Chromium's own sandbox does not work for root.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    program = chromium()
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=arguments)
        yield browser
        browser.close()


def open_page(browser: Any, url: str, **options: Any) -> Any:
    """The page in a window of its own. `options` are those of playwright's `new_context`."""
    page = browser.new_context(**options).new_page()
    page.set_default_timeout(1000 * PATIENCE)
    page.goto(url)
    page.locator(".function").first.wait_for()
    return page


@contextmanager
def opened(bundles: Sequence[str | Path], **options: Any) -> Iterator[Any]:
    """The page over these bundles, served for the time of the block."""
    with running(*bundles, page=True) as server, launched() as browser:
        yield open_page(browser, server.page_url, **options)


def place(page: Any, x: float, y: float, slide: int = 0) -> tuple[float, float]:
    """Where a pixel of a picture on the stage is on the screen."""
    left, top = page.evaluate(PLACE, [x, y, slide])
    return left, top


def drag(page: Any, start: tuple[float, float], end: tuple[float, float], slide: int = 0) -> None:
    """The mouse pressed from one pixel of a picture to another."""
    page.mouse.move(*place(page, *start, slide))
    page.mouse.down()
    page.mouse.move(*place(page, *end, slide), steps=5)
    page.mouse.up()


def until(page: Any, condition: str) -> None:
    """Waits for what the JavaScript says; the policy forbids playwright's own way, which evaluates in the page."""
    end = time.monotonic() + PATIENCE
    while not page.evaluate(f"Boolean({condition})"):
        assert time.monotonic() < end, condition  # noqa: S101
        page.wait_for_timeout(30)
