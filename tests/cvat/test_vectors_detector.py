"""Every recorded exchange with a detector: what CVAT sent, and what it made of the answer."""

from types import ModuleType
from typing import Any

VECTORS = "detector"


def test_sent_and_kept_as_recorded(
    vector: dict[str, Any], tasks: dict[str, Any], replay: ModuleType, nuclio: Any
) -> None:
    replay.check(vector, tasks, nuclio)
