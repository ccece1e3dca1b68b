"""The zoo's bundles, generated and served once for all tests of this folder."""

import importlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from cvat_nuclio.__main__ import main
from cvat_nuclio.cvat.transport import decode, send
from cvat_nuclio.serve.running import running

HERE = Path(__file__).resolve().parent
# Bundles with options of their own, beside one for each function.
VARIANTS = {
    "click-mask": ("click", ["--interactor-answer", "mask"]),
    "lose-null": ("lose", ["--lost-shape", "null"]),
}


@pytest.fixture(scope="session")
def ways() -> ModuleType:
    """`ways.py`: the three ways."""
    return importlib.import_module("tests.equality.ways")


def generate(folder: Path, function: str, options: list[str]) -> int:
    """One bundle of a function of the zoo, as a user makes it; the command's exit status."""
    file = HERE / "zoo" / f"{function}.py"
    arguments = ["--function-file", file, "--output", folder, "--name", folder.name, "--workers", "1"]
    return main(["generate", *map(str, arguments), *options])


@pytest.fixture(scope="session")
def zoo(ways: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Every bundle of the zoo by name, behind one engine."""
    root = tmp_path_factory.mktemp("zoo")
    found = sorted((HERE / "zoo").glob("*.py"))
    functions: dict[str, tuple[str, list[str]]] = {path.stem.replace("_", "-"): (path.stem, []) for path in found}
    # Each is a subprocess that loads the function: two at a time.
    with ThreadPoolExecutor(2) as pool:
        jobs = [
            pool.submit(generate, root / name, stem, options)
            for name, (stem, options) in {**functions, **VARIANTS}.items()
        ]
    assert [job.result() for job in jobs] == [0] * len(jobs)
    folders = [root / name / "nuclio" for name in (*functions, *VARIANTS)]
    with running(*folders) as server:
        listing = decode(send("GET", f"{server.dashboard_url}/api/functions"))
        yield {
            name: ways.Deployed(function, f"http://127.0.0.1:{function['status']['httpPort']}")
            for name, function in listing.items()
        }
