"""The recorded exchanges, and what their replays share."""

import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent


def load(name: str) -> list[dict[str, Any]]:
    """The vectors of one file."""
    return json.loads((HERE.parent / "recordings" / "vectors" / f"{name}.json").read_text())


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A module with `VECTORS = "reid"` runs its tests of a `vector` over that file, or those with the key `WITH`."""
    if "vector" in metafunc.fixturenames:
        key = getattr(metafunc.module, "WITH", "id")
        vectors = [vector for vector in load(metafunc.module.VECTORS) if key in vector]
        metafunc.parametrize("vector", vectors, ids=[vector["id"] for vector in vectors])


def load_module(name: str) -> ModuleType:
    """A helper module of this folder."""
    return importlib.import_module(f"tests.cvat.{name}")


@pytest.fixture(scope="session")
def replay() -> ModuleType:
    """`cvat_replay.py`: recorded placeholders, comparison, and a function that answers from a recording."""
    return load_module("cvat_replay")


@pytest.fixture(scope="session")
def nuclio() -> Iterator[Any]:
    """`nuclio_standin.py`, running: answers what a test gives it."""
    with load_module("nuclio_standin").running() as server:
        yield server


@pytest.fixture(scope="session")
def tasks(recordings: Path) -> dict[str, Any]:
    """The tasks that the recorded calls name."""
    return json.loads((recordings / "vectors" / "tasks.json").read_text())


@pytest.fixture(scope="session")
def recorded_trackers() -> list[dict[str, Any]]:
    """All vectors of trackers in the order of recording: states of one are sent back in the next."""
    return load("tracker")
