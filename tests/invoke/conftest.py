"""A function that answers what a test wants, and a way to run the command against it."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cvat_nuclio.__main__ import main

SIZE = (120, 90)


@pytest.fixture(scope="session")
def nuclio() -> Iterator[Any]:
    """The stand-in of `tests/cvat`: dashboard and function on one port."""
    from tests.cvat import nuclio_standin

    with nuclio_standin.running() as server:
        yield server


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "a.png"
    Image.new("RGB", SIZE, (90, 90, 90)).save(path)
    return path


@pytest.fixture
def deploy(nuclio: Any) -> Callable[..., str]:
    """`deploy(kind, answer, …, spec=…, **annotations)` → the dashboard's URL."""

    def deploy_function(kind: str, *answers: Any, spec: Any = (), **annotations: str) -> str:
        metadata = {"name": "f", "annotations": {"type": kind, "spec": json.dumps(list(spec)), **annotations}}
        function = {"metadata": metadata, "spec": {"description": "d"}, "status": {"httpPort": nuclio.port}}
        responses = [a if isinstance(a, dict) and "status" in a else {"status": 200, "body": a} for a in answers]
        nuclio.reset(responses, {"/api/functions": {"status": 200, "body": {"f": function}}})
        return nuclio.url

    return deploy_function


@pytest.fixture
def invoke(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str]]:
    """Runs the command; its status and all that it printed."""
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: object) -> tuple[int, str]:
        status = main(["invoke", *(str(argument) for argument in arguments)])
        captured = capsys.readouterr()
        return status, captured.out + captured.err

    return run


@pytest.fixture
def pixels() -> Callable[[Path], Any]:
    """A picture as an array of RGB."""
    return lambda path: np.asarray(Image.open(path).convert("RGB")).astype(int)
