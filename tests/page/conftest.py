"""The page in a real browser: Debian's chromium, driven by playwright, in front of served functions."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from cvat_nuclio.serve import Server, running

DEMO = ("opencv/grabcut", "opencv/correlation-tracker", "opencv/appearance-reid", "onnx/text-detection")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 120.0
"""Seconds for what a busy machine does late."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A chromium without a window. $CHROMIUM names another than the system's."""
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if not program:
        pytest.skip("chromium is not installed: apt-get install chromium, or name one by CHROMIUM=PATH")
    from playwright.sync_api import sync_playwright

    # Chromium's own sandbox does not work for root.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def served(repository: Path) -> Iterator[Server]:
    """The demo's four functions, and the page."""
    with running(*(repository / "serverless" / name for name in DEMO), page=True) as server:
        yield server


@attrs.define
class Tab:
    """The page in one tab. Places are pixels of the picture on the stage."""

    page: Any
    errors: list[str] = attrs.field(factory=list)

    def choose(self, title: str) -> None:
        """A function by its title."""
        self.page.get_by_role("radio", name=title).click()

    def give(self, *files: Path) -> None:
        """By the dialog, as a user does; returns when the picture is on the stage."""
        before = self.page.locator(".thumb").count()
        self.page.set_input_files("#files", [str(file) for file in files])
        self.page.locator(".thumb").nth(before).wait_for()
        self.until("app.stage.slides.length > 0")

    def place(self, x: float, y: float, slide: int = 0) -> tuple[float, float]:
        """Where a place of the picture is on the screen."""
        place = """([x, y, slide]) => {
            const s = app.stage, r = s.canvas.getBoundingClientRect(), { x: left, y: top } = s.slides[slide];
            return [r.left + s.x + (left + x) * s.scale, r.top + s.y + (top + y) * s.scale] }"""
        left, top = self.page.evaluate(place, [x, y, slide])
        return left, top

    def click(self, x: float, y: float, button: str = "left", slide: int = 0) -> None:
        self.page.mouse.click(*self.place(x, y, slide), button=button)

    def drag(self, start: tuple[float, float], end: tuple[float, float], slide: int = 0) -> None:
        """The mouse pressed from one place to another."""
        self.page.mouse.move(*self.place(*start, slide))
        self.page.mouse.down()
        self.page.mouse.move(*self.place(*end, slide), steps=5)
        self.page.mouse.up()

    def pixel(self, x: float, y: float, slide: int = 0) -> list[int]:
        """The colour that is painted at a place of the picture: red, green, blue."""
        paint = """([x, y, slide]) => { const s = app.stage, r = s.ratio; s.draw(true);
            const at = [(s.x + (s.slides[slide].x + x) * s.scale) * r, (s.y + (s.slides[slide].y + y) * s.scale) * r];
            return [...s.context.getImageData(...at.map(Math.round), 1, 1).data].slice(0, 3) }"""
        colour: list[int] = self.page.evaluate(paint, [x, y, slide])
        return colour

    def until(self, condition: str) -> None:
        """Waits for what the JavaScript says; the policy forbids playwright's own way, which evaluates in the page."""
        end = time.monotonic() + PATIENCE
        while not self.page.evaluate(f"Boolean({condition})"):
            assert time.monotonic() < end, condition
            self.page.wait_for_timeout(30)

    def answered(self, condition: str = "true") -> Any:
        """Waits for an answer that fits the JavaScript `condition` on `report`; the report."""
        self.until(f"(report => report && ({condition}))(app.answer.report)")
        return self.page.evaluate("app.answer.report")


@pytest.fixture
def tab(browser: Any, served: Server) -> Iterator[Callable[..., Tab]]:
    """`tab()` opens the page in a tab of its own; what a script or the policy complains of fails the test."""
    tabs = []

    def open_tab(server: Server = served, **options: Any) -> Tab:
        page = browser.new_context(viewport={"width": 1280, "height": 800}, **options).new_page()
        page.set_default_timeout(1000 * PATIENCE)
        tab = Tab(page)
        tabs.append(tab)
        page.on("pageerror", lambda error: tab.errors.append(str(error)))
        page.on("console", lambda line: tab.errors.append(line.text) if "Security Policy" in line.text else None)
        page.goto(server.page_url)
        page.locator(".function").first.wait_for()
        return tab

    yield open_tab
    for each in tabs:
        each.page.context.close()
    assert [error for tab in tabs for error in tab.errors] == []


@pytest.fixture(scope="session")
def samples(repository: Path) -> Path:
    """The page's own samples."""
    return repository / "generator/cvat_nuclio/playground/page/samples"
