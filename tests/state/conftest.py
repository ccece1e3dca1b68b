"""The function whose classes the states of these tests are made of."""

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from aa_runtime import FunctionSource, load
from aa_runtime.state import ClassTable, Codec


@pytest.fixture(scope="session")
def function() -> Any:
    return load(FunctionSource(file=Path(__file__).parent / "functions" / "shelf.py"))


@pytest.fixture(scope="session")
def shelf(function: Any) -> ModuleType:
    """The module of the function."""
    import sys

    return sys.modules[type(function).__module__]


@pytest.fixture(scope="session")
def codec(function: Any) -> Codec:
    return Codec(ClassTable.of_function(function), limit=2**24)
