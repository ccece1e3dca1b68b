"""The function whose classes the states of these tests are made of."""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from aa_runtime import FunctionSource, load
from aa_runtime.state import ClassTable, Codec

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def function() -> Any:
    return load(FunctionSource(file=HERE / "functions" / "shelf.py"))


@pytest.fixture(scope="session")
def shelf(function: Any) -> ModuleType:
    """The module of the function."""
    return sys.modules[type(function).__module__]


@pytest.fixture(scope="session")
def codec(function: Any) -> Codec:
    return Codec(ClassTable.of_function(function))
