"""Puts the helper `state_rows` of tests/state within reach of the tests of tensors."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "state"))
