"""`serve --open`, with a browser that writes down what it is told."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import urllib3

HEADERS = {"x-cvat-nuclio": "page"}


def serve(repository: Path, log: Path, *more: str, **environment: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "cvat_nuclio", "serve", "tests/serve/echo", "--dashboard-port", "0", *more]
    env = {key: value for key, value in os.environ.items() if key not in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")}
    with log.open("wb") as file:
        return subprocess.Popen(command, cwd=repository, env=env | environment, stderr=file)


def text_with(file: Path, words: str) -> str:
    """What a file holds, once it holds these words."""
    end = time.monotonic() + 60
    while not file.exists() or words not in file.read_text():
        assert time.monotonic() < end, file.read_text()
        time.sleep(0.05)
    return file.read_text()


def end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0


def test_the_browser_gets_the_address_that_the_table_names(repository: Path, tmp_path: Path) -> None:
    browser, seen, log = tmp_path / "browser", tmp_path / "seen", tmp_path / "log"
    browser.write_text(f'#!/bin/sh\necho "$1 seen" > {seen}\n')
    browser.chmod(0o755)
    process = serve(repository, log, "--open", BROWSER=str(browser))
    url = text_with(seen, "seen").split()[0]
    assert f"page      {url} (" in text_with(log, "Ctrl-C ends it")
    listed = urllib3.request("GET", f"{url}/api/functions", headers=HEADERS).json()
    assert [each["name"] for each in listed] == ["echo"]
    end(process)


def test_without_a_display_it_is_said_and_without_a_page_there_is_no_address(repository: Path, tmp_path: Path) -> None:
    process = serve(repository, tmp_path / "log", "--open")
    text_with(tmp_path / "log", "there is no display to open it on")
    end(process)
    process = serve(repository, tmp_path / "bare", "--no-page")
    assert "page " not in text_with(tmp_path / "bare", "Ctrl-C ends it")
    end(process)
