"""The recorded processor: its vectors, the engines that must answer the same, and a client that sees every byte."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
HOME = os.environ.get("NUCLIO_HOME")


def pytest_report_header() -> str:
    """Says in one line whether the conformance suite also runs against the real processor."""
    if HOME:
        return f"nuclio: the recorded vectors also run against the real processor in {HOME}"
    return "nuclio: NUCLIO_HOME is not set, the recorded vectors run against the built-in engine alone"


@pytest.fixture(scope="session")
def hosts() -> Iterator[Any]:
    """The engines under test by their names: `hosts["builtin"]`."""
    from tests.serve.serve_hosts import Hosts

    with Hosts() as hosts:
        yield hosts


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A copy of the small function in `echo/`."""
    return Path(shutil.copytree(HERE / "echo", tmp_path / "echo"))
