"""The recorded exchanges, and what their replays share."""

import importlib.util
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent


def recordings() -> Path:
    """The folder with the recorded exchanges: the fixture `shared` checks it, collection needs it sooner."""
    return Path(os.environ.get("CVAT_NUCLIO_SHARED") or HERE.parent.parent.parent / "shared")


def load(name: str) -> list[dict[str, Any]]:
    """The vectors of one file; none where there are no recordings (`shared` then skips, or fails in CI)."""
    path = recordings() / "vectors" / f"{name}.json"
    return json.loads(path.read_text()) if path.is_file() else []


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A module with `VECTORS = "reid"` runs its tests of a `vector` over every vector of that file."""
    if "vector" in metafunc.fixturenames:
        vectors = load(metafunc.module.VECTORS)
        metafunc.parametrize("vector", vectors, ids=[vector["id"] for vector in vectors])


def load_module(name: str) -> ModuleType:
    """A helper module of this folder: tests are not packages."""
    qualified = f"cvat_tests_{name}"
    if qualified not in sys.modules:
        spec = importlib.util.spec_from_file_location(qualified, HERE / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[qualified] = module
        spec.loader.exec_module(module)
    return sys.modules[qualified]


@pytest.fixture(scope="session")
def replay() -> ModuleType:
    """`replay.py`: recorded placeholders, comparison, and a function that answers from a recording."""
    return load_module("replay")


@pytest.fixture(scope="session")
def nuclio() -> Iterator[Any]:
    """`nuclio_standin.py`, running: answers what a test gives it."""
    with load_module("nuclio_standin").running() as server:
        yield server


@pytest.fixture(scope="session")
def tasks(shared: Path) -> dict[str, Any]:
    """The tasks that the recorded calls name."""
    return json.loads((shared / "vectors" / "tasks.json").read_text())


@pytest.fixture(scope="session")
def recorded_trackers() -> list[dict[str, Any]]:
    """All vectors of trackers in the order of recording: states of one are sent back in the next."""
    return load("tracker")
