"""The recorded processor: its vectors, the engines that must answer the same, and a client that sees every byte."""

import importlib
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
HOME = os.environ.get("NUCLIO_HOME")
HELPERS = ("serve_vectors", "serve_client", "serve_hosts", "serve_left_out", "serve_replay", "serve_scenarios")

if str(HERE) not in sys.path:
    sys.path.insert(0, str(HERE))
for helper in HELPERS:
    pytest.register_assert_rewrite(helper)


def pytest_report_header() -> str:
    """Says in one line whether the conformance suite also runs against the real processor."""
    if HOME:
        return f"nuclio: the recorded vectors also run against the real processor in {HOME}"
    return "nuclio: NUCLIO_HOME is not set, the recorded vectors run against the built-in engine alone"


@pytest.fixture(scope="session")
def hosts() -> Iterator[Any]:
    """The engines under test by their names: `hosts["builtin"]`."""
    with importlib.import_module("serve_hosts").Hosts() as hosts:
        yield hosts


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A copy of the small function in `echo/`."""
    return Path(shutil.copytree(HERE / "echo", tmp_path / "echo"))
