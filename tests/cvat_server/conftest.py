"""The recordings of a real server, and what replays them."""

import importlib
import sys
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
    pytest.register_assert_rewrite("rest_replay")
    if str(HERE) not in sys.path:
        sys.path.insert(0, str(HERE))
    return importlib.import_module("rest_replay")
