"""Every recorded exchange with a tracker: what CVAT sent, what it made of the answer, and which states it trusts."""

from types import ModuleType
from typing import Any

VECTORS = "tracker"


def test_sent_and_passed_on_as_recorded(
    vector: dict[str, Any],
    tasks: dict[str, Any],
    replay: ModuleType,
    nuclio: Any,
    recorded_trackers: list[dict[str, Any]],
) -> None:
    signatures = replay.Signatures.before(vector, recorded_trackers)
    replay.check(signatures.resigned(vector), tasks, nuclio, signatures.signer(vector))
