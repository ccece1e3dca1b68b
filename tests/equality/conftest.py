"""The zoo's bundles, generated and served once for all tests of this folder."""

import importlib
import sys
from collections.abc import Iterator
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
    pytest.register_assert_rewrite("ways")
    sys.path.insert(0, str(HERE))
    return importlib.import_module("ways")


@pytest.fixture(scope="session")
def zoo(ways: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Every bundle of the zoo by name, behind one engine."""
    root = tmp_path_factory.mktemp("zoo")
    functions = {path.stem.replace("_", "-"): (path.stem, []) for path in sorted((HERE / "zoo").glob("*.py"))}
    for name, (stem, options) in {**functions, **VARIANTS}.items():
        file = str(HERE / "zoo" / f"{stem}.py")
        arguments = ["--function-file", file, "--output", str(root / name), "--name", name, "--workers", "1"]
        assert main(["generate", *arguments, *options]) == 0
    folders = [root / name / "nuclio" for name in (*functions, *VARIANTS)]
    with running(*folders) as server:
        listing = decode(send("GET", f"{server.dashboard_url}/api/functions"))
        yield {
            name: ways.Deployed(function, f"http://127.0.0.1:{function['status']['httpPort']}")
            for name, function in listing.items()
        }
