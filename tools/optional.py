"""Packages that a test may lack on a user's machine, but not in CI."""

import importlib
import os
from typing import Any

import pytest


def required(name: str) -> Any:
    """The module; where it is not installed the calling test module is skipped, or fails if CI=true."""
    if os.environ.get("CI") == "true":
        return importlib.import_module(name)
    return pytest.importorskip(name)
