"""The page in a browser, for the tools that photograph and measure it."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from cvat_nuclio.errors import UserError
from cvat_nuclio.serve import running

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def chromium() -> str:
    """The program: $CHROMIUM, or the system's. Raises UserError without one."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if not found:
        raise UserError("chromium is not installed", remedy="apt-get install chromium, or name one by CHROMIUM=PATH")
    return found


@contextmanager
def opened(bundles: Sequence[str | Path], **options: Any) -> Iterator[Any]:
    """The page over these bundles. `options` are those of playwright's `new_context`."""
    # Chromium's own sandbox does not work for root.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with running(*bundles, page=True) as server, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium(), args=arguments)
        page = browser.new_context(**options).new_page()
        page.set_default_timeout(120_000)
        page.goto(server.page_url)
        page.locator(".function").first.wait_for()
        yield page
        browser.close()


PLACE = """([x, y]) => { const s = app.stage, r = s.canvas.getBoundingClientRect();
    return [r.left + s.x + x * s.scale, r.top + s.y + y * s.scale] }"""


def place(page: Any, x: float, y: float) -> tuple[float, float]:
    """Where a pixel of the picture is on the screen."""
    left, top = page.evaluate(PLACE, [x, y])
    return left, top


def until(page: Any, condition: str) -> None:
    """Waits for what the JavaScript says; the page's policy forbids playwright's own way."""
    while not page.evaluate(f"Boolean({condition})"):
        page.wait_for_timeout(30)
