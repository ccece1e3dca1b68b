"""The recordings of a real server, and what replays them."""

import importlib
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="session")
def media(recordings: Path) -> Path:
    """The recorded tasks' pictures."""
    return recordings / "cvat-rest" / "media"


@pytest.fixture(scope="session")
def helper() -> ModuleType:
    """`rest_replay.py`."""
    return importlib.import_module("tests.cvat_server.rest_replay")
