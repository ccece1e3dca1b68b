"""Fixtures for every test."""

import os
from pathlib import Path

import hypothesis
import pytest

# No deadline: a busy machine is no bug.
hypothesis.settings.register_profile("repository", deadline=None)
hypothesis.settings.load_profile("repository")

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def repository() -> Path:
    """The checkout's root."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with the exchanges recorded from CVAT, Nuclio and nuctl; see docs/testing.md."""
    folder = Path(os.environ.get("CVAT_NUCLIO_SHARED") or REPOSITORY.parent / "shared")
    if not (folder / "vectors").is_dir():
        message = f"no recordings in {folder}: set CVAT_NUCLIO_SHARED to the folder that holds vectors/"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return folder
